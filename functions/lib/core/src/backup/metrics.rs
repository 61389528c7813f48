//! The figures of a run, per etcd cluster.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::plan::{EtcdClusterPlan, MemberPlan, Step};
use super::report::{DeletionOutcome, EtcdClusterOutcome, MemberOutcome};
use super::result::{Action, MemberReport, PointReport};
use crate::ids::EtcdClusterId;
use crate::slot::Slot;

/// What the metrics of one etcd cluster say after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdClusterMetrics {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// Snapshots that this run took.
    pub created: usize,
    /// Members that ended the run without a sound snapshot.
    pub failed: usize,
    /// Snapshots that this run deleted.
    pub pruned: usize,
    /// Snapshots that should be gone and are not: over `MAX_PRUNE`, refused, or left undone.
    pub backlog: usize,
    /// Expected members without a volume that could be snapshotted.
    pub missing: usize,
    /// Since the newest complete point that was not found corrupt, or since the oldest volume was made where there is none.
    pub age: Option<SignedDuration>,
    /// Since the newest verified point, or since the oldest volume was made where there is none.
    pub verified_age: Option<SignedDuration>,
    /// Skew of this run's point.
    pub skew_ms: Option<i128>,
}

impl EtcdClusterMetrics {
    pub(super) fn of(
        plan: &EtcdClusterPlan,
        outcome: &EtcdClusterOutcome,
        point: &PointReport,
        now: Timestamp,
    ) -> Self {
        let created = outcome.members.iter().filter(|member| matches!(member, MemberOutcome::Created(_))).count();
        let pruned = outcome.deletions.iter().filter(|deletion| **deletion == DeletionOutcome::Deleted).count();
        let expected = || plan.members.iter().zip(&point.members).filter(|(planned, _)| planned.member.is_some());
        let age = |newest: Option<Slot>| {
            let since = newest.map(Slot::time).or(plan.oldest_volume)?;
            Some(now.duration_since(since).max(SignedDuration::ZERO))
        };
        Self {
            of: plan.of.clone(),
            created,
            failed: members(expected().filter(|(_, reported)| reported.action == Action::Failed)),
            pruned,
            backlog: plan.prune.backlog + plan.prune.deletions.len() - pruned,
            missing: members(expected().filter(|(planned, _)| planned.step == Step::Nothing)),
            age: age(plan.newest_complete),
            verified_age: age(plan.newest_verified),
            skew_ms: point.skew_ms,
        }
    }
}

/// How many members: several volumes may claim one.
fn members<'a>(of: impl Iterator<Item = (&'a MemberPlan, &'a MemberReport)>) -> usize {
    of.map(|(planned, _)| &planned.member).collect::<BTreeSet<_>>().len()
}
