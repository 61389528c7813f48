//! An EBS snapshot, as observed, and whether it is *ours*.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Lineage, Member, SnapshotId, VolumeId};
use crate::raft::Position;
use crate::slot::Slot;
use crate::tags::{self, Membership, RecordedVolume, Tags};
use crate::verdict::{Verdict, Verified};

/// An EBS snapshot's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SnapshotState {
    /// Taken, its blocks still being copied. May yet end in [`Self::Error`].
    Pending,
    /// Whole.
    Completed,
    /// Failed.
    Error,
    /// In or on its way out of the Recycle Bin, or a state unknown to this version: neither counted nor deleted.
    Other,
}

impl SnapshotState {
    /// Whether the slot has its snapshot in this one.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Pending | Self::Completed)
    }

    /// Its name in an answer.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Other => "other",
        }
    }
}

/// An EBS snapshot, as `DescribeSnapshots` and `CreateSnapshot` give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The volume it was taken of. Arbitrary for a copy.
    pub volume: VolumeId,
    /// Its state.
    pub state: SnapshotState,
    /// EC2's word on why it failed.
    pub state_message: Option<String>,
    /// The moment that it captured.
    pub started: Timestamp,
    /// Size in GiB of the volume that it was taken of.
    pub size_gib: u32,
    /// Whether it is encrypted; so is then every volume made from it.
    pub encrypted: bool,
    /// The KMS key's ARN, if encrypted.
    pub kms_key: Option<String>,
    /// Whether it lies in the archive tier, where it cannot make a volume.
    pub archived: bool,
    /// Free text; ours names the invocation, see [`crate::backup::Request`].
    pub description: String,
    /// All its tags.
    pub tags: Tags,
}

/// A snapshot that is ours: taken by this tool, of the volume that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// What it is a snapshot of.
    pub lineage: Lineage,
    /// The etcd cluster's members at the time.
    pub members: BTreeSet<Member>,
    /// Its recovery point's time.
    pub slot: Slot,
    /// The volume and its settings at the time.
    pub volume: RecordedVolume,
    /// Its state.
    pub state: SnapshotState,
    /// EC2's word on why it failed.
    pub state_message: Option<String>,
    /// The moment that it captured.
    pub started: Timestamp,
    /// Whether this snapshot pins its recovery point.
    pub pinned: bool,
    /// What `verify` found, as it wrote it; see [`crate::verdict::Verified`].
    pub verified: Option<String>,
    /// Free text; names the invocation that took it.
    pub description: String,
}

impl Snapshot {
    /// Reads the snapshot as one of ours. `None`: it is somebody else's, or a copy. An error: it bears our mark, but
    /// its other tags were changed so that it cannot be placed; it is left alone.
    pub fn ours(&self) -> Result<Option<OurSnapshot>, Unplaceable> {
        let Some(slot) = self.tags.get(tags::RECOVERY_POINT) else { return Ok(None) };
        let unplaceable = |why: String| Unplaceable { snapshot: self.id.clone(), why };
        let recorded = self.tags.get(tags::VOLUME).map(String::as_str);
        let Some(volume) = recorded.and_then(RecordedVolume::parse) else {
            return Err(unplaceable(format!("`{}` cannot be read", tags::VOLUME)));
        };
        if volume.id != self.volume {
            return Ok(None);
        }
        let slot = Slot::parse(slot).ok_or_else(|| unplaceable(format!("`{}` is no time", tags::RECOVERY_POINT)))?;
        let (lineage, members) = lineage(&self.tags).map_err(unplaceable)?;
        Ok(Some(OurSnapshot {
            id: self.id.clone(),
            lineage,
            members,
            slot,
            volume,
            state: self.state,
            state_message: self.state_message.clone(),
            started: self.started,
            verified: self.tags.get(tags::VERIFIED).cloned(),
            pinned: self.tags.get(tags::KEEP).is_some_and(|value| value != "false"),
            description: self.description.clone(),
        }))
    }
}

impl OurSnapshot {
    /// How `verify` judged it. `None`: not yet, or by a verdict that does not [count](Verified::counts).
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.found().filter(Verified::counts).map(|found| found.verdict)
    }

    /// Where its member stood, as far as `verify` found a restorable etcd in it.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.found().filter(|found| found.verdict.is_restorable())?.position
    }

    fn found(&self) -> Option<Verified> {
        Verified::parse(self.verified.as_deref()?)
    }
}

fn lineage(tags: &Tags) -> Result<(Lineage, BTreeSet<Member>), String> {
    let cluster = tags.get(tags::CLUSTER).ok_or_else(|| format!("has no tag `{}`", tags::CLUSTER))?;
    let cluster = Cluster::parse(cluster).map_err(|error| error.to_string())?;
    let mut etcd_tags = tags::etcd_tags(tags);
    let (Some((name, value)), None) = (etcd_tags.next(), etcd_tags.next()) else {
        return Err(format!("has not exactly one tag `{}<name>`", tags::ETCD_PREFIX));
    };
    let etcd_cluster = EtcdCluster::parse(name).map_err(|error| error.to_string())?;
    let membership = Membership::parse(value).map_err(|error| error.to_string())?;
    let of = EtcdClusterId { cluster, etcd_cluster };
    Ok((Lineage { of, member: membership.member }, membership.members))
}

/// A snapshot that bears our mark but cannot be placed in a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("snapshot {snapshot} bears `{}`, but {why}: it is neither counted nor deleted", tags::RECOVERY_POINT)]
pub struct Unplaceable {
    snapshot: SnapshotId,
    why: String,
}
