//! The plan of a restore: everything is decided in it, nothing while it is carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::acceptance::{Acceptance, Expected};
use super::event::Event;
use super::id::RestoreId;
use super::new_volume::NewVolume;
use super::refusal::Refusal;
use crate::ids::{EtcdClusterId, InstanceId, Lineage, Member, VolumeId, Zone};
use crate::scope::ClusterSet;
use crate::set::Set;
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
    /// `FOREIGN_SNAPSHOTS`.
    pub foreign: ForeignSnapshots,
}

/// Whose snapshots may be restored, beside those that bear this tool's marks and are this account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ForeignSnapshots {
    /// None.
    #[default]
    Off,
    /// Any of this account.
    Account,
    /// Any that this account may use.
    Any,
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
    /// What is done for each member that is to join empty.
    pub emptied: Vec<EmptiedPlan>,
    /// The volumes that are retired by it or have been, of all members.
    pub retire: BTreeSet<VolumeId>,
    /// The members of each stage. Never empty.
    pub stages: Vec<Vec<Member>>,
    /// The stage that is tagged, from 1.
    pub stage: usize,
    /// How the members can be started together; `None` where that is no question.
    pub set: Option<Set>,
    /// All that stands in the way.
    pub refusals: Vec<Refusal>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// What the three programs would do once it is done.
    pub forecast: Acceptance,
    /// What the operator does, in order, if the plan is to be applied.
    pub steps_before: Vec<String>,
    /// What the operator does, in order, once it is applied; of a plan, once all its stages are.
    pub steps_after: Vec<String>,
    /// The event that applies it.
    pub apply: Event,
    /// The event of the stage after this one, if there is one.
    pub then: Option<Event>,
}

/// What is done for a member that is to join empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptiedPlan {
    /// The member.
    pub lineage: Lineage,
    /// The volumes to retire.
    pub old: Vec<VolumeId>,
    /// Those that an earlier try has retired.
    pub retired: Vec<VolumeId>,
}

/// What is done for one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPlan {
    /// The member.
    pub lineage: Lineage,
    /// The account that owns its snapshot.
    pub owner: String,
    /// The volume to make.
    pub new: NewVolume,
    /// Its tags when it is the member's.
    pub full: Tags,
    /// The volume, where an earlier try has made it.
    pub made: Option<VolumeId>,
    /// The stage in which it is tagged, from 1.
    pub stage: usize,
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

    /// Whether an earlier try has finished this stage: its members are live, the volumes of later ones are there, and no
    /// other volume is to be retired.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_far_enough = |member: &MemberPlan| match member.state {
            MemberState::Live => true,
            MemberState::Available => !self.cut_over || member.stage > self.stage,
            MemberState::New | MemberState::Creating => false,
        };
        self.members.iter().all(|member| is_far_enough(member) && member.old.is_empty())
            && self.emptied.iter().all(|member| member.old.is_empty())
    }

    /// The members that are to be the cluster's once this stage is tagged.
    pub(super) fn tagged_by_now(&self) -> impl Iterator<Item = &MemberPlan> {
        self.members.iter().filter(|member| member.stage <= self.stage)
    }

    /// The volume that those of the emptied members are retired in favour of: a retired volume names one, by which undo
    /// finds it.
    pub(super) fn heir<'m>(&self, made: &'m BTreeMap<Member, VolumeId>) -> Option<&'m VolumeId> {
        made.get(&self.members.first()?.lineage.member)
    }

    /// The members whose volumes could not be used when it was planned.
    pub fn waited_for(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.state < MemberState::Available).map(|member| &member.lineage.member)
    }

    /// What acceptance is to find.
    #[must_use]
    pub fn expected(&self, made: &BTreeMap<Member, VolumeId>) -> Vec<Expected> {
        let expected = self.tagged_by_now().filter_map(|one| {
            let volume = made.get(&one.lineage.member)?.clone();
            Some(Expected { lineage: one.lineage.clone(), volume, zone: one.new.zone.clone() })
        });
        expected.collect()
    }
}
