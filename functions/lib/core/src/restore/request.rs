//! What is asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::id::RestoreId;
use super::pins::Pins;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Member, SnapshotId, VolumeId, Zone};
use crate::scope::Scope;
use crate::slot::Slot;
use crate::tags::Membership;

/// One invocation, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The recovery points of a scope, at most so many per etcd cluster.
    List(Scope, usize),
    /// What a restore would do.
    Plan(RestoreRequest),
    /// Do it.
    Apply(RestoreRequest),
    /// Take a restore back.
    Undo(UndoRequest),
}

/// A restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreRequest {
    /// The same for the same restore.
    pub id: RestoreId,
    /// What is restored.
    pub what: What,
    /// Instead of the recorded zone, for a single member.
    pub zone: Option<Zone>,
    /// Retire volumes that claim a member.
    pub replace: bool,
    /// Make the volumes the members'. Otherwise they are for inspection.
    pub cut_over: bool,
    /// Retire the volumes of the members that are not restored too, so that these join empty.
    pub empty_others: bool,
    /// Which stage is applied; `None` of a plan.
    pub apply: Option<Apply>,
    /// What may be, though it is a risk.
    pub allowed: BTreeSet<Allow>,
    /// Settings other than the recorded ones.
    pub overrides: Overrides,
}

impl RestoreRequest {
    pub(super) fn allows(&self, what: Allow) -> bool {
        self.allowed.contains(&what)
    }

    /// Whether the first stage is behind it.
    pub(super) fn is_later_stage(&self) -> bool {
        self.apply.as_ref().is_some_and(Apply::is_later)
    }
}

/// What an apply says of its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apply {
    /// The members of each stage; empty where the event does not say.
    pub stages: Vec<BTreeSet<Member>>,
    /// The stage to tag, from 1.
    pub stage: usize,
    /// What its plan showed.
    pub pins: Pins,
}

impl Apply {
    /// Whether it goes on after the first stage: then nothing is made and nothing retired any more.
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.stage > 1
    }
}

/// A risk that an operator may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allow {
    /// `allow_partial`
    Partial,
    /// `allow_attached`
    Attached,
    /// `allow_rollback`
    Rollback,
    /// `allow_corrupt`
    Corrupt,
    /// `allow_unordered`
    Unordered,
    /// `allow_unattached`
    Unattached,
    /// `allow_foreign`
    Foreign,
}

/// What is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A recovery point, or some members of it.
    Point {
        /// Of this etcd cluster.
        of: EtcdClusterId,
        /// Which one.
        at: At,
        /// All, if none are named.
        members: Option<BTreeSet<Member>>,
    },
    /// One snapshot, with what its tags may lack.
    Snapshot(SnapshotId, Described),
}

/// Which recovery point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest complete one that is not corrupt and whose set can be started in a known order.
    Latest {
        /// Of those that `verify` found `ok`.
        verified: bool,
    },
    /// That one.
    Slot(Slot),
}

/// What an event says of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// `cluster`
    pub cluster: Option<Cluster>,
    /// `etcd_cluster`
    pub etcd_cluster: Option<EtcdCluster>,
    /// `member`
    pub membership: Option<Membership>,
}

/// Settings other than the recorded ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `volume_type`
    pub volume_type: Option<String>,
    /// `iops`
    pub iops: Option<u32>,
    /// `throughput`, in MiB/s
    pub throughput: Option<u32>,
    /// `kms_key`
    pub kms_key: Option<String>,
    /// `initialization_rate`, in MiB/s
    pub initialization_rate: Option<u32>,
}

/// A restore to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// The volume that the restore made, of each member.
    pub volumes: BTreeMap<Member, VolumeId>,
    /// The volumes that it had replaced. `None`: the event does not say.
    pub old_volumes: Option<BTreeSet<VolumeId>>,
}

impl UndoRequest {
    /// Whether it takes back a volume of that id.
    pub(super) fn names(&self, new: &str) -> bool {
        self.volumes.values().any(|volume| volume.as_str() == new)
    }
}
