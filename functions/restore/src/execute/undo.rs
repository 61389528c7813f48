//! An undo: announce the old volumes to kops; retire the restored ones, all of them; then give the old ones back what
//! they had; then accept.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::restore::{Done, StepName, UndoPlan, acceptance};
use etcd_backup_core::volume::Volume;
use jiff::Timestamp;

use super::Halt;
use super::calls::{Calls, changes, progress};

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
    calls.write(plan.announcements(&volumes).iter()).await?;
    let retirements = plan.retirements(&volumes, Timestamp::now());
    let volumes = if retirements.is_empty() { volumes } else { calls.change(&changes(&retirements)).await? };
    for (member, change) in &retirements {
        progress(&plan.of, format!("Retired {} of member {member}", change.volume));
        done.step(StepName::Retire, member);
    }
    done.passed = Some(StepName::Retire);
    let give_backs = plan.give_backs(&volumes).map_err(Halt::Pause)?;
    let volumes = if give_backs.is_empty() { volumes } else { calls.change(&changes(&give_backs)).await? };
    for (member, change) in &give_backs {
        progress(&plan.of, format!("Gave {} of member {member} its tags back", change.volume));
        done.step(StepName::Tag, member);
    }
    done.steps.insert((StepName::Accept, None));
    done.passed = Some(StepName::Accept);
    done.acceptance = Some(acceptance(&volumes, &plan.expected()));
    Ok(())
}
