//! What is deleted, and why everything else stays.

use std::collections::BTreeSet;
use std::fmt;

use jiff::SignedDuration;

use super::request::Settings;
use crate::ids::{Member, SnapshotId};
use crate::recovery_point::{PointState, RecoveryPoint, SHRUNK_FOR};
use crate::retention::{KeepReason, judge};
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, SnapshotState};

/// How much older than the newest complete point that is not corrupt a partial one must be to go.
const PARTIAL_GOES_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Why a snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneReason {
    /// Its complete point is kept by no rule.
    NoRuleKeepsIt,
    /// Its point has a better one of the same member.
    Surplus,
    /// It failed, and there is a newer complete point that is not corrupt.
    Failed,
    /// Its point never became complete.
    Partial,
}

impl fmt::Display for PruneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRuleKeepsIt => "no rule keeps it",
            Self::Surplus => "surplus: its point has a set of smaller skew",
            Self::Failed => "ended in error, a newer point is complete",
            Self::Partial => "its point never became complete and is a day older than one that did",
        })
    }
}

/// One snapshot to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Its recovery point.
    pub slot: Slot,
    /// Its member.
    pub member: Member,
    /// Why it goes.
    pub reason: PruneReason,
}

/// One recovery point, and why what is left of it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPoint {
    /// The point's time.
    pub slot: Slot,
    /// How many good snapshots it has now.
    pub snapshots: usize,
    /// Why it stays; empty if it goes.
    pub reasons: BTreeSet<KeepReason>,
}

/// What one etcd cluster's pruning does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrunePlan {
    /// What goes, oldest point first.
    pub deletions: Vec<Deletion>,
    /// How many snapshots would go but for `MAX_PRUNE`.
    pub backlog: usize,
    /// All points, newest first.
    pub points: Vec<PlannedPoint>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// What holds pruning back.
#[derive(Debug, Default)]
pub(super) struct Hold<'a> {
    /// Why nothing at all is deleted, if so.
    pub(super) paused: Option<KeepReason>,
    /// The snapshots of which a restore has made volumes that it has not finished with: their points stay whole.
    pub(super) restored_from: BTreeSet<&'a SnapshotId>,
    /// The snapshots that nobody can delete until their lock expires: their points stay whole.
    pub(super) locked: BTreeSet<&'a SnapshotId>,
}

/// Plans the pruning of one etcd cluster's points, given newest first. `this_run` is the slot that the run works on.
pub(super) fn plan_prune(points: &[RecoveryPoint], this_run: Slot, settings: &Settings, hold: &Hold<'_>) -> PrunePlan {
    let complete: Vec<&RecoveryPoint> = points.iter().filter(|point| point.state() == PointState::Complete).collect();
    let newest_complete = complete.iter().find(|point| point.counts()).map(|point| point.slot);
    let judgements = judge(&complete, &settings.policy);
    let mut plan = PrunePlan::default();
    let mut going: Vec<Vec<Deletion>> = Vec::new();
    for point in points {
        let mut reasons = judgements
            .iter()
            .find(|judgement| judgement.slot == point.slot)
            .map_or_else(|| why_incomplete_stays(point, newest_complete), |judgement| judgement.reasons.clone());
        if point.is_pinned() {
            reasons.insert(KeepReason::Pinned);
        }
        if point.slot == this_run {
            reasons.insert(KeepReason::ThisRun);
        }
        if is_acceptance(point, points) {
            reasons.insert(KeepReason::AcceptsMembers);
        }
        if point.snapshots.iter().any(|snapshot| hold.restored_from.contains(&snapshot.id)) {
            reasons.insert(KeepReason::RestoreUnderWay);
        }
        if point.snapshots.iter().any(|snapshot| hold.locked.contains(&snapshot.id)) {
            reasons.insert(KeepReason::Locked);
        }
        let mut deletions = deletions(point, &reasons, newest_complete);
        if let Some(paused) = hold.paused
            && !deletions.is_empty()
        {
            // What somebody brought about must not stop pruning in silence: the backlog has an alarm.
            if matches!(paused, KeepReason::DoubtfulSnapshots | KeepReason::LocksUnknown) {
                plan.backlog += deletions.len();
            }
            deletions.clear();
            reasons.insert(paused);
        }
        if deletions.is_empty() && reasons.is_empty() {
            reasons.insert(KeepReason::NotDeletable);
        }
        let snapshots = point.snapshots.iter().filter(|snapshot| snapshot.state.is_good()).count();
        plan.points.push(PlannedPoint { slot: point.slot, snapshots, reasons });
        going.push(deletions);
    }
    cap(&mut plan, going, settings.max_prune);
    plan
}

