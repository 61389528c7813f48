//! What a run answers: outcome, points, members and the sentence of a failure.

use jiff::SignedDuration;

use super::super::{Action, MemberOutcome, Outcome, PointReport, Report, report_unobserved};
use super::fixtures::{our_snapshot, point};
use super::outcomes::{carried_out, reported, reported_as_planned};
use super::plans::{SLOT, planned, scheduled, three_volumes};
use crate::backup::Request;
use crate::recovery_point::PointState;
use crate::slot::Slot;
use crate::snapshot::SnapshotState::{Completed, Pending};
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// `a created snap-new-vol-a`, or `c failed -: <error>`.
fn members(point: &PointReport) -> Vec<String> {
    let words = |member: &super::super::MemberReport| {
        let name = member.member.as_ref().map_or("-", |member| member.as_str());
        let snapshot = member.snapshot.as_ref().map_or("-", |snapshot| snapshot.as_str());
        let action = match member.action {
            Action::Created => "created",
            Action::Existing => "existing",
            Action::Planned => "planned",
            Action::Failed => "failed",
        };
        let error = member.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        format!("{name} {action} {snapshot}{error}")
    };
    point.members.iter().map(words).collect()
}

/// A run in which the members of these numbers failed so.
fn with_failures(failures: &[(usize, &str)]) -> Report {
    let plan = scheduled(three_volumes(), Vec::new());
    let mut outcomes = carried_out(&plan);
    for (n, why) in failures {
        outcomes[0].members[*n] = MemberOutcome::Failed((*why).to_owned());
    }
    reported(&plan, &outcomes)
}

#[test]
fn a_run_that_took_all_succeeded() {
    let report = with_failures(&[]);
    assert_eq!((report.result.outcome, report.failure), (Outcome::Succeeded, None));
    assert_eq!(report.result.slot, Slot::parse(SLOT).expect("a slot"));
    let point = &report.result.recovery_points[0];
    assert_eq!((point.state, point.skew_ms), (PointState::Pending, Some(20)));
    assert_eq!(members(point), ["a created snap-new-vol-a", "b created snap-new-vol-b", "c created snap-new-vol-c"]);
    assert_eq!(report.result.kept_points, None);
}

#[test]
fn a_duplicate_delivery_finds_the_point_as_it_is() {
    for (states, expected) in
        [([Completed; 3], PointState::Complete), ([Completed, Pending, Completed], PointState::Pending)]
    {
        let plan = scheduled(three_volumes(), point(SLOT, &states).observed());
        let report = reported_as_planned(&plan);
        assert_eq!(report.result.outcome, Outcome::Succeeded);
        assert_eq!(report.result.recovery_points[0].state, expected);
        assert_eq!(members(&report.result.recovery_points[0])[0], format!("a existing snap-a-{SLOT}"));
    }
}

#[test]
fn a_dry_run_planned() {
    let request = Request { dry_run: true, ..Request::scheduled(SLOT) };
    let plan = planned(&request, three_volumes(), vec![our_snapshot(SLOT, "b", Pending).observed()]);
    let report =
        reported(&plan, &plan.etcd_clusters.iter().map(super::super::EtcdClusterOutcome::untried).collect::<Vec<_>>());
    assert_eq!((report.result.outcome, report.failure), (Outcome::Planned, None));
    assert_eq!(
        members(&report.result.recovery_points[0]),
        ["a planned -".to_owned(), format!("b existing snap-b-{SLOT}"), "c planned -".to_owned()]
    );
}

#[test]
fn a_dry_run_tells_findings_and_is_still_planned() {
    let request = Request { dry_run: true, ..Request::scheduled(SLOT).of_clusters(&["k8s.example.com", "gone"]) };
    let plan = planned(&request, vec![Volume::of_member("a").in_state(VolumeState::Error)], Vec::new());
    let report = reported(&plan, &[super::super::EtcdClusterOutcome::untried(&plan.etcd_clusters[0])]);
    assert_eq!((report.result.outcome, report.failure), (Outcome::Planned, None));
    assert!(report.result.recovery_points[0].members.iter().all(|member| member.action == Action::Failed));
    assert!(report.result.warnings.iter().any(|warning| warning.contains("cluster gone")));
}

