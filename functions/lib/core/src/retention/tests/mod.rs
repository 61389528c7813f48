//! Judgements, checked against tables worked out by hand from restic's rules and against a second statement of them.

mod calendar_borders;
mod counts;
pub(crate) mod policies;
mod protections;
mod restic;
mod spans;
mod verdicts;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{KeepReason, Policy, judge};
use crate::backup::tests::fixtures::point;
use crate::recovery_point::RecoveryPoint;
use crate::snapshot::SnapshotState::Completed;

/// `2026-11-23 02:00`, in UTC: the tables are read by people.
fn utc(minute: &str) -> String {
    format!("{}:00Z", minute.replace(' ', "T"))
}

fn complete(minute: &str) -> RecoveryPoint {
    point(&utc(minute), &[Completed; 3])
}

/// Why restic's rules alone keep each of the points, given newest first.
fn kept_by_rules(points: &[RecoveryPoint], policy: &Policy) -> Vec<BTreeSet<KeepReason>> {
    let is_rule = |reason: &KeepReason| *reason <= KeepReason::KeepWithin;
    let points: Vec<&RecoveryPoint> = points.iter().collect();
    judge(&points, policy)
        .into_iter()
        .map(|judgement| judgement.reasons.into_iter().filter(is_rule).collect())
        .collect()
}

/// A policy's judgements of complete points at these minutes, newest first: ours and the second statement's.
#[track_caller]
fn assert_judged(policy: &str, expected: &[(&str, &[KeepReason])]) {
    let parsed = Policy::parse(policy).expect("a policy");
    let points: Vec<RecoveryPoint> = expected.iter().map(|(minute, _)| complete(minute)).collect();
    let times: Vec<Timestamp> = points.iter().map(|point| point.slot.time()).collect();
    let judged = kept_by_rules(&points, &parsed);
    let restated = restic::kept(&times, &parsed);
    for (n, (minute, reasons)) in expected.iter().enumerate() {
        let reasons: BTreeSet<KeepReason> = reasons.iter().copied().collect();
        assert_eq!(judged[n], reasons, "{policy}: {minute}");
        assert_eq!(restated[n], reasons, "the restatement itself, {policy}: {minute}");
    }
}
