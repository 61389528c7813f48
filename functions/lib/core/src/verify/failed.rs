//! A snapshot of ours that failed after its run: told as the run would have told it.

use crate::backup::{Action, BackupResult, MemberReport, Outcome, PointReport, Report};
use crate::recovery_point::RecoveryPoint;
use crate::snapshot::OurSnapshot;
use crate::told;

/// The report of a backup that failed in this one member; or why there is nothing to tell: the slot has another
/// snapshot of the member, if that was observed.
pub(super) fn backup_failed(
    failed: &OurSnapshot,
    point: &RecoveryPoint,
    cause: Option<&str>,
    unreadable: &[String],
) -> Result<Report, String> {
    let (id, slot, lineage) = (&failed.id, failed.slot, &failed.lineage);
    if let Some(other) = point.taken().get(&lineage.member) {
        return Err(format!("{id} failed, and {slot} has {} of {lineage}", other.id));
    }
    let why = cause.or(failed.state_message.as_deref()).unwrap_or("EC2 does not say why");
    let error = format!("snapshot {id} ended in error: {}", told::sentence(why));
    let failure = format!("slot {slot}: {lineage}: {error}");
    let result = BackupResult {
        outcome: Outcome::Incomplete,
        slot,
        recovery_points: vec![reported(point, failed, error)],
        pruned: Vec::new(),
        kept: 0,
        kept_points: None,
        warnings: unreadable.to_vec(),
    };
    Ok(Report { result, failure: Some(failure), metrics: Vec::new(), doubtful: 0 })
}

fn reported(point: &RecoveryPoint, failed: &OurSnapshot, error: String) -> PointReport {
    let member = MemberReport {
        member: Some(failed.lineage.member.clone()),
        zone: Some(failed.volume.zone.clone()),
        volume: Some(failed.volume.id.clone()),
        snapshot: Some(failed.id.clone()),
        action: Action::Failed,
        error: Some(error),
    };
    PointReport {
        cluster: failed.lineage.of.cluster.clone(),
        etcd_cluster: failed.lineage.of.etcd_cluster.clone(),
        state: point.state(),
        skew_ms: point.skew().map(|skew| skew.as_millis()),
        members: vec![member],
    }
}
