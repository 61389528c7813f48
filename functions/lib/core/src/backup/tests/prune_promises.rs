//! What pruning promises, over random histories and policies.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::Settings;
use super::super::prune::{Hold, PrunePlan, plan_prune};
use super::histories::{Run, runs, without};
use crate::ids::SnapshotId;
use crate::recovery_point::{PointState, RecoveryPoint};
use crate::retention::KeepReason;
use crate::retention::tests::policies::{a_policy_and_a_larger_one, policies};
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, SnapshotState};

/// What a plan deletes.
pub(super) fn gone(plan: &PrunePlan) -> BTreeSet<SnapshotId> {
    plan.deletions.iter().map(|deletion| deletion.snapshot.clone()).collect()
}

/// The slots of points with one completed snapshot for every member, newest first, stated once more.
fn complete(points: &[RecoveryPoint]) -> Vec<&RecoveryPoint> {
    let of_point = |point: &RecoveryPoint| {
        let members: BTreeSet<_> = point.snapshots.iter().flat_map(|snapshot| snapshot.members.clone()).collect();
        let completed = point.snapshots.iter().filter(|snapshot| snapshot.state == SnapshotState::Completed);
        completed.map(|snapshot| snapshot.lineage.member.clone()).collect::<BTreeSet<_>>() == members
    };
    points.iter().filter(|point| of_point(point)).collect()
}

/// Of the complete ones those of which no member was found corrupt, of the set that a restore would take.
fn sound(points: &[RecoveryPoint]) -> Vec<&RecoveryPoint> {
    let is_corrupt = |snapshot: &&OurSnapshot| snapshot.verified.as_deref().is_some_and(|it| it.starts_with("corrupt"));
    let mut sound = complete(points);
    sound.retain(|point| !point.chosen().into_values().any(|snapshot| is_corrupt(&snapshot)));
    sound
}

fn find(points: &[RecoveryPoint], slot: Slot) -> Option<&RecoveryPoint> {
    points.iter().find(|point| point.slot == slot)
}

/// The snapshots of a state in points without a pin that the run does not work on.
fn deletable(points: &[RecoveryPoint], this_run: Slot, state: SnapshotState) -> Vec<&OurSnapshot> {
    let free = points.iter().filter(|point| !point.is_pinned() && point.slot != this_run);
    free.flat_map(|point| &point.snapshots).filter(|snapshot| snapshot.state == state).collect()
}

