//! Taking one snapshot, effectively once.
//!
//! `CreateSnapshot` has no client token: a blind retry makes a second snapshot. So each attempt is one call; what EC2
//! refused for now is waited out; and after a lost answer the slot is looked up instead of asking again.

use std::time::Duration;

use etcd_backup_aws::ec2::{Ec2, Permit};
use etcd_backup_aws::failure::{Failure, Meaning};
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::backup::{MemberOutcome, NewSnapshot, Taken};
use etcd_backup_core::snapshot::Snapshot;
use tokio::time::{Instant, timeout_at};

use super::wait::Backoff;

/// For how long a snapshot whose answer was lost is looked for. EC2's listings lag behind.
const LOOKED_FOR: Duration = Duration::from_secs(30);

/// Takes a snapshot. `permit` is the one reserved for its first attempt, if there was one.
pub(super) async fn take(new: &NewSnapshot, permit: Option<Permit>, ec2: &Ec2, deadline: Deadline) -> MemberOutcome {
    let mut permit = permit;
    let mut backoff = Backoff::new();
    let mut refused: Option<Failure> = None;
    loop {
        let held = match permit.take() {
            Some(permit) => permit,
            None => match timeout_at(deadline.stop_starting, ec2.permit()).await {
                Ok(permit) => permit,
                Err(_) => return not_started(refused),
            },
        };
        if refused.is_some()
            && let Ok(Ok(Some(found))) = timeout_at(deadline.stop_waiting, ec2.snapshot_in_slot(new, &held)).await
        {
            // Another delivery was faster; that may be why EC2 refused.
            return taken(new, found);
        }
        if Instant::now() >= deadline.stop_starting {
            return not_started(refused);
        }
        let failure = match timeout_at(deadline.stop_waiting, ec2.create_snapshot(new, &held)).await {
            Ok(Ok(taken)) => return MemberOutcome::Created(taken),
            Ok(Err(failure)) => failure,
            Err(_) => {
                let why = "EC2 did not answer before the deadline; the retry looks whether it was taken";
                return MemberOutcome::Failed(why.to_owned());
            }
        };
        match failure.meaning {
            // Holding on to the permit keeps further etcd clusters from starting into the same wall, so that the
            // members of each stay close together.
            Meaning::Throttled => permit = Some(held),
            // This volume's own matter: others go on.
            Meaning::AtLimit => drop(held),
            Meaning::Unknown => {
                drop(held);
                return reconcile(new, &failure, ec2, deadline).await;
            }
            Meaning::NotFound | Meaning::Refused => return MemberOutcome::Failed(failure.to_string()),
        }
        tracing::warn!(volume = %new.volume, "Waiting to take the snapshot again: {failure}");
        if !backoff.pause(deadline).await {
            return not_started(Some(failure));
        }
        refused = Some(failure);
    }
}

/// After a lost answer: the snapshot is there, or it comes into sight soon, or it was never taken. In the last case
/// the retry of the invocation takes it; to take it here could make a second one.
async fn reconcile(new: &NewSnapshot, lost: &Failure, ec2: &Ec2, deadline: Deadline) -> MemberOutcome {
    tracing::warn!(volume = %new.volume, "The answer was lost, looking for the snapshot: {lost}");
    let until = Instant::now() + LOOKED_FOR;
    let mut backoff = Backoff::new();
    loop {
        let look = async { ec2.snapshot_in_slot(new, &ec2.permit().await).await };
        if let Ok(Ok(Some(found))) = timeout_at(deadline.stop_waiting, look).await {
            return taken(new, found);
        }
        if Instant::now() >= until || !backoff.pause(deadline).await {
            return MemberOutcome::Failed(format!(
                "{lost}; the snapshot did not come into sight, the retry looks again"
            ));
        }
    }
}

fn taken(new: &NewSnapshot, found: Snapshot) -> MemberOutcome {
    let taken = Taken { snapshot: found.id, state: found.state, started: found.started };
    if found.description == new.description { MemberOutcome::Created(taken) } else { MemberOutcome::Existing(taken) }
}

fn not_started(refused: Option<Failure>) -> MemberOutcome {
    MemberOutcome::Failed(match refused {
        Some(failure) => format!("{failure}; waited until the deadline, the retry goes on"),
        None => "not started: the deadline is near, the retry goes on".to_owned(),
    })
}