/// Whether it is by this point that fewer members are believed than a point of the seven days before has: without it, those
/// after it would be shrunk again.
fn is_acceptance(point: &RecoveryPoint, points: &[RecoveryPoint]) -> bool {
    let members = point.expected().len();
    let is_before = |one: &RecoveryPoint| one.slot < point.slot && point.slot.since(one.slot) < SHRUNK_FOR;
    point.snapshots.iter().any(|snapshot| snapshot.accepts_members)
        && point.state() == PointState::Complete
        && points.iter().any(|one| is_before(one) && one.expected().len() > members)
}

fn why_incomplete_stays(point: &RecoveryPoint, newest_complete: Option<Slot>) -> BTreeSet<KeepReason> {
    let reason = match newest_complete {
        _ if point.state() == PointState::Pending => Some(KeepReason::Pending),
        None => Some(KeepReason::NoCompletePoint),
        Some(newest) if newest.since(point.slot) < PARTIAL_GOES_AFTER => Some(KeepReason::RecentPartial),
        Some(_) => None,
    };
    reason.into_iter().collect()
}

/// What goes of one point. Pending snapshots never do.
fn deletions(point: &RecoveryPoint, reasons: &BTreeSet<KeepReason>, newest_complete: Option<Slot>) -> Vec<Deletion> {
    const WHOLE: [KeepReason; 5] = [
        KeepReason::Pinned,
        KeepReason::Locked,
        KeepReason::ThisRun,
        KeepReason::RestoreUnderWay,
        KeepReason::AcceptsMembers,
    ];
    if WHOLE.iter().any(|reason| reasons.contains(reason)) {
        return Vec::new();
    }
    let complete = point.state() == PointState::Complete;
    let chosen: BTreeSet<&SnapshotId> = point.chosen().values().map(|snapshot| &snapshot.id).collect();
    // What is still pending may yet belong to a closer set; where the set is corrupt, or of several volumes, what is
    // surplus may be what is sound.
    let settled = point.counts() && point.snapshots.iter().all(|snapshot| snapshot.state != SnapshotState::Pending);
    let is_surplus = |snapshot: &OurSnapshot| settled && !chosen.contains(&snapshot.id);
    // The failed snapshots' tags may be all that names further members: without them the rest could pass for complete.
    let mut not_failed = point.clone();
    not_failed.snapshots.retain(|snapshot| snapshot.state != SnapshotState::Error);
    let failed_tell = !not_failed.snapshots.is_empty() && not_failed.state() != point.state();
    let why = |snapshot: &OurSnapshot| match snapshot.state {
        SnapshotState::Pending | SnapshotState::Other => None,
        SnapshotState::Error if !reasons.is_empty() && failed_tell => None,
        SnapshotState::Error => newest_complete.filter(|newest| *newest > point.slot).map(|_| PruneReason::Failed),
        SnapshotState::Completed if !reasons.is_empty() => is_surplus(snapshot).then_some(PruneReason::Surplus),
        SnapshotState::Completed if complete => Some(PruneReason::NoRuleKeepsIt),
        SnapshotState::Completed => Some(PruneReason::Partial),
    };
    let deletion = |snapshot: &OurSnapshot| {
        Some(Deletion {
            snapshot: snapshot.id.clone(),
            slot: point.slot,
            member: snapshot.lineage.member.clone(),
            reason: why(snapshot)?,
        })
    };
    point.snapshots.iter().filter_map(deletion).collect()
}

/// Takes whole points, oldest first, up to the cap. The first that does not fit ends it: a younger one never goes
/// before an older one.
fn cap(plan: &mut PrunePlan, going: Vec<Vec<Deletion>>, max_prune: usize) {
    for (planned, deletions) in plan.points.iter_mut().zip(going).rev() {
        if deletions.is_empty() {
            continue;
        }
        if plan.backlog == 0 && plan.deletions.len() + deletions.len() <= max_prune {
            plan.deletions.extend(deletions);
            continue;
        }
        if plan.deletions.is_empty() && plan.backlog == 0 {
            plan.warnings.push(format!(
                "nothing can be pruned: the point of {} has {} snapshots to delete, more than MAX_PRUNE={max_prune}; \
                 raise it",
                planned.slot,
                deletions.len()
            ));
        }
        plan.backlog += deletions.len();
        planned.reasons.insert(KeepReason::MaxPrune);
    }
}
