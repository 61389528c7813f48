//! The report of a run: what the function answers, from the plan and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::metrics::EtcdClusterMetrics;
use super::plan::{BackupPlan, EtcdClusterPlan, MemberPlan, Step, Taken};
use super::prune::{Deletion, PruneReason};
use super::result::{Action, BackupResult, KeptPoint, MemberReport, Outcome, PointReport, PrunedReport};
use crate::ids::{EtcdClusterId, Member};
use crate::recovery_point::{PointState, skew};
use crate::slot::Slot;
use crate::snapshot::SnapshotState;

/// What became of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberOutcome {
    /// Not tried: it is a dry run, or a finding stands in the way.
    Planned,
    /// The slot already had it.
    Existing(Taken),
    /// Taken by this run.
    Created(Taken),
    /// Not taken, and why.
    Failed(String),
}

/// What became of one deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionOutcome {
    /// The snapshot is gone.
    Deleted,
    /// EC2 would not, and why.
    Refused(String),
    /// Not tried: a member failed, the deadline was near, or it is a dry run.
    NotTried,
}

/// What became of one etcd cluster's plan: one outcome for each member and each deletion, in the plan's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdClusterOutcome {
    /// The members'.
    pub members: Vec<MemberOutcome>,
    /// The deletions'.
    pub deletions: Vec<DeletionOutcome>,
}

impl EtcdClusterOutcome {
    /// What becomes of a plan that is not carried out.
    #[must_use]
    pub fn untried(plan: &EtcdClusterPlan) -> Self {
        let member = |member: &MemberPlan| match &member.step {
            Step::Existing(taken) => MemberOutcome::Existing(taken.clone()),
            Step::Create(_) | Step::Nothing => MemberOutcome::Planned,
        };
        Self {
            members: plan.members.iter().map(member).collect(),
            deletions: vec![DeletionOutcome::NotTried; plan.prune.deletions.len()],
        }
    }
}

/// A run's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The answer.
    pub result: BackupResult,
    /// One sentence, with the counts and the first causes, if the run is incomplete.
    pub failure: Option<String>,
    /// The figures, of each etcd cluster that is expected to have volumes.
    pub metrics: Vec<EtcdClusterMetrics>,
    /// How many snapshots bear our mark and are not to be trusted.
    pub doubtful: usize,
}

/// Reports a run. `outcomes` are those of the plan's etcd clusters, in its order.
#[must_use]
pub fn report(plan: &BackupPlan, outcomes: &[EtcdClusterOutcome], max_skew: SignedDuration, now: Timestamp) -> Report {
    let mut result = BackupResult {
        outcome: if plan.dry_run { Outcome::Planned } else { Outcome::Succeeded },
        slot: plan.slot,
        recovery_points: Vec::new(),
        pruned: Vec::new(),
        kept: 0,
        kept_points: plan.dry_run.then(Vec::new),
        warnings: plan.warnings.clone(),
    };
    let mut metrics = Vec::new();
    for (planned, outcome) in plan.etcd_clusters.iter().zip(outcomes) {
        let point = point_report(planned, outcome);
        add_prune(&mut result, plan, planned, outcome);
        if planned.members.is_empty() {
            continue;
        }
        let limit = max_skew.as_millis();
        if let Some(skew_ms) = point.skew_ms.filter(|skew_ms| *skew_ms > limit) {
            result.warnings.push(format!(
                "{}: the point is skewed, its members' snapshots are {skew_ms} ms apart, more than {limit} ms",
                planned.of
            ));
        }
        metrics.push(EtcdClusterMetrics::of(planned, outcome, &point, now));
        result.recovery_points.push(point);
    }
    result.warnings.extend(plan.not_found.iter().cloned());
    let failure = failure(plan, &result);
    if failure.is_some() && !plan.dry_run {
        result.outcome = Outcome::Incomplete;
    }
    Report { failure: failure.filter(|_| !plan.dry_run), result, metrics, doubtful: plan.doubtful }
}

/// Reports a run that could not even see what is there. Nothing was done.
#[must_use]
pub fn report_unobserved(slot: Slot, why: &str) -> Report {
    let result = BackupResult {
        outcome: Outcome::Incomplete,
        slot,
        recovery_points: Vec::new(),
        pruned: Vec::new(),
        kept: 0,
        kept_points: None,
        warnings: Vec::new(),
    };
    Report {
        result,
        failure: Some(format!("slot {slot}: nothing was backed up: {why}")),
        metrics: Vec::new(),
        doubtful: 0,
    }
}

fn point_report(planned: &EtcdClusterPlan, outcome: &EtcdClusterOutcome) -> PointReport {
    let taken: Vec<&Taken> = outcome.members.iter().filter_map(MemberOutcome::taken).collect();
    let state = if taken.is_empty() || taken.len() < planned.members.len() {
        PointState::Partial
    } else if taken.iter().all(|taken| taken.state == SnapshotState::Completed) {
        PointState::Complete
    } else {
        PointState::Pending
    };
    PointReport {
        cluster: planned.of.cluster.clone(),
        etcd_cluster: planned.of.etcd_cluster.clone(),
        state,
        skew_ms: skew(taken.iter().map(|taken| taken.started)).map(|skew| skew.as_millis()),
        members: planned
            .members
            .iter()
            .zip(&outcome.members)
            .map(|(plan, outcome)| member_report(plan, outcome))
            .collect(),
    }
}

