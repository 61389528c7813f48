//! What is examined, and in which order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{At, Request, VerifyPlan, plan};
use super::fixtures::{OLDER_SLOT, SLOT, examined, id, ids, now, observed, of_events, only, snapshots};
use crate::backup::tests::fixtures::{main_of_example, our_snapshot, point, stood};
use crate::backup::tests::histories::{Run, runs};
use crate::ids::SnapshotId;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Error, Other, Pending};
use crate::verdict::Verdict;
use crate::{tags, verdict};

#[test]
fn a_sweep_goes_by_points_newest_first() {
    let mut all = point(OLDER_SLOT, &[Completed; 3]).observed();
    all.extend(snapshots());
    all.extend(snapshots().into_iter().take(1).map(of_events));
    let plan = examined(&Request::Sweep, all);
    assert!(plan.is_sweep && plan.list.iter().all(|one| !one.deep && one.was.is_none()));
    let expected = [
        format!("snap-a-{SLOT}-events"),
        format!("snap-a-{SLOT}"),
        format!("snap-b-{SLOT}"),
        format!("snap-c-{SLOT}"),
        format!("snap-a-{OLDER_SLOT}"),
        format!("snap-b-{OLDER_SLOT}"),
        format!("snap-c-{OLDER_SLOT}"),
    ];
    assert_eq!(ids(&plan), expected);
    assert_eq!((plan.list[1].members.len(), plan.list[1].size_gib), (3, 20));
}

#[test]
fn a_sweep_passes_over_what_it_cannot_read_or_has_read() {
    let swept = |change: fn(Snapshot) -> Snapshot| {
        let plan = examined(&Request::Sweep, snapshots().into_iter().map(change).collect());
        (plan.list.len(), plan.warnings.len())
    };
    assert_eq!(swept(|snapshot| snapshot), (3, 0));
    assert_eq!(swept(|snapshot| snapshot.tagged(tags::VERIFIED, "what is this?")), (3, 0));
    for of_before in ["ok at=then revision=7 index=9 term=2", "degraded reason=one meta"] {
        let all = snapshots().into_iter().map(|snapshot| snapshot.tagged(tags::VERIFIED, of_before)).collect();
        assert_eq!(examined(&Request::Sweep, all).list.len(), 3, "{of_before}: it tells no position");
    }
    let degraded = stood("a", 100, 100).replacen("ok", "degraded", 1);
    for verdict in [stood("a", 100, 100).as_str(), &degraded, "corrupt", "unsupported reason=xfs"] {
        let all = snapshots().into_iter().map(|snapshot| snapshot.tagged(tags::VERIFIED, verdict)).collect();
        assert_eq!(ids(&examined(&Request::Sweep, all)), [""; 0], "{verdict}");
    }
    assert_eq!(swept(|snapshot| Snapshot { archived: true, ..snapshot }), (0, 0));
    assert_eq!(swept(Snapshot::copied), (0, 0));
    assert_eq!(swept(|snapshot| snapshot.without_tag(tags::RECOVERY_POINT)), (0, 3), "its mark was taken away");
    assert_eq!(swept(|snapshot| snapshot.without_tag(tags::SNAPSHOT_CLUSTER)), (0, 3), "it cannot be placed");
    for state in [Pending, Error, Other] {
        let all = snapshots().into_iter().map(|snapshot| Snapshot { state, ..snapshot }).collect();
        assert_eq!(ids(&examined(&Request::Sweep, all)), [""; 0], "{state:?}");
    }
    let Ok(VerifyPlan::Examine(plan)) = plan(&observed(snapshots()), &Request::Sweep, &only("other"), now()) else {
        panic!()
    };
    assert_eq!(plan.list, []);
}

#[test]
fn what_an_earlier_look_may_have_died_of_comes_last() {
    let mut all = point(OLDER_SLOT, &[Completed; 3]).observed();
    let [a, b, c] = <[Snapshot; 3]>::try_from(snapshots()).expect("three");
    let begun = |snapshot: Snapshot| snapshot.tagged(tags::VERIFIED, &verdict::begun(now()));
    all.extend([begun(a), b, begun(c)]);
    let plan = examined(&Request::Sweep, all.clone());
    let last = [format!("snap-a-{SLOT}"), format!("snap-c-{SLOT}")];
    assert_eq!(
        (ids(&plan)[0], &ids(&plan)[4..]),
        (format!("snap-b-{SLOT}").as_str(), &last.each_ref().map(String::as_str)[..])
    );
    assert_eq!(plan.list.iter().map(|one| one.again).collect::<Vec<_>>(), [false, false, false, false, true, true]);
    assert!(plan.list.iter().all(|one| one.was.is_none()));
    let by_hand = Request::Point { of: main_of_example(), at: At::Latest, deep: false };
    let again: Vec<bool> = examined(&by_hand, all).list.iter().map(|one| one.again).collect();
    assert_eq!(again, [true, false, true], "in the order of the members");
}

