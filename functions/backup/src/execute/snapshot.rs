//! Taking one snapshot, effectively once.
//!
//! `CreateSnapshot` has no client token: a blind retry makes a second snapshot. So each attempt is one call; what EC2
//! refused for now is waited out; and after a lost answer the slot is looked up instead of asking again.

use std::time::Duration;

use etcd_backup_aws::ec2::{Ec2, Permit};
use etcd_backup_aws::failure::{Failure, Meaning};
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::backup::{MemberOutcome, NewSnapshot};
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
            && let Ok(Ok(listed)) = timeout_at(deadline.stop_waiting, ec2.snapshots_in_slot(new, &held)).await
            && let Some(found) = new.found_among(&listed)
        {
            // Another delivery was faster; that may be why EC2 refused.
            return found;
        }
        if Instant::now() >= deadline.stop_starting {
            return not_started(refused);
        }
        if let Some(too_late) = new.too_late(ec2.now()) {
            return too_late;
        }
        let failure = match timeout_at(deadline.stop_waiting, ec2.create_snapshot(new, &held)).await {
            Ok(Ok(taken)) => return MemberOutcome::Created(taken),
            Ok(Err(failure)) => failure,
            Err(_) => {
                let why =
                    "EC2 did not answer before the deadline; a retry of the same event looks whether it was taken";
                return MemberOutcome::Failed(why.to_owned());
            }
        };
        match failure.meaning {
            // Holding on to the permit keeps further etcd clusters from starting into the same wall, so that the
            // members of each stay close together.
            Meaning::Throttled => permit = Some(held),
            // This volume's own matter: others go on.
            Meaning::VolumeAtLimit => drop(held),
            Meaning::Unknown => {
                drop(held);
                return reconcile(new, &failure, ec2, deadline).await;
            }
            Meaning::NotFound | Meaning::Exists | Meaning::Refused => {
                return MemberOutcome::Failed(failure.to_string());
            }
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
        let look = async { ec2.snapshots_in_slot(new, &ec2.permit().await).await };
        let why_not = match timeout_at(deadline.stop_waiting, look).await {
            Ok(Ok(listed)) => match new.found_among(&listed) {
                Some(found) => return found,
                None => "the snapshot did not come into sight".to_owned(),
            },
            Ok(Err(failure)) => format!("the snapshot could not be looked for: {failure}"),
            Err(_) => "the snapshot could not be looked for before the deadline".to_owned(),
        };
        if Instant::now() >= until || !backoff.pause(deadline).await {
            return MemberOutcome::Failed(format!("{lost}; {why_not}; a retry of the same event looks again"));
        }
    }
}

fn not_started(refused: Option<Failure>) -> MemberOutcome {
    MemberOutcome::Failed(match refused {
        Some(failure) => format!("{failure}; waited until the deadline, a retry of the same event goes on"),
        None => "not started: the deadline is near, a retry of the same event goes on".to_owned(),
    })
}
