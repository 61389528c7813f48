//! What was read of a snapshot, in the words of those who decide.

use etcd_backup_core::verdict::Verdict;
use etcd_backup_core::verify::Findings;
use jiff::SignedDuration;

/// What an examination found, after so many blocks and so long a time.
#[must_use]
pub fn findings(examined: etcd_backup_disk::Examined, blocks_read: u64, took: SignedDuration) -> Findings {
    Findings {
        verdict: match examined.verdict {
            etcd_backup_disk::Verdict::Ok => Verdict::Ok,
            etcd_backup_disk::Verdict::Degraded => Verdict::Degraded,
            etcd_backup_disk::Verdict::Corrupt => Verdict::Corrupt,
            etcd_backup_disk::Verdict::Unsupported => Verdict::Unsupported,
        },
        reason: examined.reason,
        etcd_version: examined.etcd_version,
        cluster_id: examined.cluster_id,
        member_id: examined.member_id,
        revision: examined.revision,
        consistent_index: examined.consistent_index,
        wal_last_index: examined.wal_last_index,
        wal_last_term: examined.wal_last_term,
        term: examined.term,
        commit: examined.commit,
        commit_term: examined.commit_term,
        voters: examined.voters,
        db_bytes: examined.db_bytes,
        blocks_read,
        took,
    }
}
