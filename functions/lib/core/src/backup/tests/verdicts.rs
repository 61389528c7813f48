//! What `verify` found, and pruning: a verdict never makes anything go sooner.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::prune::{Hold, PrunePlan, plan_prune};
use super::super::{Observed, Request, Settings, plan};
use super::fixtures::{our_snapshot, point};
use super::histories::{Run, runs, unread, without};
use super::plans::{NOW, SLOT, scheduled, three_volumes};
use super::prune_promises::gone;
use crate::ids::SnapshotId;
use crate::recovery_point::{PointState, RecoveryPoint};
use crate::retention::KeepReason;
use crate::retention::tests::policies::policies;
use crate::slot::Slot;
use crate::snapshot::OurSnapshot;
use crate::snapshot::SnapshotState::{Completed, Error};
use crate::verdict::Verdict;

fn reasons<'a>(plan: &'a PrunePlan, point: &RecoveryPoint) -> &'a BTreeSet<KeepReason> {
    let planned = plan.points.iter().find(|planned| planned.slot == point.slot);
    &planned.expect("every point is there").reasons
}

fn ids(points: &[RecoveryPoint]) -> BTreeSet<SnapshotId> {
    points.iter().flat_map(|point| &point.snapshots).map(|snapshot| snapshot.id.clone()).collect()
}

/// What is left if the points came one by one, oldest first, and each run pruned.
fn after_every_run(points: &[RecoveryPoint], settings: &Settings) -> Vec<RecoveryPoint> {
    let mut left: Vec<RecoveryPoint> = Vec::new();
    for point in points.iter().rev() {
        left.insert(0, point.clone());
        left = without(&left, &gone(&plan_prune(&left, point.slot, settings, &Hold::default())));
    }
    left
}

proptest! {
    #[test]
    fn a_verdict_never_adds_a_deletion(Run { points, slot: this_run } in runs(), policy in policies()) {
        let gone = |points: &[RecoveryPoint]| gone(&plan_prune(points, this_run, &Settings::keeping(policy), &Hold::default()));
        let (judged, unjudged) = (gone(&points), gone(&unread(&points)));
        prop_assert!(judged.is_subset(&unjudged), "{:?}", judged.difference(&unjudged));
    }

    #[test]
    fn run_after_run_a_verdict_never_adds_a_deletion(Run { points, .. } in runs(), policy in policies()) {
        let settings = Settings::keeping(policy);
        let judged = ids(&after_every_run(&points, &settings));
        let unjudged = ids(&after_every_run(&unread(&points), &settings));
        prop_assert!(unjudged.is_subset(&judged), "{:?}", unjudged.difference(&judged));
    }

    #[test]
    fn corrupt_points_take_no_place_of_sound_ones(Run { points, slot: this_run } in runs(), policy in policies()) {
        let settings = Settings::keeping(policy);
        let plan = plan_prune(&points, this_run, &settings, &Hold::default());
        let mut alone = points.clone();
        alone.retain(|point| !(point.state() == PointState::Complete && point.verdict() == Some(Verdict::Corrupt)));
        let kept_alone = plan_prune(&alone, this_run, &settings, &Hold::default());
        for point in &alone {
            prop_assert!(reasons(&kept_alone, point).is_subset(reasons(&plan, point)), "{}", point.slot);
        }
    }

    #[test]
    fn a_corrupt_point_is_nothing_but_old(Run { points, slot: this_run } in runs(), policy in policies()) {
        let settings = Settings::keeping(policy);
        let plan = plan_prune(&points, this_run, &settings, &Hold::default());
        let unjudged = plan_prune(&unread(&points), this_run, &settings, &Hold::default());
        let own = [KeepReason::WouldStayIfSound, KeepReason::Pinned, KeepReason::ThisRun];
        for point in points.iter().filter(|point| point.state() == PointState::Complete && point.is_corrupt()) {
            let why = reasons(&plan, point);
            prop_assert!(why.iter().all(|reason| own.contains(reason)), "{why:?}");
            prop_assert_eq!(why.is_empty(), reasons(&unjudged, point).is_empty());
        }
    }

    #[test]
    fn the_newest_verified_point_survives(
        Run { points, slot: this_run } in runs(), policy in policies(), max in 0..40_usize,
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy).at_most(max), &Hold::default());
        let left = without(&points, &gone(&plan));
        let is_verified = |point: &&RecoveryPoint| {
            let is_ok = |snapshot: &OurSnapshot| snapshot.verified.as_ref().is_some_and(|found| found.starts_with("ok "));
            point.state() == PointState::Complete && point.chosen().values().all(|snapshot| is_ok(snapshot))
        };
        let newest = |points: &[RecoveryPoint]| points.iter().find(is_verified).map(|point| point.slot);
        prop_assert_eq!(newest(&left), newest(&points));
    }

    #[test]
    fn whole_plans_never_delete_more_for_a_verdict(Run { points, .. } in runs(), policy in policies(), far: bool) {
        let mut observed = Observed { volumes: three_volumes(), ..Observed::default() };
        let ahead = [point("2096-11-23T02:00:00Z", &[Completed; 3]).corrupt()];
        let ahead = ahead.iter().filter(|_| far).flat_map(RecoveryPoint::observed).map(|one| one.started_at(SLOT));
        observed.snapshots = points.iter().flat_map(RecoveryPoint::observed).chain(ahead).collect();
        let deleted = |observed: &Observed| -> BTreeSet<SnapshotId> {
            let settings = Settings::keeping(policy);
            let plan = plan(observed, &Request::scheduled(SLOT), &settings, NOW.parse().expect("a time"));
            plan.etcd_clusters.iter().flat_map(|of| gone(&of.prune)).collect()
        };
        let judged = deleted(&observed);
        for snapshot in &mut observed.snapshots {
            snapshot.tags.remove(crate::tags::VERIFIED);
        }
        prop_assert!(judged.is_subset(&deleted(&observed)));
        prop_assert!(!far || judged.is_empty(), "a point of the future stops pruning");
    }
}

