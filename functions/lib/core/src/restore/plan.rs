//! The plan of a restore: everything is decided in it, nothing while it is carried out.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::acceptance::{Acceptance, Expected};
use super::event::Event;
use super::id::RestoreId;
use super::new_volume::NewVolume;
use super::refusal::Refusal;
use crate::ids::{EtcdClusterId, InstanceId, Lineage, Member, VolumeId, Zone};
use crate::scope::ClusterSet;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use crate::tags::Tags;
use crate::volume::Volume;

/// What EC2 said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The etcd cluster's volumes: those that bear its etcd tag, a `Name` that kops gives them, or a tag of ours.
    pub volumes: Vec<Volume>,
    /// The cluster's marked snapshots, or the one that is asked for.
    pub snapshots: Vec<Snapshot>,
    /// The cluster's masters.
    pub masters: Vec<Master>,
    /// What could not be listed or read.
    pub warnings: Vec<String>,
}

/// A master of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Master {
    /// The instance.
    pub instance: InstanceId,
    /// Its zone.
    pub zone: Zone,
    /// The Auto Scaling group that would start another in its place.
    pub group: Option<String>,
    /// Whether it is gone, though EC2 still lists it: its group is the one to set back.
    pub is_terminated: bool,
}

/// How the function is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CLUSTERS`.
    pub clusters: ClusterSet,
    /// `MAX_SKEW`.
    pub max_skew: SignedDuration,
}

/// All that a restore does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePlan {
    /// Its id.
    pub id: RestoreId,
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// The recovery point; none of a foreign snapshot.
    pub slot: Option<Slot>,
    /// How far apart the members' snapshots are.
    pub skew: Option<SignedDuration>,
    /// Whether the volumes become the members'.
    pub cut_over: bool,
    /// Whether an old volume may be attached while it is retired.
    pub allow_attached: bool,
    /// What is done for each member.
    pub members: Vec<MemberPlan>,
    /// All that stands in the way.
    pub refusals: Vec<Refusal>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// What the three programs would do once it is done.
    pub forecast: Acceptance,
    /// What the operator does, in order, if the plan is to be applied.
    pub steps_before: Vec<String>,
    /// What the operator does, in order, once it is applied.
    pub steps_after: Vec<String>,
    /// The event that applies it.
    pub apply: Event,
}

/// What is done for one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPlan {
    /// The member.
    pub lineage: Lineage,
    /// The volume to make.
    pub new: NewVolume,
    /// Its tags when it is the member's.
    pub full: Tags,
    /// The volume, where an earlier try has made it.
    pub made: Option<VolumeId>,
    /// How far an earlier try came.
    pub state: MemberState,
    /// The volumes to retire: those that claim the member.
    pub old: Vec<VolumeId>,
    /// Those that an earlier try has retired.
    pub retired: Vec<VolumeId>,
}

/// How far a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// Nothing has been done.
    New,
    /// There is a volume, not yet to be used.
    Creating,
    /// There is a volume that can be used, still marked as the restore's.
    Available,
    /// It is the member's.
    Live,
}

impl RestorePlan {
    /// The volumes that earlier tries made.
    #[must_use]
    pub fn made(&self) -> BTreeMap<Member, VolumeId> {
        self.members.iter().filter_map(|one| Some((one.lineage.member.clone(), one.made.clone()?))).collect()
    }

    /// Whether an earlier try has finished: every member is live, and no other volume is to be retired.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let last = if self.cut_over { MemberState::Live } else { MemberState::Available };
        self.members.iter().all(|member| member.state == last && member.old.is_empty())
    }

    /// The members whose volumes could not be used when it was planned.
    pub fn waited_for(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.state < MemberState::Available).map(|member| &member.lineage.member)
    }

    /// What acceptance is to find.
    #[must_use]
    pub fn expected(&self, made: &BTreeMap<Member, VolumeId>) -> Vec<Expected> {
        let expected = self.members.iter().filter_map(|one| {
            let volume = made.get(&one.lineage.member)?.clone();
            Some(Expected { lineage: one.lineage.clone(), volume, zone: one.new.zone.clone() })
        });
        expected.collect()
    }
}
