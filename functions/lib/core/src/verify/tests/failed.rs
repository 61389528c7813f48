//! A notification that a snapshot failed.

use serde_json::json;

use super::super::{Request, VerifyPlan, plan};
use super::fixtures::{SLOT, id, now, observed, only, planned};
use crate::backup::Report;
use crate::backup::tests::fixtures::{our_snapshot, point};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Error, Pending};
use crate::tags;

fn failed(cause: Option<&str>) -> Request {
    Request::Failed { id: id(&format!("snap-b-{SLOT}")), cause: cause.map(str::to_owned) }
}

#[track_caller]
fn reported(request: &Request, snapshots: Vec<Snapshot>) -> Report {
    match planned(request, snapshots) {
        Ok(VerifyPlan::BackupFailed(report)) => *report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_told_as_a_run_would_have_told_it() {
    // EC2's listing still says `pending`.
    let report = reported(&failed(Some("the key is disabled")), vec![our_snapshot(SLOT, "b", Pending).observed()]);
    let error = format!("snapshot snap-b-{SLOT} ended in error: the key is disabled");
    assert_eq!(report.failure, Some(format!("slot {SLOT}: member b of main of k8s.example.com: {error}")));
    assert_eq!(report.metrics, []);
    let expected = json!({
        "outcome": "incomplete",
        "slot": SLOT,
        "recovery_points": [{
            "cluster": "k8s.example.com", "etcd_cluster": "main", "state": "partial", "skew_ms": null,
            "members": [{
                "member": "b", "zone": "eu-central-1b", "volume": "vol-b", "snapshot": format!("snap-b-{SLOT}"),
                "action": "failed", "error": error,
            }],
        }],
        "pruned": [], "kept": 0, "warnings": [],
    });
    assert_eq!(serde_json::to_value(&report.result).expect("JSON"), expected);
}

#[test]
fn the_cause_is_ec2s_word_wherever_it_says_one() {
    let mut one = our_snapshot(SLOT, "b", Error);
    let said = |request: &Request, snapshot: Snapshot| reported(request, vec![snapshot]).failure.expect("it failed");
    assert!(said(&failed(None), one.observed()).ends_with("ended in error: EC2 does not say why"));
    one.state_message = Some("no access to the key".to_owned());
    assert!(said(&failed(None), one.observed()).ends_with("ended in error: no access to the key"));
    assert!(said(&failed(Some("first")), one.observed()).ends_with("ended in error: first"));
}

#[test]
fn the_point_is_told_as_far_as_it_was_seen() {
    let report = reported(&failed(None), point(SLOT, &[Completed, Pending, Completed]).skewed_by_ms(41).observed());
    let told = &report.result.recovery_points[0];
    assert_eq!(
        (told.state, told.skew_ms, told.members.len()),
        (crate::recovery_point::PointState::Partial, Some(41), 1)
    );
}

#[test]
fn a_failure_that_is_none_of_ours_is_nothing_to_do() {
    let one = || our_snapshot(SLOT, "b", Error).observed();
    let mut other = our_snapshot(SLOT, "b", Completed);
    other.id = id("snap-other");
    for all in [
        Vec::new(),
        vec![one().without_tag(tags::RECOVERY_POINT)],
        vec![one().without_tag(tags::SNAPSHOT_CLUSTER)],
        vec![one(), other.observed()],
    ] {
        assert!(matches!(planned(&failed(None), all), Ok(VerifyPlan::Nothing(_))));
    }
    let elsewhere = plan(&observed(vec![one()]), &failed(None), &only("other"), now());
    assert!(matches!(elsewhere, Ok(VerifyPlan::Nothing(_))));
}