#[test]
fn the_surplus_of_a_corrupt_point_stays() {
    let mut twice = point(SLOT, &[Completed; 3]);
    let mut second = our_snapshot(SLOT, "b", Completed);
    second.id = SnapshotId::parse("snap-b-again").expect("an id");
    second.started += jiff::SignedDuration::from_secs(2);
    twice.snapshots.push(second);
    let next = Slot::parse("2026-11-23T03:00:00Z").expect("a slot");
    let gone_of = |point: RecoveryPoint| {
        gone(&plan_prune(&[point], next, &Settings::retention("keep-last=1"), &Hold::default())).len()
    };
    assert_eq!(gone_of(twice.clone()), 1);
    twice.snapshots[1].verified = Some("corrupt".to_owned());
    assert_eq!(gone_of(twice.clone()), 0, "the second one may be sound");
    twice.snapshots.swap(1, 3);
    twice.snapshots[1].verified = Some("corrupt".to_owned());
    twice.snapshots[3].verified = None;
    assert_eq!(gone_of(twice), 1, "the second one alone is corrupt");
}

#[test]
fn beside_a_corrupt_point_failed_and_partial_ones_stay() {
    let left = |newest: RecoveryPoint| {
        let points = [
            newest,
            point("2026-11-23T01:00:00Z", &[Completed, Completed, Error]),
            point("2026-11-20T00:00:00Z", &[Completed; 2]),
        ];
        let next = Slot::parse("2026-11-23T03:00:00Z").expect("a slot");
        let plan = plan_prune(&points, next, &Settings::retention("keep-last=1"), &Hold::default());
        ids(&without(&points, &gone(&plan))).len()
    };
    assert_eq!(left(point(SLOT, &[Completed; 3])), 5, "the failed one and the old partial point go");
    assert_eq!(left(point(SLOT, &[Completed; 3]).corrupt()), 8);
}

#[test]
fn a_replaced_volume_is_told_until_a_sound_point_has_the_new_one() {
    let told = |newest: RecoveryPoint| {
        let mut volumes = three_volumes();
        volumes[1] = volumes[1].clone().named("vol-blank");
        let newest = newest.of_volume("b", "vol-blank").observed();
        let before = point("2026-11-23T00:00:00Z", &[Completed; 3]).observed();
        scheduled(volumes, newest.into_iter().chain(before).collect()).warnings
    };
    let newest = || point("2026-11-23T01:00:00Z", &[Completed; 3]);
    assert_eq!(told(newest()), Vec::<String>::new());
    let warnings = told(newest().corrupt());
    assert!(warnings.len() == 1 && warnings[0].contains("The point 2026-11-23T00:00:00Z is kept"), "{warnings:?}");
}
