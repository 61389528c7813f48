//! The figures of a run.

use jiff::SignedDuration;

use super::super::{BackupPlan, DeletionOutcome, EtcdClusterMetrics, MemberOutcome, Request, Settings, plan};
use super::fixtures::point;
use super::outcomes::{carried_out, reported, reported_as_planned};
use super::plans::{NOW, SLOT, scheduled, three_volumes};
use crate::backup::Observed;
use crate::recovery_point::RecoveryPoint;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Pending};
use crate::volume::Volume;

fn of(plan: &BackupPlan) -> EtcdClusterMetrics {
    reported_as_planned(plan).metrics.swap_remove(0)
}

fn points(slots: &[&str]) -> Vec<Snapshot> {
    slots.iter().flat_map(|slot| point(slot, &[Completed; 3]).observed()).collect()
}

#[test]
fn a_run_counts_what_it_did() {
    let snapshots = points(&["2026-11-23T01:00:00Z", "2026-11-23T00:00:00Z", "2026-11-22T23:00:00Z"]);
    let metrics = of(&scheduled(three_volumes(), snapshots));
    assert_eq!((metrics.created, metrics.failed, metrics.missing), (3, 0, 0));
    assert_eq!((metrics.pruned, metrics.backlog), (6, 0));
    assert_eq!(metrics.skew_ms, Some(20));
}

#[test]
fn the_backlog_is_what_should_be_gone_and_is_not() {
    let observed = Observed {
        volumes: three_volumes(),
        snapshots: points(&["2026-11-23T01:00:00Z", "2026-11-23T00:00:00Z", "2026-11-22T23:00:00Z"]),
        ..Observed::default()
    };
    let settings = Settings::retention("keep-last=1").at_most(4);
    let plan = plan(&observed, &Request::scheduled(SLOT), &settings, NOW.parse().expect("a time"));
    let mut outcomes = carried_out(&plan);
    outcomes[0].deletions[0] = DeletionOutcome::Refused("no".to_owned());
    outcomes[0].deletions[1] = DeletionOutcome::NotTried;
    let metrics = reported(&plan, &outcomes).metrics.swap_remove(0);
    assert_eq!((metrics.pruned, metrics.backlog), (1, 5), "three over MAX_PRUNE, one refused, one not tried");
}

#[test]
fn a_failed_call_and_a_missing_volume_both_fail_and_only_one_is_missing() {
    let plan = scheduled(vec![Volume::of_member("a"), Volume::of_member("b")], Vec::new());
    let mut outcomes = carried_out(&plan);
    outcomes[0].members[0] = MemberOutcome::Failed("no".to_owned());
    let metrics = reported(&plan, &outcomes).metrics.swap_remove(0);
    assert_eq!((metrics.created, metrics.failed, metrics.missing), (1, 2, 1));
}

#[test]
fn the_age_is_that_of_the_newest_complete_point() {
    let mut snapshots = points(&["2026-11-22T23:00:00Z", "2026-11-20T00:00:00Z"]);
    snapshots.extend(point("2026-11-23T01:00:00Z", &[Completed, Pending, Completed]).observed());
    let metrics = of(&scheduled(three_volumes(), snapshots));
    assert_eq!(metrics.age, Some(SignedDuration::from_secs(3 * 3600 + 40)));
}

#[test]
fn a_corrupt_point_does_not_hide_the_age_of_the_others() {
    let with_newest = |newest: RecoveryPoint| {
        let snapshots = newest.observed().into_iter().chain(points(&["2026-11-22T23:00:00Z"])).collect();
        of(&scheduled(three_volumes(), snapshots)).age
    };
    let newest = || point("2026-11-23T01:00:00Z", &[Completed; 3]);
    assert_eq!(with_newest(newest().corrupt()), Some(SignedDuration::from_secs(3 * 3600 + 40)));
    for sound in [newest(), newest().verified(), newest().found("a", "degraded"), newest().found("a", "unsupported")] {
        assert_eq!(with_newest(sound), Some(SignedDuration::from_secs(3600 + 40)));
    }
}

#[test]
fn where_all_points_are_corrupt_the_age_is_that_of_the_oldest_volume() {
    let mut volumes = three_volumes();
    for volume in &mut volumes {
        volume.created = "2026-11-22T02:00:40Z".parse().expect("a time");
    }
    let metrics = of(&scheduled(volumes, point("2026-11-23T01:00:00Z", &[Completed; 3]).corrupt().observed()));
    assert_eq!(metrics.age, Some(SignedDuration::from_hours(24)));
}

#[test]
fn the_age_without_a_complete_point_is_that_of_the_oldest_volume() {
    let mut volumes = three_volumes();
    volumes[1].created = "2026-11-22T02:00:40Z".parse().expect("a time");
    volumes[0].created = "2026-11-23T02:00:00Z".parse().expect("a time");
    volumes[2].created = "2026-11-23T02:00:00Z".parse().expect("a time");
    let metrics = of(&scheduled(volumes, point("2026-11-23T01:00:00Z", &[Completed, Pending, Completed]).observed()));
    assert_eq!(metrics.age, Some(SignedDuration::from_hours(24)));
}

#[test]
fn a_cluster_whose_volumes_are_gone_still_ages() {
    let metrics = of(&scheduled(Vec::new(), points(&["2026-11-23T00:00:40Z"])));
    assert_eq!(metrics.age, Some(SignedDuration::from_hours(2)));
    assert_eq!((metrics.created, metrics.failed, metrics.missing), (0, 3, 3));
    assert_eq!(metrics.skew_ms, None);
}

#[test]
fn a_point_of_the_future_does_not_hide_the_age_of_the_others() {
    let future = points(&["2096-11-23T02:00:00Z"]).into_iter().map(|one| one.started_at("2026-11-23T02:00:00Z"));
    let all = future.chain(points(&["2026-11-23T00:00:40Z"])).collect();
    let metrics = of(&scheduled(three_volumes(), all));
    assert_eq!(metrics.age, Some(SignedDuration::from_hours(2)));
}
