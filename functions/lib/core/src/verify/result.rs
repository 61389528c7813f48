//! The function's answer, as it leaves: its shape is part of the public contract.

use serde::Serialize;

use super::findings::Findings;
use crate::ids::{Cluster, EtcdCluster, Member, SnapshotId};
use crate::set::Set;
use crate::slot::Slot;
use crate::verdict::Verdict;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that was to be examined was.
    Verified,
    /// Not everything; the warnings say what is missing.
    Incomplete,
    /// A notification of what is no matter of ours.
    NothingToDo,
}

/// What was found of one recovery point: the answer to what is asked by hand or notified, and the detail of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifyResult {
    /// How it ended.
    pub outcome: Outcome,
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The point.
    pub recovery_point: Slot,
    /// The members that were examined.
    pub members: Vec<MemberReport>,
    /// In which order the members can be started together, or why that cannot be said.
    #[serde(flatten)]
    pub set: Set,
    /// How far apart the members really are; `null` unless two at least are restorable and of one etcd cluster.
    pub spread: Option<Spread>,
    /// The member to rebuild the etcd cluster from: of the restorable ones the one whose database goes furthest. `null`
    /// where there is none, and where others could not be compared with it.
    pub best_member: Option<Member>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

impl VerifyResult {
    /// The `detail-type` of the event that tells it: `Etcd Snapshot Corrupt` if a member is, `Etcd Snapshot Verified` if
    /// one is restorable; none where nothing was examined, or nothing could be said.
    #[must_use]
    pub fn event(&self) -> Option<&'static str> {
        let any = |is_one: fn(Verdict) -> bool| self.members.iter().any(|member| is_one(member.findings.verdict));
        if any(|verdict| verdict == Verdict::Corrupt) {
            Some("Etcd Snapshot Corrupt")
        } else {
            any(Verdict::is_restorable).then_some("Etcd Snapshot Verified")
        }
    }
}

/// What was found in one member's snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "documented at `Findings`")]
pub struct MemberReport {
    pub member: Member,
    pub snapshot: SnapshotId,
    #[serde(flatten)]
    pub findings: Findings,
}

/// The furthest member minus the one that is furthest behind: the true skew of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// In revisions of etcd.
    pub revisions: u64,
    /// In raft indexes, of the WALs' last entries.
    pub indexes: u64,
}

/// The answer to a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepResult {
    /// How it ended. A sweep that its deadline ended is whole: the next one goes on.
    pub outcome: Outcome,
    /// The points of which a member was examined, newest first.
    pub recovery_points: Vec<VerifyResult>,
    /// Snapshots that were never judged and are left to the next sweep.
    pub left: usize,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// The answer to a notification that is no matter of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NothingResult {
    /// `nothing-to-do`.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// The function's answer. That to a notification of a failed snapshot is a backup's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To what is asked by hand, or notified.
    Point(VerifyResult),
    /// To a scheduled event.
    Sweep(SweepResult),
    /// To [`super::VerifyPlan::Nothing`].
    Nothing(NothingResult),
}

impl Answer {
    /// Nothing was done, and why.
    #[must_use]
    pub fn nothing(reason: String) -> Self {
        Self::Nothing(NothingResult { outcome: Outcome::NothingToDo, reason })
    }

    /// What is to be told by an event each.
    #[must_use]
    pub fn points(&self) -> &[VerifyResult] {
        match self {
            Self::Point(point) => std::slice::from_ref(point),
            Self::Sweep(sweep) => &sweep.recovery_points,
            Self::Nothing(_) => &[],
        }
    }

    /// Adds what the operator should know of a run that examined something.
    pub fn warn(&mut self, warning: String) {
        match self {
            Self::Point(point) => point.warnings.push(warning),
            Self::Sweep(sweep) => sweep.warnings.push(warning),
            Self::Nothing(_) => {}
        }
    }
}
