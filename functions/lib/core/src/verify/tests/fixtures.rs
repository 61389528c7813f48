//! Examinations and findings that read as sentences.

use jiff::{SignedDuration, Timestamp};

use super::super::{Examinations, Examined, Findings, Observed, Reads, Request, Settings, VerifyPlan, plan};
use crate::backup::tests::fixtures::{MEMBERS, point};
use crate::ids::{Cluster, SnapshotId};
use crate::restore::Refusal;
use crate::scope::ClusterSet;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::Completed;
use crate::verdict::Verdict;

pub(super) const SLOT: &str = "2026-11-23T02:00:00Z";
pub(super) const OLDER_SLOT: &str = "2026-11-23T01:00:00Z";

pub(super) fn now() -> Timestamp {
    "2026-11-23T02:01:07.5Z".parse().expect("a time")
}

pub(super) fn id(text: &str) -> SnapshotId {
    SnapshotId::parse(text).expect("an id")
}

/// Every cluster is looked after.
pub(super) fn reading(reads: Reads) -> Settings {
    Settings { clusters: ClusterSet::All, reads }
}

pub(super) fn only(name: &str) -> Settings {
    let clusters = ClusterSet::Named([Cluster::parse(name).expect("a cluster")].into());
    Settings { clusters, ..reading(Reads::All) }
}

/// The completed snapshots of members a, b and c.
pub(super) fn snapshots() -> Vec<Snapshot> {
    point(SLOT, &[Completed; 3]).observed()
}

/// The same of etcd cluster `events`.
pub(super) fn of_events(snapshot: Snapshot) -> Snapshot {
    let events = Snapshot { id: id(&format!("{}-events", snapshot.id)), ..snapshot };
    events.marked(&[("etcd-backup/etcd-cluster", "events")])
}

pub(super) fn observed(snapshots: Vec<Snapshot>) -> Observed {
    Observed { snapshots, unreadable: Vec::new() }
}

/// The plan where every cluster is looked after.
pub(super) fn planned(request: &Request, snapshots: Vec<Snapshot>) -> Result<VerifyPlan, Refusal> {
    plan(&observed(snapshots), request, &reading(Reads::All), now())
}

#[track_caller]
pub(super) fn examined(request: &Request, snapshots: Vec<Snapshot>) -> Examinations {
    match planned(request, snapshots) {
        Ok(VerifyPlan::Examine(examinations)) => examinations,
        other => panic!("{other:?}"),
    }
}

pub(super) fn ids(examinations: &Examinations) -> Vec<&str> {
    examinations.list.iter().map(|one| one.snapshot.as_str()).collect()
}

impl Findings {
    /// A sound member: its index is a few ahead of its revision.
    pub(super) fn sound(member: &str, revision: i64) -> Self {
        let nth = MEMBERS.into_iter().position(|one| one == member).expect("a member");
        let index = u64::try_from(revision).expect("not below zero") + 400;
        Self {
            verdict: Verdict::Ok,
            reason: None,
            etcd_version: Some("3.5".to_owned()),
            cluster_id: Some(0xcdf8_181e_3277_4e16),
            member_id: Some(0x8e9e_05c5_2164_694d + nth as u64),
            revision: Some(revision),
            consistent_index: Some(index),
            wal_last_index: Some(index + 25),
            wal_last_term: Some(3),
            term: Some(3),
            commit: Some(index + 25),
            commit_term: Some(3),
            voters: Some((0..3).map(|nth| 0x8e9e_05c5_2164_694d + nth).collect()),
            db_bytes: Some(847_000_000),
            blocks_read: 96,
            took: SignedDuration::from_millis(1_940),
        }
    }

    /// The same, found so.
    pub(super) fn but(self, verdict: Verdict, reason: &str) -> Self {
        Self { verdict, reason: Some(reason.to_owned()), ..self }
    }

    /// A file system that is not known: nothing else is.
    pub(super) fn unreadable() -> Self {
        let nothing = Self {
            etcd_version: None,
            cluster_id: None,
            member_id: None,
            revision: None,
            consistent_index: None,
            wal_last_index: None,
            wal_last_term: None,
            term: None,
            commit: None,
            commit_term: None,
            voters: None,
            db_bytes: None,
            ..Self::sound("a", 0)
        };
        nothing.but(Verdict::Unsupported, "the file system is XFS")
    }

    pub(super) fn told(self) -> Examined {
        Examined::Found { findings: Box::new(self), unwritten: None }
    }
}