proptest! {
    #[test]
    fn the_newest_complete_point_survives(
        Run { points, slot: this_run } in runs(), policy in policies(), max in 0..40_usize,
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy).at_most(max), &Hold::default());
        let left = without(&points, &gone(&plan));
        for newest in [complete, sound] {
            if let Some(before) = newest(&points).first() {
                let survivor = find(&left, before.slot).expect("it is there");
                prop_assert_eq!(newest(&left).first().map(|point| point.slot), Some(before.slot));
                prop_assert_eq!(survivor.skew(), before.skew());
            }
        }
    }

    #[test]
    fn a_locked_point_is_untouched_and_neither_due_nor_backlog(
        Run { points, slot: this_run } in runs(), policy in policies(), which in 0..40_usize, max in 0..6_usize,
    ) {
        let all: Vec<&OurSnapshot> = points.iter().flat_map(|point| &point.snapshots).collect();
        let Some(snapshot) = all.get(which % all.len().max(1)) else { return Ok(()) };
        let settings = Settings::keeping(policy).at_most(max);
        let locked = Hold { locked: [&snapshot.id].into(), ..Hold::default() };
        let plan = plan_prune(&points, this_run, &settings, &locked);
        let left = without(&points, &gone(&plan));
        prop_assert_eq!(find(&left, snapshot.slot), find(&points, snapshot.slot));
        // All others are due, or backlog, as they are without the lock.
        let unlocked = plan_prune(&points, this_run, &settings.clone().at_most(usize::MAX), &Hold::default());
        let due = unlocked.deletions.iter().filter(|deletion| deletion.slot != snapshot.slot).count();
        prop_assert_eq!(plan.deletions.len() + plan.backlog, due);
    }

    #[test]
    fn a_point_that_is_being_restored_is_untouched(
        Run { points, slot: this_run } in runs(), policy in policies(), which in 0..40_usize,
    ) {
        let all: Vec<&OurSnapshot> = points.iter().flat_map(|point| &point.snapshots).collect();
        let Some(snapshot) = all.get(which % all.len().max(1)) else { return Ok(()) };
        let hold = Hold { restored_from: [&snapshot.id].into(), ..Hold::default() };
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &hold);
        let left = without(&points, &gone(&plan));
        prop_assert_eq!(find(&left, snapshot.slot), find(&points, snapshot.slot));
    }

    #[test]
    fn only_completed_and_failed_snapshots_that_are_there_are_deleted_each_once(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        prop_assert_eq!(gone(&plan).len(), plan.deletions.len());
        for deletion in &plan.deletions {
            let point = find(&points, deletion.slot).expect("the point");
            let mut named = point.snapshots.iter().filter(|snapshot| snapshot.id == deletion.snapshot);
            let snapshot = named.next().expect("the snapshot");
            prop_assert_eq!(&snapshot.lineage.member, &deletion.member);
            prop_assert!(matches!(snapshot.state, SnapshotState::Completed | SnapshotState::Error));
        }
    }

    #[test]
    fn pinned_points_are_untouched(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let left = without(&points, &gone(&plan));
        for point in points.iter().filter(|point| point.snapshots.iter().any(|snapshot| snapshot.pinned)) {
            prop_assert_eq!(find(&left, point.slot), Some(point));
        }
    }

    #[test]
    fn the_point_that_the_run_works_on_is_untouched(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let left = without(&points, &gone(&plan));
        prop_assert_eq!(find(&left, this_run), find(&points, this_run));
    }

    #[test]
    fn a_pause_deletes_nothing_and_tells_what_would_go(
        Run { points, slot: this_run } in runs(), policy in policies(),
        why in prop_oneof![Just(KeepReason::PruneOff), Just(KeepReason::MemberFailed)],
    ) {
        let settings = Settings::keeping(policy);
        let paused = plan_prune(&points, this_run, &settings, &Hold { paused: Some(why), ..Hold::default() });
        prop_assert_eq!((paused.deletions.len(), paused.backlog), (0, 0));
        let touched: BTreeSet<Slot> =
            plan_prune(&points, this_run, &settings, &Hold::default()).deletions.iter().map(|deletion| deletion.slot).collect();
        let told: BTreeSet<Slot> =
            paused.points.iter().filter(|point| point.reasons.contains(&why)).map(|point| point.slot).collect();
        prop_assert_eq!(told, touched);
    }

    #[test]
    fn failed_snapshots_go_once_a_newer_point_is_complete(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let gone = gone(&plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default()));
        let newest = sound(&points).first().map(|point| point.slot);
        for snapshot in deletable(&points, this_run, SnapshotState::Error) {
            prop_assert_eq!(gone.contains(&snapshot.id), newest.is_some_and(|newest| newest > snapshot.slot));
        }
    }

    #[test]
    fn partial_points_go_a_day_before_the_newest_complete_one(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let gone = gone(&plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default()));
        let newest = sound(&points).first().map(|point| point.slot);
        for snapshot in deletable(&points, this_run, SnapshotState::Completed) {
            match find(&points, snapshot.slot).map(RecoveryPoint::state) {
                Some(PointState::Partial) => {
                    let is_old = newest.is_some_and(|newest| newest.since(snapshot.slot).as_hours() >= 24);
                    prop_assert_eq!(gone.contains(&snapshot.id), is_old);
                }
                Some(PointState::Pending) => prop_assert!(!gone.contains(&snapshot.id)),
                _ => {}
            }
        }
    }

    #[test]
    fn a_point_that_stays_keeps_one_snapshot_of_each_member_and_its_skew(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let left = without(&points, &gone(&plan));
        for planned in plan.points.iter().filter(|planned| !planned.reasons.is_empty()) {
            let (before, after) = (find(&points, planned.slot).expect("a point"), find(&left, planned.slot));
            if before.state() == PointState::Complete {
                let after = after.expect("a point that stays");
                prop_assert_eq!(after.state(), PointState::Complete);
                prop_assert_eq!(after.skew(), before.skew());
            }
        }
    }

    #[test]
    fn surplus_goes_once_its_whole_point_is_settled(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let left = without(&points, &gone(&plan));
        let stays = |point: &&RecoveryPoint| {
            plan.points.iter().any(|planned| planned.slot == point.slot && !planned.reasons.is_empty())
        };
        let touched = |point: &&RecoveryPoint| !point.is_pinned() && point.slot != this_run;
        for before in sound(&points).into_iter().filter(stays).filter(touched) {
            let after = find(&left, before.slot).expect("a point that stays");
            for member in before.expected() {
                let count = |point: &RecoveryPoint, state| {
                    let of_member = point.snapshots.iter().filter(|snapshot| snapshot.lineage.member == *member);
                    of_member.filter(|snapshot| snapshot.state == state).count()
                };
                let is_settled = before.snapshots.iter().all(|snapshot| snapshot.state != SnapshotState::Pending);
                let expected = if is_settled { 1 } else { count(before, SnapshotState::Completed) };
                prop_assert_eq!(count(after, SnapshotState::Completed), expected);
            }
        }
    }

    #[test]
    fn every_point_left_has_a_reason_and_every_point_without_one_is_emptied(
        Run { points, slot: this_run } in runs(), policy in policies(), max in 0..40_usize,
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy).at_most(max), &Hold::default());
        let gone = gone(&plan);
        prop_assert_eq!(plan.points.len(), points.len());
        for (point, planned) in points.iter().zip(&plan.points) {
            prop_assert_eq!(point.slot, planned.slot);
            let stays = |snapshot: &&OurSnapshot| {
                snapshot.state == SnapshotState::Completed && !gone.contains(&snapshot.id)
            };
            if planned.reasons.is_empty() {
                prop_assert_eq!(point.snapshots.iter().find(stays), None);
            }
        }
    }

    #[test]
    fn a_larger_policy_never_deletes_more(
        Run { points, slot: this_run } in runs(), (policy, larger) in a_policy_and_a_larger_one(),
    ) {
        let gone = |policy| gone(&plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default()));
        let (by_policy, by_larger) = (gone(policy), gone(larger));
        prop_assert!(by_larger.is_subset(&by_policy), "{:?}", by_larger.difference(&by_policy));
    }

    #[test]
    fn the_last_point_of_a_replaced_volume_survives_thirty_days(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let plan = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let left = without(&points, &gone(&plan));
        for counted in [complete(&points), sound(&points)] {
            for (after, before) in counted.iter().zip(counted.iter().skip(1)) {
                let is_recent = counted[0].slot.since(after.slot) < SignedDuration::from_hours(30 * 24);
                let volumes = |point: &RecoveryPoint| -> BTreeSet<_> {
                    point.chosen().values().map(|snapshot| snapshot.volume.id.clone()).collect()
                };
                if is_recent && volumes(after) != volumes(before) {
                    prop_assert!(find(&left, before.slot).is_some_and(|left| left.state() == PointState::Complete));
                }
            }
        }
    }
}
