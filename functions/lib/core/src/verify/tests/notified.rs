//! Notifications that a snapshot is whole.

use super::super::{Examinations, Request, VerifyPlan, plan};
use super::fixtures::{OLDER_SLOT, SLOT, examined, id, ids, now, observed, of_events, only, planned, snapshots};
use crate::backup::tests::fixtures::{MEMBERS, our_snapshot, point, stood};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{self, Completed, Error, Other, Pending};
use crate::tags;

/// That member's snapshot is whole.
fn of(member: &str) -> Request {
    Request::Completed(id(&format!("snap-{member}-{SLOT}")))
}

/// Why there is nothing to do.
#[track_caller]
fn nothing(request: &Request, snapshots: Vec<Snapshot>) -> String {
    match planned(request, snapshots) {
        Ok(VerifyPlan::Nothing(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_last_of_a_points_snapshots_has_all_of_them_read() {
    let expected = MEMBERS.map(|member| format!("snap-{member}-{SLOT}"));
    // EC2's listing may lag behind the notification.
    for last in [Completed, Pending] {
        let plan = examined(&of("b"), point(SLOT, &[Completed, last, Completed]).observed());
        assert_eq!((ids(&plan), plan.is_sweep), (expected.each_ref().map(String::as_str).to_vec(), false));
        assert!(plan.list.iter().all(|one| !one.deep && !one.surplus && one.members.len() == 3), "{plan:?}");
    }
    for (others, pending) in [([Pending, Completed], "a"), ([Completed, Pending], "c"), ([Pending, Pending], "a, c")] {
        let all = point(SLOT, &[others[0], Completed, others[1]]).observed();
        let why = format!(
            "{SLOT}: main of k8s.example.com is examined when all its snapshots are whole; still pending: {pending}"
        );
        assert_eq!(nothing(&of("b"), all), why);
    }
}

#[test]
fn what_is_never_to_be_whole_is_not_waited_for() {
    let examined = |others: Vec<Snapshot>| {
        let Examinations { list, warnings, .. } = examined(&of("a"), others);
        let list: Vec<String> = list.iter().map(|one| one.lineage.member.to_string()).collect();
        (list.join(" "), warnings.len())
    };
    let with = |states: &[SnapshotState]| examined(point(SLOT, states).observed());
    assert_eq!(with(&[Completed, Error, Completed]), ("a c".to_owned(), 1));
    assert_eq!(with(&[Completed, Other]), ("a".to_owned(), 2), "the second in the Recycle Bin, the third never taken");
    let mut surplus = our_snapshot(SLOT, "b", Pending).observed();
    surplus.id = id("snap-b-again");
    let all = snapshots().into_iter().chain([surplus]).collect();
    assert_eq!(examined(all), ("a b c".to_owned(), 0), "its member has a whole one");
    let of_events = point(SLOT, &[Pending; 3]).observed().into_iter().map(of_events);
    let others = point(OLDER_SLOT, &[Pending; 3]).observed().into_iter().chain(of_events);
    let all = point(SLOT, &[Completed]).observed().into_iter().chain(others);
    assert_eq!(examined(all.collect()), ("a".to_owned(), 2), "others are of other points");
}

#[test]
fn what_was_judged_alone_is_read_again_beside_the_others() {
    let mut all = snapshots();
    all[0].tags.insert(tags::VERIFIED.to_owned(), stood("a", 100, 100));
    for retried in ["a", "c"] {
        assert_eq!(ids(&examined(&of(retried), all.clone())).len(), 3, "a run that failed in part is tried again");
    }
    for one in &mut all {
        one.tags.insert(tags::VERIFIED.to_owned(), "unsupported at=then".to_owned());
    }
    assert!(nothing(&of("a"), all).ends_with("has been judged already"), "it came twice, or a sweep came first");
}

#[test]
fn what_is_surplus_is_judged_too() {
    let mut second = our_snapshot(SLOT, "a", Completed);
    second.id = id("snap-a-again");
    second.started += jiff::SignedDuration::from_secs(3);
    let request = Request::Completed(second.id.clone());
    let plan = examined(&request, snapshots().into_iter().chain([second.observed()]).collect());
    assert_eq!(plan.list.iter().map(|one| one.surplus).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(ids(&plan)[3], "snap-a-again");
}

#[test]
fn a_notification_of_anything_else_is_nothing_to_do() {
    let one = || our_snapshot(SLOT, "a", Completed).observed();
    let in_state = |state: SnapshotState| Snapshot { state, ..one() };
    for (snapshot, why) in [
        (one().without_tag(tags::RECOVERY_POINT), "is doubtful: its tag `etcd-backup/recovery-point` is missing"),
        (Snapshot { description: String::new(), ..one().without_tag(tags::RECOVERY_POINT) }, "is not ours"),
        (one().copied_as(one().id.as_str()), "is a copy"),
        (one().without_tag(tags::SNAPSHOT_CLUSTER), "is doubtful: its tag `etcd-backup/cluster` is missing"),
        (one().tagged(tags::VERIFIED, &stood("a", 100, 100)), "has been judged already"),
        (Snapshot { archived: true, ..one() }, "cannot be read any more"),
        (in_state(Error), "cannot be read any more"),
        (in_state(Other), "cannot be read any more"),
        (Snapshot { id: id("snap-other"), ..one() }, "is not there any more"),
    ] {
        let said = nothing(&Request::Completed(one().id), vec![snapshot]);
        assert!(said.contains(why), "{said}");
    }
    let elsewhere =
        plan(&observed(vec![one()]), &Request::Completed(one().id), &only("other"), now()).expect("no refusal");
    let said = format!("{} is of k8s.example.com, which is not one of CLUSTERS", one().id);
    assert_eq!(elsewhere, VerifyPlan::Nothing(said));
    assert_eq!(nothing(&Request::Other("a copy".to_owned()), Vec::new()), "a copy");
}
