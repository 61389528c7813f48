//! What a run answers about recovery points: what was deleted, what is left, and why.

use super::super::{BackupPlan, DeletionOutcome, EtcdClusterOutcome, MemberOutcome};
use super::fixtures::point;
use super::outcomes::{carried_out, reported, reported_as_planned};
use super::plans::{SLOT, planned, scheduled, three_volumes};
use crate::backup::Request;
use crate::recovery_point::RecoveryPoint;
use crate::retention::KeepReason::{KeepLast, NewestComplete, Pending as IsPending};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Error, Pending};

/// Three complete points, of which `keep-last=1` keeps the newest, and a failed try between them.
fn three_points_and_a_failed_one() -> Vec<Snapshot> {
    [
        point("2026-11-23T01:00:00Z", &[Completed; 3]),
        point("2026-11-23T00:00:00Z", &[Completed; 3]),
        point("2026-11-22T23:00:00Z", &[Error; 3]),
        point("2026-11-22T22:00:00Z", &[Completed; 3]),
    ]
    .iter()
    .flat_map(RecoveryPoint::observed)
    .collect()
}

fn plan_of_them() -> BackupPlan {
    scheduled(three_volumes(), three_points_and_a_failed_one())
}

#[test]
fn what_was_deleted_is_told_oldest_first_with_the_reason() {
    let pruned = reported_as_planned(&plan_of_them()).result.pruned;
    let words: Vec<String> = pruned
        .iter()
        .map(|gone| {
            format!("{} {}/{} {}: {}", gone.snapshot, gone.cluster, gone.etcd_cluster, gone.member, gone.reason)
        })
        .collect();
    assert_eq!(words.len(), 9);
    assert_eq!(words[0], "snap-a-2026-11-22T22:00:00Z k8s.example.com/main a: no rule keeps it");
    assert_eq!(
        words[3],
        "snap-a-2026-11-22T23:00:00Z k8s.example.com/main a: ended in error, a newer point is complete"
    );
    assert_eq!(pruned[8].recovery_point.to_string(), "2026-11-23T00:00:00Z");
}

#[test]
fn the_points_left_are_counted_with_the_runs_own() {
    assert_eq!(reported_as_planned(&plan_of_them()).result.kept, 2);
}

#[test]
fn a_run_that_took_nothing_has_no_point_of_its_own() {
    let plan = plan_of_them();
    let mut outcomes = carried_out(&plan);
    outcomes[0].members.fill(MemberOutcome::Failed("no".to_owned()));
    outcomes[0].deletions.fill(DeletionOutcome::NotTried);
    let result = reported(&plan, &outcomes).result;
    assert_eq!((result.kept, result.pruned.len()), (3, 0));
}

#[test]
fn a_point_that_was_there_is_not_counted_twice() {
    let mut snapshots = three_points_and_a_failed_one();
    snapshots.extend(point(SLOT, &[Pending; 2]).observed());
    assert_eq!(reported_as_planned(&scheduled(three_volumes(), snapshots)).result.kept, 2);
}

#[test]
fn a_failed_try_of_the_slot_becomes_a_point_once_it_is_taken_again() {
    let snapshots = point(SLOT, &[Error; 3]).observed();
    assert_eq!(reported_as_planned(&scheduled(three_volumes(), snapshots)).result.kept, 1);
}

#[test]
fn a_refused_deletion_is_a_warning_and_its_point_is_left() {
    let plan = plan_of_them();
    let mut outcomes = carried_out(&plan);
    outcomes[0].deletions[0] = DeletionOutcome::Refused("it is in use by ami-1".to_owned());
    let result = reported(&plan, &outcomes).result;
    assert_eq!(
        result.warnings.last().map(String::as_str),
        Some(
            "snapshot snap-a-2026-11-22T22:00:00Z (a of main of k8s.example.com, 2026-11-22T22:00:00Z) was not deleted: it \
             is in use by ami-1"
        )
    );
    assert_eq!((result.kept, result.pruned.len()), (3, 8));
}

#[test]
fn failed_snapshots_take_nothing_from_their_point() {
    let mut snapshots = point("2026-11-23T01:00:00Z", &[Completed; 3]).observed();
    snapshots.extend(point("2026-11-23T00:00:00Z", &[Completed, Error, Error]).observed());
    let result = reported_as_planned(&scheduled(three_volumes(), snapshots)).result;
    assert_eq!((result.kept, result.pruned.len()), (3, 2), "both points and the run's own");
}

#[test]
fn points_of_an_etcd_cluster_that_is_gone_are_counted() {
    let plan = scheduled(Vec::new(), point("2026-10-01T00:00:00Z", &[Completed; 3]).observed());
    let report = reported_as_planned(&plan);
    assert_eq!((report.result.kept, report.result.recovery_points.len(), report.metrics.len()), (1, 0, 0));
}

#[test]
fn a_dry_run_lists_what_would_stay_and_why() {
    let request = Request { dry_run: true, ..Request::scheduled(SLOT) };
    let mut snapshots = three_points_and_a_failed_one();
    snapshots.extend(point("2026-11-22T21:00:00Z", &[Completed, Pending, Completed]).observed());
    let plan = planned(&request, three_volumes(), snapshots);
    let outcomes: Vec<_> = plan.etcd_clusters.iter().map(EtcdClusterOutcome::untried).collect();
    let result = reported(&plan, &outcomes).result;
    assert_eq!(result.pruned.len(), 9);
    let kept: Vec<_> = result
        .kept_points
        .expect("a dry run lists them")
        .into_iter()
        .map(|kept| (kept.recovery_point.to_string(), kept.reasons))
        .collect();
    assert_eq!(
        kept,
        [
            ("2026-11-23T01:00:00Z".to_owned(), vec![KeepLast, NewestComplete]),
            ("2026-11-22T21:00:00Z".to_owned(), vec![IsPending]),
        ]
    );
    assert_eq!(result.kept, 2);
}