#[test]
fn a_member_that_failed_makes_the_run_incomplete() {
    let report = with_failures(&[(2, "EC2 said no")]);
    assert_eq!(report.result.outcome, Outcome::Incomplete);
    let point = &report.result.recovery_points[0];
    assert_eq!((point.state, point.skew_ms), (PointState::Partial, Some(10)));
    assert_eq!(members(point)[2], "c failed -: EC2 said no");
    assert_eq!(
        report.failure.as_deref(),
        Some(
            "slot 2026-11-23T02:00:00Z: 1 of 3 members without a sound snapshot: member c of main of k8s.example.com: EC2 said no"
        )
    );
}

#[test]
fn a_point_of_nothing_is_partial_and_has_no_skew() {
    let report = with_failures(&[(0, "no"), (1, "no"), (2, "no")]);
    let point = &report.result.recovery_points[0];
    assert_eq!((point.state, point.skew_ms), (PointState::Partial, None));
}

#[test]
fn a_failure_names_three_causes_and_counts_the_rest() {
    let other = Volume::of_member("a").named("vol-o").tagged(tags::CLUSTER, "other").tagged("k8s.io/etcd/main", "?");
    let request = Request::scheduled(SLOT).of_clusters(&["k8s.example.com", "other", "third"]);
    let plan = planned(&request, three_volumes().into_iter().chain([other]).collect(), Vec::new());
    let mut outcomes = carried_out(&plan);
    for (n, why) in [(0, "first"), (1, "second")] {
        outcomes[0].members[n] = MemberOutcome::Failed(why.to_owned());
    }
    let report = reported(&plan, &outcomes);
    let failure = report.failure.expect("it failed");
    assert!(
        failure.starts_with(
            "slot 2026-11-23T02:00:00Z: 2 of 3 members without a sound snapshot: member a of main of k8s.example.com: first; \
             member b of main of k8s.example.com: second; member (unreadable) of main of other: volume vol-o: tag "
        ),
        "{failure}"
    );
    assert!(failure.ends_with("; and 1 more"), "{failure}");
    assert!(!failure.contains('\n'), "one sentence, one line");
}

#[test]
fn a_member_of_two_volumes_has_its_snapshot_and_failed() {
    let volumes = three_volumes()
        .into_iter()
        .chain([Volume::of_member("c").named("vol-c2").in_state(VolumeState::Available)])
        .collect();
    let report = reported_as_planned(&scheduled(volumes, Vec::new()));
    assert_eq!(report.result.outcome, Outcome::Incomplete);
    assert!(
        members(&report.result.recovery_points[0])[2].starts_with("c failed snap-new-vol-c: volumes vol-c, vol-c2")
    );
}

#[test]
fn a_named_cluster_that_is_not_found_fails_the_run_and_the_others_are_backed_up() {
    let request = Request::scheduled(SLOT).of_clusters(&["k8s.example.com", "gone"]);
    let report = reported_as_planned(&planned(&request, three_volumes(), Vec::new()));
    let not_found = "cluster gone has no etcd volumes; the name is that of the tag `KubernetesCluster`";
    assert_eq!(report.result.outcome, Outcome::Incomplete);
    assert_eq!(report.result.warnings, [not_found]);
    assert_eq!(report.failure, Some(format!("slot 2026-11-23T02:00:00Z: {not_found}")));
}

#[test]
fn a_skewed_point_is_told() {
    for (late, is_told) in [(5000, false), (5001, true)] {
        let plan = scheduled(three_volumes(), Vec::new());
        let mut outcomes = carried_out(&plan);
        if let MemberOutcome::Created(taken) = &mut outcomes[0].members[2] {
            taken.started = plan.slot.time() + SignedDuration::from_millis(late);
        }
        let expected = format!(
            "main of k8s.example.com: the point is skewed, its members' snapshots are {late} ms apart, more than 5000 ms"
        );
        let expected = if is_told { vec![expected] } else { Vec::new() };
        assert_eq!(reported(&plan, &outcomes).result.warnings, expected);
    }
}

#[test]
fn a_run_that_saw_nothing_is_incomplete() {
    let report = report_unobserved(Slot::parse(SLOT).expect("a slot"), "EC2 is down");
    assert_eq!(report.result.outcome, Outcome::Incomplete);
    assert_eq!(report.failure.as_deref(), Some("slot 2026-11-23T02:00:00Z: nothing was backed up: EC2 is down"));
}
