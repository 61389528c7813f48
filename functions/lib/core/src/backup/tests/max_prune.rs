//! Run after run: a plan that was carried out leaves nothing to do, and `MAX_PRUNE` only spreads the work.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::Settings;
use super::super::prune::{Hold, plan_prune};
use super::fixtures::point;
use super::histories::{Run, runs, without};
use super::prune_promises::gone;
use crate::ids::SnapshotId;
use crate::recovery_point::{PointState, RecoveryPoint};
use crate::retention::KeepReason;
use crate::retention::tests::policies::policies;
use crate::slot::Slot;
use crate::snapshot::SnapshotState::{Completed, Error};

/// What is left after runs until one deletes nothing.
fn at_the_end(mut points: Vec<RecoveryPoint>, this_run: Slot, settings: &Settings) -> Vec<RecoveryPoint> {
    loop {
        let plan = plan_prune(&points, this_run, settings, &Hold::default());
        if plan.deletions.is_empty() {
            return points;
        }
        points = without(&points, &gone(&plan));
    }
}

fn ids(points: &[RecoveryPoint]) -> BTreeSet<SnapshotId> {
    points.iter().flat_map(|point| &point.snapshots).map(|snapshot| snapshot.id.clone()).collect()
}

/// Most snapshots of any one point: with that much allowed, every run gets on.
fn largest(points: &[RecoveryPoint]) -> usize {
    points.iter().map(|point| point.snapshots.len()).max().unwrap_or_default()
}

proptest! {
    #[test]
    fn judging_twice_deletes_nothing_more(
        Run { points, slot: this_run } in runs(), policy in policies(),
    ) {
        let settings = Settings::keeping(policy);
        let left = without(&points, &gone(&plan_prune(&points, this_run, &settings, &Hold::default())));
        prop_assert_eq!(plan_prune(&left, this_run, &settings, &Hold::default()).deletions, []);
    }

    #[test]
    fn max_prune_is_kept_in_whole_points_oldest_first(
        Run { points, slot: this_run } in runs(), policy in policies(), max in 0..12_usize,
    ) {
        let all = plan_prune(&points, this_run, &Settings::keeping(policy), &Hold::default());
        let capped = plan_prune(&points, this_run, &Settings::keeping(policy).at_most(max), &Hold::default());
        prop_assert!(capped.deletions.len() <= max);
        prop_assert_eq!(&capped.deletions[..], &all.deletions[..capped.deletions.len()]);
        prop_assert_eq!(capped.deletions.len() + capped.backlog, all.deletions.len());
        prop_assert!(all.deletions.is_sorted_by_key(|deletion| deletion.slot));
        let next = all.deletions.get(capped.deletions.len());
        if let (Some(last), Some(next)) = (capped.deletions.last(), next) {
            prop_assert!(last.slot < next.slot, "a point is cut in two");
        }
        if let Some(next) = next {
            let whole = all.deletions.iter().filter(|deletion| deletion.slot == next.slot).count();
            prop_assert!(capped.deletions.len() + whole > max, "there was room for one more point");
        }
        let put_off: BTreeMap<Slot, bool> =
            capped.points.iter().map(|point| (point.slot, point.reasons.contains(&KeepReason::MaxPrune))).collect();
        for deletion in &all.deletions {
            prop_assert_eq!(put_off[&deletion.slot], !capped.deletions.contains(deletion));
        }
    }

    // The slot is the next hour's: a late delivery shields its own point for one run only.
    #[test]
    fn small_steps_end_where_one_large_step_does(
        Run { points, .. } in runs(), policy in policies(), spare in 0..4_usize,
    ) {
        let settings = Settings::keeping(policy);
        let next = Slot::parse("2099-01-01T00:00:00Z").expect("a slot");
        let step = largest(&points) + spare;
        let in_one = at_the_end(points.clone(), next, &settings);
        let in_steps = at_the_end(points, next, &settings.at_most(step));
        prop_assert_eq!(ids(&in_steps), ids(&in_one));
    }

    #[test]
    fn small_steps_delete_nothing_that_one_large_step_would_keep(
        Run { points, slot: this_run } in runs(), policy in policies(), spare in 0..4_usize,
    ) {
        let settings = Settings::keeping(policy);
        let step = largest(&points) + spare;
        let in_one = at_the_end(points.clone(), this_run, &settings);
        let in_steps = at_the_end(points, this_run, &settings.at_most(step));
        let lost: Vec<_> = ids(&in_one).difference(&ids(&in_steps)).cloned().collect();
        prop_assert_eq!(lost, []);
    }
}

#[test]
fn a_point_larger_than_max_prune_stops_pruning_and_says_so() {
    let points = [
        point("2026-11-23T02:00:00Z", &[Completed; 3]),
        point("2026-11-23T01:00:00Z", &[Completed; 1]),
        point("2026-11-21T00:00:00Z", &[Completed; 3]),
    ];
    let settings = Settings::retention("keep-last=1").at_most(2);
    let plan = plan_prune(&points, points[0].slot, &settings, &Hold::default());
    assert_eq!((plan.deletions.len(), plan.backlog), (0, 3));
    assert_eq!(
        plan.warnings,
        ["nothing can be pruned: the point of 2026-11-21T00:00:00Z has 3 snapshots to delete, more than MAX_PRUNE=2; \
          raise it"]
    );
}

#[test]
fn a_backlog_behind_deletions_is_no_reason_to_warn() {
    let points = [
        point("2026-11-23T02:00:00Z", &[Completed; 3]),
        point("2026-11-22T01:00:00Z", &[Completed; 3]),
        point("2026-11-21T00:00:00Z", &[Completed; 3]),
    ];
    let plan = plan_prune(&points, points[0].slot, &Settings::retention("keep-last=1").at_most(3), &Hold::default());
    assert_eq!((plan.deletions.len(), plan.backlog, plan.warnings.len()), (3, 3, 0));
}

/// A grown etcd cluster whose first volume still lists itself alone: only the failed snapshot tells of b and c. With it
/// gone, what is left would look like a whole point of one member, and the policy would judge it as one.
#[test]
fn deleting_a_failed_snapshot_makes_no_partial_point_complete() {
    let mut partial = point("2026-11-23T00:00:00Z", &[Completed, Error]);
    partial.snapshots[0].members.retain(|member| member.as_str() == "a");
    let points = [point("2026-11-23T01:00:00Z", &[Completed; 3]), partial];
    let settings = Settings::retention("keep-last=1");
    let next = Slot::parse("2026-11-23T02:00:00Z").expect("a slot");
    let left = without(&points, &gone(&plan_prune(&points, next, &settings, &Hold::default())));
    assert_eq!(left.iter().map(RecoveryPoint::state).collect::<Vec<_>>(), [PointState::Complete, PointState::Partial]);
    assert_eq!(plan_prune(&left, next, &settings, &Hold::default()).deletions, []);
}
