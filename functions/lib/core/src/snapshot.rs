//! An EBS snapshot, as observed, and as one of ours.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ids::{Lineage, Member, SnapshotId, VolumeId};
use crate::raft::Position;
use crate::slot::Slot;
use crate::tags::{RecordedVolume, Tags};
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
    /// What was written with it; nobody can change it, see [`crate::marks::Description`].
    pub description: String,
    /// Whether this account owns it.
    pub own: bool,
    /// The account that owns it.
    pub owner: String,
    /// All its tags.
    pub tags: Tags,
}

/// A snapshot that is ours, see [`crate::provenance`].
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
    /// The invocation that took it.
    pub request: String,
    /// Whether that run was told that the etcd cluster has fewer members on purpose.
    pub accepts_members: bool,
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
