//! Deleting snapshots.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::backup::{Deletion, DeletionOutcome};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Whose turn it is to delete. Permits are handed out in the order of asking: if thousands of deletions asked at once,
/// a member that still waits for its snapshot would come after them all.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

impl Turns {
    pub(super) fn new(ec2: &Ec2) -> Self {
        Self(Semaphore::new(ec2.concurrency()))
    }
}

/// Deletes a snapshot. Safe to repeat, so the SDK's own retries stand. One in use, locked or otherwise refused stays,
/// and the next run tries again.
pub(super) async fn delete(deletion: &Deletion, ec2: &Ec2, turns: &Turns, deadline: Deadline) -> DeletionOutcome {
    let _turn = turns.0.acquire().await;
    let permit = ec2.permit().await;
    if Instant::now() >= deadline.stop_starting {
        return DeletionOutcome::NotTried;
    }
    let Deletion { snapshot, slot, reason, .. } = deletion;
    match timeout_at(deadline.stop_waiting, ec2.delete_snapshot(snapshot, &permit)).await {
        Ok(Ok(())) => {
            tracing::info!(%snapshot, recovery_point = %slot, "Deleted {snapshot}: {reason}");
            DeletionOutcome::Deleted
        }
        Ok(Err(failure)) => DeletionOutcome::Refused(failure.to_string()),
        Err(_) => DeletionOutcome::Refused("EC2 did not answer before the deadline".to_owned()),
    }
}
