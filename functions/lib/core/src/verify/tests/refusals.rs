//! What is asked for by hand, and cannot be read.

use super::super::{At, Request, plan};
use super::fixtures::{OLDER_SLOT, SLOT, id, now, observed, only, planned, snapshots};
use crate::backup::tests::fixtures::{main_of_example, our_snapshot, point};
use crate::restore::RefusalKind;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Error, Other, Pending};
use crate::tags;

#[track_caller]
fn refused(request: &Request, snapshots: Vec<Snapshot>) -> (RefusalKind, String) {
    let refusal = planned(request, snapshots).expect_err("it cannot be done");
    (refusal.kind, refusal.message)
}

fn one() -> Snapshot {
    our_snapshot(SLOT, "a", Completed).observed()
}

fn by_hand(id: &str) -> Request {
    Request::Snapshot { id: super::fixtures::id(id), deep: false }
}

fn of_slot(slot: &str) -> Request {
    Request::Point { of: main_of_example(), at: At::Slot(Slot::parse(slot).expect("a slot")), deep: false }
}

fn latest() -> Request {
    Request::Point { of: main_of_example(), at: At::Latest, deep: false }
}

#[test]
fn a_snapshot_that_is_not_there_or_not_ours_is_refused() {
    let request = by_hand(one().id.as_str());
    for (snapshot, kind, said) in [
        (
            Snapshot { id: id("snap-0"), ..one() },
            RefusalKind::NoSuchRecoveryPoint,
            "snapshot: this account has no snap-a",
        ),
        (Snapshot { own: false, ..one() }, RefusalKind::NotOurs, "is not ours"),
        (one().copied_as(one().id.as_str()), RefusalKind::NotOurs, "is a copy"),
        (one().without_tag(tags::SNAPSHOT_CLUSTER), RefusalKind::NotOurs, "is doubtful: its tag `etcd-backup/cluster`"),
        (Snapshot { state: Pending, ..one() }, RefusalKind::SnapshotNotCompleted, "still pending"),
        (Snapshot { state: Error, ..one() }, RefusalKind::SnapshotNotCompleted, "failed"),
        (Snapshot { state: Other, ..one() }, RefusalKind::SnapshotNotCompleted, "Recycle Bin"),
        (Snapshot { archived: true, ..one() }, RefusalKind::SnapshotArchived, "archive tier"),
    ] {
        let (refused, message) = refused(&request, vec![snapshot]);
        assert_eq!(refused, kind, "{message}");
        assert!(message.contains(said), "{message}");
    }
    let refusal = plan(&observed(vec![one()]), &request, &only("other"), now()).expect_err("it is not looked after");
    assert_eq!(refusal.kind, RefusalKind::InvalidRequest);
    assert_eq!(refusal.message, "cluster: `k8s.example.com` is not one of CLUSTERS (other)");
}

#[test]
fn a_point_that_is_not_there_is_refused() {
    let (kind, message) = refused(&of_slot(OLDER_SLOT), snapshots());
    assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
    let said = format!("main of k8s.example.com has no recovery point {OLDER_SLOT}; it has 1 points");
    assert!(message.starts_with(&said), "{message}");
    for all in [Vec::new(), point(SLOT, &[Completed, Pending, Completed]).observed()] {
        let (kind, message) = refused(&latest(), all);
        assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
        assert!(message.contains("has no complete recovery point"), "{message}");
    }
    let of_events = |one: Snapshot| one.marked(&[(tags::SNAPSHOT_ETCD_CLUSTER, "events")]);
    let (kind, _) = refused(&latest(), snapshots().into_iter().map(of_events).collect());
    assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
}

#[test]
fn a_point_of_which_nothing_can_be_read_is_refused_with_all_that_stands_in_the_way() {
    let (kind, message) = refused(&of_slot(SLOT), point(SLOT, &[Pending, Error]).observed());
    assert_eq!(kind, RefusalKind::SnapshotNotCompleted);
    assert!(message.contains("a's snapshot is still pending") && message.contains("c's snapshot is not there"));
    let archived = snapshots().into_iter().map(|one| Snapshot { archived: true, ..one }).collect();
    assert_eq!(refused(&latest(), archived).0, RefusalKind::SnapshotArchived);
}
