//! The answer to an export.

use serde::Serialize;

use super::choose::Candidate;
use super::next_steps;
use crate::ids::{Cluster, EtcdCluster, Member, SnapshotId};
use crate::slot::Slot;
use crate::verify::Findings;

/// What was done with a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Its folder in the store.
    pub backup: String,
    /// Where the compressed db is.
    pub url: String,
    /// Where the store is, as etcd-manager-ctl takes it.
    pub store: String,
    /// The version that it is labelled with.
    pub etcd_version: String,
    /// The db's length in bytes.
    pub db_bytes: u64,
    /// The compressed length in bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The answer to an export.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportResult {
    /// `exported`.
    pub outcome: &'static str,
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The recovery point.
    pub recovery_point: Slot,
    /// Whose db it is.
    pub member: Member,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The backup's name in the store.
    pub backup: String,
    /// Where the compressed db is.
    pub url: String,
    /// The version that it is labelled with: etcd-manager restores it with the newest of that minor version that it has.
    pub etcd_version: String,
    /// The db's revision.
    pub revision: Option<i64>,
    /// How many entries the member's log has beyond the db: they are not in the backup.
    pub behind: Option<u64>,
    /// The db's length in bytes.
    pub db_bytes: u64,
    /// The compressed length in bytes.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// How to restore it, and what that loses.
    pub next_steps: Vec<String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// From what was done to the answer.
#[must_use]
pub fn report(candidate: &Candidate, found: &Findings, exported: &Exported, warnings: Vec<String>) -> ExportResult {
    let of = &candidate.lineage.of;
    let behind = found.wal_last_index.zip(found.consistent_index).map(|(log, db)| log.saturating_sub(db));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of an invocation")]
    let seconds = exported.took_ms as f64 / 1000.0;
    ExportResult {
        outcome: "exported",
        cluster: of.cluster.clone(),
        etcd_cluster: of.etcd_cluster.clone(),
        recovery_point: candidate.slot,
        member: candidate.lineage.member.clone(),
        snapshot: candidate.snapshot.clone(),
        backup: exported.backup.clone(),
        url: exported.url.clone(),
        etcd_version: exported.etcd_version.clone(),
        revision: found.revision,
        behind,
        db_bytes: exported.db_bytes,
        bytes: exported.bytes,
        seconds,
        next_steps: next_steps::of_export(of, exported, behind),
        warnings,
    }
}
