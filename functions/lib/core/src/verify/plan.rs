//! The plan of a run: which snapshots are examined, and in which order.

use std::collections::BTreeMap;

use crate::backup;
use crate::ids::{Lineage, Member, SnapshotId};
use crate::raft::Position;
use crate::set::Unplaced;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use crate::verdict::Verdict;

/// What EC2 said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The snapshots that [`super::Request::look`] asks for.
    pub snapshots: Vec<Snapshot>,
    /// What EC2 listed and could not be read.
    pub unreadable: Vec<String>,
}

/// All that a run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyPlan {
    /// Examine these.
    Examine(Examinations),
    /// A snapshot of ours failed: raise `Etcd Backup Failed` with this report, as a backup's run does.
    BackupFailed(Box<backup::Report>),
    /// Nothing, and why.
    Nothing(String),
}

/// Snapshots to examine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examinations {
    /// In this order. The snapshots of a recovery point follow each other, but for those that are looked at again.
    pub list: Vec<Examination>,
    /// A sweep ends where its time does, and the next one goes on; what was asked for is to be examined whole.
    pub is_sweep: bool,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// A snapshot to examine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Examination {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// What it is a snapshot of.
    pub lineage: Lineage,
    /// Its recovery point.
    pub slot: Slot,
    /// Size in GiB of the volume that it was taken of.
    pub size_gib: u32,
    /// Every page and every record, not only what a start needs.
    pub deep: bool,
    /// The members that the etcd cluster had, and what was known of each before.
    pub members: BTreeMap<Member, Result<Position, Unplaced>>,
    /// Whether its point has a better one of the same member: then it is judged, and not compared.
    pub surplus: bool,
    /// How it was judged before, as far as was seen.
    pub was: Option<Verdict>,
    /// Whether an earlier look at it began, and came to no verdict. It may be one that ends whoever reads it.
    pub again: bool,
    /// Whether its point is so old that a sweep that cannot read it warns, and fails no more.
    pub old: bool,
}

impl Examination {
    /// Whether the two are of one recovery point.
    #[must_use]
    pub fn is_of_the_point_of(&self, other: &Self) -> bool {
        self.slot == other.slot && self.lineage.of == other.lineage.of
    }
}