impl MemberOutcome {
    fn taken(&self) -> Option<&Taken> {
        match self {
            Self::Existing(taken) | Self::Created(taken) => Some(taken),
            Self::Planned | Self::Failed(_) => None,
        }
    }
}

fn member_report(plan: &MemberPlan, outcome: &MemberOutcome) -> MemberReport {
    let (action, error) = match outcome {
        MemberOutcome::Failed(error) => (Action::Failed, Some(error.clone())),
        _ if plan.finding.is_some() => (Action::Failed, plan.finding.as_ref().map(ToString::to_string)),
        MemberOutcome::Planned => (Action::Planned, None),
        MemberOutcome::Existing(_) => (Action::Existing, None),
        MemberOutcome::Created(_) => (Action::Created, None),
    };
    MemberReport {
        member: plan.member.clone(),
        zone: plan.zone.clone(),
        volume: plan.volume.clone(),
        snapshot: outcome.taken().map(|taken| taken.snapshot.clone()),
        action,
        error,
    }
}

fn add_prune(result: &mut BackupResult, plan: &BackupPlan, planned: &EtcdClusterPlan, outcome: &EtcdClusterOutcome) {
    let EtcdClusterId { cluster, etcd_cluster } = &planned.of;
    let mut gone: Vec<&Deletion> = Vec::new();
    for (deletion, outcome) in planned.prune.deletions.iter().zip(&outcome.deletions) {
        match outcome {
            DeletionOutcome::Refused(why) => result.warnings.push(format!(
                "snapshot {} ({} of {}, {}) was not deleted: {why}",
                deletion.snapshot, deletion.member, planned.of, deletion.slot
            )),
            DeletionOutcome::NotTried if !plan.dry_run => {}
            DeletionOutcome::Deleted | DeletionOutcome::NotTried => gone.push(deletion),
        }
    }
    for point in &planned.prune.points {
        // Failed snapshots never made up a point; that they go takes nothing from it.
        let of_point = |deletion: &&&Deletion| deletion.slot == point.slot && deletion.reason != PruneReason::Failed;
        if point.snapshots <= gone.iter().filter(of_point).count() {
            continue;
        }
        result.kept += 1;
        if let Some(kept_points) = &mut result.kept_points {
            kept_points.push(KeptPoint {
                cluster: cluster.clone(),
                etcd_cluster: etcd_cluster.clone(),
                recovery_point: point.slot,
                reasons: point.reasons.iter().copied().collect(),
            });
        }
    }
    let is_new = !planned.prune.points.iter().any(|point| point.slot == plan.slot && point.snapshots > 0);
    if is_new && outcome.members.iter().any(|member| matches!(member, MemberOutcome::Created(_))) {
        result.kept += 1;
    }
    result.pruned.extend(gone.into_iter().map(|deletion| PrunedReport {
        snapshot: deletion.snapshot.clone(),
        recovery_point: deletion.slot,
        cluster: cluster.clone(),
        etcd_cluster: etcd_cluster.clone(),
        member: deletion.member.clone(),
        reason: deletion.reason.to_string(),
    }));
}

/// One sentence: how many members failed, and the first causes, those first that nobody brings about by a tag.
fn failure(plan: &BackupPlan, result: &BackupResult) -> Option<String> {
    let reported: BTreeMap<_, _> =
        result.recovery_points.iter().map(|point| ((&point.cluster, &point.etcd_cluster), point)).collect();
    let mut failures: Vec<Failure<'_>> = Vec::new();
    let mut expected = BTreeSet::new();
    for planned in &plan.etcd_clusters {
        let Some(point) = reported.get(&(&planned.of.cluster, &planned.of.etcd_cluster)) else { continue };
        for (plan, member) in planned.members.iter().zip(&point.members) {
            expected.extend(member.member.as_ref().map(|member| (&planned.of, member)));
            if member.action == Action::Failed {
                failures.push(Failure { of: &planned.of, plan, point, member });
            }
        }
    }
    failures.sort_by_key(Failure::rank);
    let mut causes: Vec<String> = failures.iter().map(|failure| cause(failure.point, failure.member)).collect();
    causes.extend(plan.not_found.iter().cloned());
    if causes.is_empty() {
        return None;
    }
    let more = causes.len().saturating_sub(3);
    causes.truncate(3);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    // A volume whose tag does not say its member is a cause, and the member is counted where it is expected.
    let failed: BTreeSet<_> =
        failures.iter().filter_map(|failure| Some((failure.of, failure.member.member.as_ref()?))).collect();
    let counts = if failed.is_empty() {
        String::new()
    } else {
        format!("{} of {} members without a sound snapshot: ", failed.len(), expected.len())
    };
    Some(format!("slot {}: {counts}{}{more}", plan.slot, causes.join("; ")))
}

/// A member that failed.
struct Failure<'a> {
    of: &'a EtcdClusterId,
    plan: &'a MemberPlan,
    point: &'a PointReport,
    member: &'a MemberReport,
}

impl Failure<'_> {
    /// A member that the recovery points know comes first.
    fn rank(&self) -> (bool, u8) {
        (!self.plan.known, self.plan.finding.as_ref().map_or(1, Finding::rank))
    }
}

/// Why a member failed, for people.
#[must_use]
pub fn cause(point: &PointReport, member: &MemberReport) -> String {
    let name = member.member.as_ref().map_or("(unreadable)", Member::as_str);
    let error = member.error.as_deref().unwrap_or_default();
    format!("member {name} of {} of {}: {error}", point.etcd_cluster, point.cluster)
}
