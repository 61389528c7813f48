//! The answer to a plan, an apply and an undo, as it leaves: its shape is part of the public contract.

use serde::Serialize;

use super::acceptance::Acceptance;
use super::event::Event;
use super::refusal::Refusal;
use super::settings::VolumeSettings;
use crate::ids::{Cluster, EtcdCluster, Member, SnapshotId, VolumeId, Zone};
use crate::set::Set;
use crate::slot::Slot;
use crate::tags::Tags;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was changed.
    Planned,
    /// The volumes are the members', or, without cut-over, there.
    Applied,
    /// The old volumes are the members' again.
    Undone,
    /// It stopped on the way; only within an error's message.
    Interrupted,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreResult {
    /// How the run ended.
    pub outcome: Outcome,
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The recovery point; `null` of a foreign snapshot, and of an undo.
    pub recovery_point: Option<Slot>,
    /// How far apart the restored members' snapshots are, in milliseconds.
    pub skew_ms: Option<i128>,
    /// How the members can be started together, where that is a question.
    #[serde(flatten)]
    pub set: Option<Set>,
    /// Of a plan of several members: those of each stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<Vec<Member>>>,
    /// Of an apply: the stage that it tags, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// Of an apply: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_stages: Option<usize>,
    /// The members.
    pub members: Vec<MemberReport>,
    /// What is done, in order, and how far it is.
    pub steps: Vec<StepReport>,
    /// What the three programs do with the volumes; of a plan, what they will do. `null` where it was not reached, or
    /// nothing is cut over.
    pub acceptance: Option<Acceptance>,
    /// What stands in the way of a plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What the operator does, in order.
    pub next_steps: Vec<String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// The event that applies a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<Event>,
    /// The event of the next stage, to be sent when the members that are tagged are healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Event>,
    /// The event that takes a restore back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Event>,
}

/// A member in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberReport {
    /// The member.
    pub member: Member,
    /// What it is restored from.
    pub snapshot: Option<SnapshotId>,
    /// The account that owns the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where.
    pub zone: Option<Zone>,
    /// The volume that it had; of several the first, the steps name them all.
    pub old_volume: Option<VolumeId>,
    /// The volume that it gets.
    pub new_volume: Option<VolumeId>,
    /// The stage in which it is tagged, from 1; `null` of one that joins empty, and of an undo.
    pub stage: Option<usize>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// What is done.
    pub step: StepName,
    /// For which member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    /// To which volume; `null` while there is none.
    pub volume: Option<VolumeId>,
    /// Of a restore in two stages: of which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<usize>,
    /// How far it is.
    pub state: StepState,
    /// Of a volume that a plan would make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<VolumeSettings>,
    /// Those that a plan would give to a volume, or take from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// Make a volume of a snapshot.
    Create,
    /// Wait until it can be used.
    Wait,
    /// Take a volume's discovery tags and `Name` away, parking them on it.
    Retire,
    /// Give a volume the member's tags: kops' own to a new one, those that it had to an old one.
    Tag,
    /// See what protokube, etcd-manager and kops find.
    Accept,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Not done.
    Planned,
    /// Done by this run.
    Done,
    /// Found done.
    Already,
}
