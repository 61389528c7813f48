//! Deleting one snapshot.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::backup::DeletionOutcome;
use etcd_backup_core::ids::SnapshotId;
use tokio::time::timeout_at;

/// Deletes a snapshot. Safe to repeat, so the SDK's own retries stand. One in use, locked or otherwise refused stays,
/// and the next run tries again.
pub(super) async fn delete(snapshot: &SnapshotId, ec2: &Ec2, deadline: Deadline) -> DeletionOutcome {
    let permit = timeout_at(deadline.stop_starting, ec2.permit()).await;
    let Ok(permit) = permit else { return DeletionOutcome::NotTried };
    match timeout_at(deadline.stop_waiting, ec2.delete_snapshot(snapshot, &permit)).await {
        Ok(Ok(())) => DeletionOutcome::Deleted,
        Ok(Err(failure)) => DeletionOutcome::Refused(failure.to_string()),
        Err(_) => DeletionOutcome::Refused("EC2 did not answer before the deadline".to_owned()),
    }
}
