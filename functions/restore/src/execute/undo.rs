//! An undo: retire the restored volumes, all of them; then give the old ones back what they had; then accept.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::restore::{Done, StepName, TagChange, UndoPlan, acceptance};
use etcd_backup_core::volume::Volume;
use jiff::Timestamp;

use super::Halt;
use super::calls::{Calls, progress};

/// Carries out a plan. Gives what was done, and why it went no further, if so.
pub(crate) async fn undo(
    plan: &UndoPlan,
    volumes: Vec<Volume>,
    ec2: &Ec2,
    deadline: Deadline,
) -> (Done, Option<String>) {
    let calls = Calls { ec2, deadline, of: &plan.of };
    let mut done = Done::default();
    let stopped = match steps(plan, volumes, &calls, &mut done).await {
        Ok(()) => None,
        Err(Halt::Pause(why) | Halt::End(why) | Halt::Withdraw(why)) => {
            Some(format!("{why}; send the same event again, it goes on where it stopped"))
        }
    };
    (done, stopped)
}

async fn steps(plan: &UndoPlan, volumes: Vec<Volume>, calls: &Calls<'_>, done: &mut Done) -> Result<(), Halt> {
    let retirements = plan.retirements(&volumes, Timestamp::now());
    let changes: Vec<TagChange> = retirements.iter().map(|(_, change)| change.clone()).collect();
    let volumes = if changes.is_empty() { volumes } else { change(calls, &changes).await? };
    for (member, change) in &retirements {
        progress(&plan.of, format!("Retired {} of member {member}", change.volume));
        done.step(StepName::Retire, member);
    }
    done.passed = Some(StepName::Retire);
    let give_backs = plan.give_backs(&volumes).map_err(Halt::Pause)?;
    let changes: Vec<TagChange> = give_backs.iter().map(|(_, change)| change.clone()).collect();
    let volumes = if changes.is_empty() { volumes } else { change(calls, &changes).await? };
    for (member, change) in &give_backs {
        progress(&plan.of, format!("Gave {} of member {member} its tags back", change.volume));
        done.step(StepName::Tag, member);
    }
    done.steps.insert((StepName::Accept, None));
    done.passed = Some(StepName::Accept);
    done.acceptance = Some(acceptance(&volumes, &plan.expected()));
    Ok(())
}

/// Writes, sees it written, takes away, sees it taken.
async fn change(calls: &Calls<'_>, changes: &[TagChange]) -> Result<Vec<Volume>, Halt> {
    calls.write(changes.iter()).await?;
    let written = |volumes: &[Volume]| changes.iter().all(|change| change.is_written(volumes));
    calls.look_until("the tags that were written", written).await?;
    calls.take(changes.iter()).await?;
    let taken = |volumes: &[Volume]| changes.iter().all(|change| change.is_taken(volumes));
    calls.look_until("that the tags are gone", taken).await
}
