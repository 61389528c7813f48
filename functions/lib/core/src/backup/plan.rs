//! The plan of a run: everything is decided in it, nothing while it is carried out.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::finding::Finding;
use super::prune::PrunePlan;
use super::report::MemberOutcome;
use crate::ids::{EtcdClusterId, Lineage, Member, SnapshotId, VolumeId, Zone};
use crate::marks::Description;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::tags::Tags;
use crate::volume::Volume;

/// What EC2 said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Volumes that bear an etcd tag.
    pub volumes: Vec<Volume>,
    /// This account's snapshots that bear `etcd-backup/recovery-point`, or whose description is one of ours.
    pub snapshots: Vec<Snapshot>,
    /// Those that EC2 deletes for nobody until their lock expires.
    pub locked: BTreeSet<SnapshotId>,
    /// Whether these could not be listed.
    pub locks_unknown: bool,
    /// What EC2 listed and could not be read.
    pub unreadable: Vec<String>,
}

/// All that a run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// The slot that the run works on.
    pub slot: Slot,
    /// Whether nothing is carried out.
    pub dry_run: bool,
    /// What is done for each etcd cluster.
    pub etcd_clusters: Vec<EtcdClusterPlan>,
    /// What was named and has neither volumes nor recovery points: fails the run.
    pub not_found: Vec<String>,
    /// How many snapshots bear our mark and are not to be trusted.
    pub doubtful: usize,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// What is done for one etcd cluster: its members' snapshots at one moment; then, if every member has one, the
/// deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdClusterPlan {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// Its expected members. Empty if its volumes are gone for so long that nobody expects them.
    pub members: Vec<MemberPlan>,
    /// What is pruned once every member has its snapshot.
    pub prune: PrunePlan,
    /// The newest complete point before this run, of those that count.
    pub newest_complete: Option<Slot>,
    /// The newest of these that is verified: complete, every member `ok`, and to be restored together.
    pub newest_verified: Option<Slot>,
    /// When the oldest of its volumes was made.
    pub oldest_volume: Option<Timestamp>,
}

impl EtcdClusterPlan {
    /// The snapshots to take, each with its member's place in the list.
    pub fn new_snapshots(&self) -> impl Iterator<Item = (usize, &NewSnapshot)> {
        self.members.iter().enumerate().filter_map(|(n, member)| match &member.step {
            Step::Create(new) => Some((n, new)),
            Step::Existing(_) | Step::Nothing => None,
        })
    }
}

/// What is done for one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPlan {
    /// The member, where its volume's tag says.
    pub member: Option<Member>,
    /// The volume's zone.
    pub zone: Option<Zone>,
    /// The volume.
    pub volume: Option<VolumeId>,
    /// Whether a complete point has this member: else a tag alone speaks of it.
    pub known: bool,
    /// The call to make.
    pub step: Step,
    /// What is wrong with the member, whatever the step brings.
    pub finding: Option<Finding>,
}

/// The call to make for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Take this snapshot.
    Create(NewSnapshot),
    /// None: the slot already has it.
    Existing(Taken),
    /// None: the finding stands in the way.
    Nothing,
}

/// A snapshot to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Of that volume.
    pub volume: VolumeId,
    /// For that slot.
    pub slot: Slot,
    /// By EC2's clock, the latest moment to ask for it: asked for later, it could not be taken for one of the slot.
    pub until: Timestamp,
    /// What it is a snapshot of.
    pub lineage: Lineage,
    /// Names the invocation, and holds the marks' digest.
    pub description: Description,
    /// All tags, written in the create call.
    pub tags: Tags,
}

impl NewSnapshot {
    /// What becomes of it where EC2's clock says so: it is not asked for any more once it is too late.
    #[must_use]
    pub fn too_late(&self, now: Timestamp) -> Option<MemberOutcome> {
        (now > self.until).then(|| MemberOutcome::Failed(Finding::OtherTime.to_string()))
    }

    /// What of a listing is this snapshot: one of ours, good, of the same volume and slot. Of several, the one that
    /// this invocation took, else the oldest.
    #[must_use]
    pub fn found_among(&self, listed: &[Snapshot]) -> Option<MemberOutcome> {
        let is_it = |snapshot: &OurSnapshot| {
            snapshot.state.is_good()
                && snapshot.volume.id == self.volume
                && snapshot.slot == self.slot
                && snapshot.lineage == self.lineage
        };
        let is_anothers = |snapshot: &OurSnapshot| snapshot.request != self.description.request;
        let found = listed.iter().filter_map(Snapshot::ours).filter(is_it);
        let found = found.min_by_key(|snapshot| (is_anothers(snapshot), snapshot.started, snapshot.id.clone()))?;
        let taken = Taken { snapshot: found.id.clone(), state: found.state, started: found.started };
        Some(if is_anothers(&found) { MemberOutcome::Existing(taken) } else { MemberOutcome::Created(taken) })
    }
}

/// A snapshot that the slot has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Its state.
    pub state: SnapshotState,
    /// The moment that it captured.
    pub started: Timestamp,
}
