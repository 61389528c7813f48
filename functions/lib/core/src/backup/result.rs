//! The function's answer, as it leaves: its shape is part of the public contract.

use serde::Serialize;

use crate::ids::{Cluster, EtcdCluster, Member, SnapshotId, VolumeId, Zone};
use crate::recovery_point::PointState;
use crate::retention::KeepReason;
use crate::slot::Slot;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every expected member has its snapshot.
    Succeeded,
    /// A dry run.
    Planned,
    /// At least one has not; the invocation fails with this result in its message.
    Incomplete,
}

/// The function's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupResult {
    /// How the run ended.
    pub outcome: Outcome,
    /// The slot it worked on.
    pub slot: Slot,
    /// The slot's recovery point of each etcd cluster.
    pub recovery_points: Vec<PointReport>,
    /// Snapshots deleted; of a dry run, those that would be.
    pub pruned: Vec<PrunedReport>,
    /// Recovery points that are there after the run.
    pub kept: usize,
    /// Why each of them is, in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_points: Option<Vec<KeptPoint>>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// A recovery point in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PointReport {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// How far the point is.
    pub state: PointState,
    /// Its skew in milliseconds; `null` if it has no snapshot.
    pub skew_ms: Option<i128>,
    /// Its members.
    pub members: Vec<MemberReport>,
}

/// A member in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberReport {
    /// The member; `null` where its volume's tag cannot be read.
    pub member: Option<Member>,
    /// The volume's zone.
    pub zone: Option<Zone>,
    /// The volume.
    pub volume: Option<VolumeId>,
    /// The slot's snapshot.
    pub snapshot: Option<SnapshotId>,
    /// What was done.
    pub action: Action,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What was done for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A snapshot was taken.
    Created,
    /// The slot already had one.
    Existing,
    /// A dry run would take one.
    Planned,
    /// See the error.
    Failed,
}

/// A deleted snapshot in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunedReport {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Its recovery point.
    pub recovery_point: Slot,
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The member.
    pub member: Member,
    /// Why it went.
    pub reason: String,
}

/// A recovery point that stays, in the answer to a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptPoint {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The point.
    pub recovery_point: Slot,
    /// Why it stays.
    pub reasons: Vec<KeepReason>,
}