#[test]
fn what_is_surplus_is_judged_after_its_better() {
    let mut second = our_snapshot(SLOT, "a", Completed);
    second.id = id("snap-0");
    second.started += jiff::SignedDuration::from_secs(3);
    let plan = examined(&Request::Sweep, snapshots().into_iter().chain([second.observed()]).collect());
    assert_eq!(ids(&plan)[..2], [format!("snap-a-{SLOT}"), "snap-0".to_owned()]);
    assert_eq!(plan.list.iter().map(|one| one.surplus).collect::<Vec<_>>(), [false, true, false, false]);
    let by_hand = Request::Point { of: main_of_example(), at: At::Latest, deep: false };
    let all = snapshots().into_iter().chain([second.observed()]).collect();
    assert_eq!(ids(&examined(&by_hand, all)).len(), 3, "by hand the set that a restore would take");
}

#[test]
fn by_hand_what_is_asked_for_is_read_though_it_was_read_before() {
    let judged = || snapshots().into_iter().map(|one| one.tagged(tags::VERIFIED, "corrupt reason=crc")).collect();
    let plan = examined(&Request::Snapshot { id: id(&format!("snap-b-{SLOT}")), deep: true }, judged());
    assert_eq!((ids(&plan), plan.is_sweep), (vec![format!("snap-b-{SLOT}").as_str()], false));
    let one = &plan.list[0];
    assert_eq!((one.deep, one.was, one.members.len(), one.surplus), (true, Some(Verdict::Corrupt), 3, false));
    let at = At::Slot(Slot::parse(SLOT).expect("a slot"));
    let plan = examined(&Request::Point { of: main_of_example(), at, deep: true }, judged());
    assert!(plan.list.len() == 3 && plan.list.iter().all(|one| one.deep), "{plan:?}");
}

#[test]
fn latest_is_the_newest_complete_point() {
    let latest = Request::Point { of: main_of_example(), at: At::Latest, deep: false };
    for (newest, expected) in [
        (point(SLOT, &[Completed, Pending, Completed]), OLDER_SLOT),
        (point(SLOT, &[Completed; 2]), OLDER_SLOT),
        (point(SLOT, &[Completed; 3]).skewed_by_ms(60_000), SLOT),
        (point(SLOT, &[Completed; 3]).corrupt(), SLOT),
    ] {
        let all = newest.observed().into_iter().chain(point(OLDER_SLOT, &[Completed; 3]).observed()).collect();
        let plan = examined(&latest, all);
        assert_eq!(plan.list.len(), 3);
        assert!(plan.list.iter().all(|one| one.slot.to_string() == expected));
    }
}

#[test]
fn of_a_point_what_is_there_is_read_and_the_rest_told() {
    let at = At::Slot(Slot::parse(SLOT).expect("a slot"));
    let request = Request::Point { of: main_of_example(), at, deep: false };
    let mut all = point(SLOT, &[Completed, Pending]).observed();
    let plan = examined(&request, all.clone());
    assert_eq!(ids(&plan), [format!("snap-a-{SLOT}")]);
    let warnings = ["b's snapshot is still pending", "c's snapshot is not there"];
    assert_eq!(plan.warnings, warnings.map(|why| format!("{SLOT}: member {why}")));
    all.push(Snapshot { archived: true, ..our_snapshot(SLOT, "c", Completed).observed() });
    let plan = examined(&request, all);
    assert!(plan.list.len() == 1 && plan.warnings[1].contains("archive tier"), "{:?}", plan.warnings);
}

proptest! {
    #[test]
    fn a_sweep_reads_each_completed_snapshot_of_ours_that_was_never_judged_once_newest_first(
        Run { points, .. } in runs(), archived: u64,
    ) {
        let mut all: Vec<Snapshot> = points.iter().flat_map(crate::recovery_point::RecoveryPoint::observed).collect();
        for (nth, snapshot) in all.iter_mut().enumerate() {
            snapshot.archived = nth < 64 && archived >> nth & 7 == 7;
        }
        let copies: Vec<Snapshot> = all.iter().cloned().map(Snapshot::copied).collect();
        let expected: BTreeSet<SnapshotId> = all
            .iter()
            .filter(|one| one.state == Completed && !one.archived)
            .filter(|one| one.tags.get(tags::VERIFIED).is_none_or(|found| found == "degraded"))
            .map(|one| one.id.clone())
            .collect();
        let plan = examined(&Request::Sweep, all.into_iter().chain(copies).collect());
        let planned: BTreeSet<SnapshotId> = plan.list.iter().map(|one| one.snapshot.clone()).collect();
        prop_assert_eq!(planned.len(), plan.list.len());
        prop_assert_eq!(planned, expected);
        prop_assert!(plan.list.is_sorted_by(|a, b| a.slot >= b.slot));
    }
}
