//! Whether what was read of a snapshot may become a backup, and whether there is time for it.

use std::time::Duration;

use crate::ids::SnapshotId;
use crate::restore::{Refusal, RefusalKind};
use crate::verdict::Verdict;
use crate::verify::Findings;

/// What an export reads, compresses and sends in a second at least, in bytes of the db: a fifth of what `make bench` measured
/// on two cores, since Lambda gives it one.
const PACE: u64 = 16 << 20;
/// Added to that, for the last part and the calls after it.
const AROUND: Duration = Duration::from_secs(5);

/// Whether the etcd of a snapshot may be exported; with what the operator should know.
pub fn judge(snapshot: &SnapshotId, found: &Findings, allow_degraded: bool) -> Result<Vec<String>, Refusal> {
    let why = found.reason.as_deref().unwrap_or("no reason was found");
    match found.verdict {
        Verdict::Ok => Ok(Vec::new()),
        Verdict::Degraded if allow_degraded => Ok(vec![format!("allowed all the same: {snapshot} is degraded: {why}")]),
        Verdict::Degraded => Err(Refusal::new(
            RefusalKind::DegradedSnapshot,
            format!("{snapshot} is degraded: {why}. Take another member or point, or set `allow_degraded`"),
        )),
        Verdict::Unsupported => {
            Err(Refusal::new(RefusalKind::UnsupportedSnapshot, format!("{snapshot} cannot be read: {why}")))
        }
        Verdict::Corrupt => Err(Refusal::new(RefusalKind::CorruptSnapshot, format!("{snapshot} is corrupt: {why}"))),
    }
}

/// Whether what stands in the way is one member's snapshot alone, so that another one may do.
#[must_use]
pub fn speaks_of_one_member(refusal: &Refusal) -> bool {
    use RefusalKind::{CorruptSnapshot, DegradedSnapshot, UnsupportedSnapshot};
    matches!(refusal.kind, CorruptSnapshot | DegradedSnapshot | UnsupportedSnapshot)
}

/// How long the export of a db of so many bytes takes at most.
#[must_use]
pub fn needs(db_bytes: u64) -> Duration {
    Duration::from_secs(db_bytes / PACE) + AROUND
}
