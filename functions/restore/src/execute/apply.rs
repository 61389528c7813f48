//! An apply: create, wait, retire, tag, accept. Between the steps EC2 is asked what is there by now, and the plan says
//! whether the next may be taken.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::ids::Member;
use etcd_backup_core::restore::{Done, Reached, RestorePlan, Standing, StepName, TagChange, acceptance};
use etcd_backup_core::volume::Volume;
use futures::future::join_all;
use jiff::Timestamp;

use super::Halt;
use super::calls::{Calls, Pause, changes, progress};

/// Carries out a plan. Gives what was done, and why it went no further, if so.
pub(crate) async fn apply(
    plan: &RestorePlan,
    volumes: Vec<Volume>,
    ec2: &Ec2,
    deadline: Deadline,
) -> (Done, Option<String>) {
    let calls = Calls { ec2, deadline, of: &plan.of };
    let mut run = Run { plan, calls, done: Done { made: plan.made(), ..Done::default() }, has_taken: false };
    let stopped = match run.steps(volumes).await {
        Ok(()) => None,
        Err(Halt::Pause(why)) => Some(format!("{why}; send the same event again, it goes on where it stopped")),
        Err(Halt::End(why)) => Some(format!("{why}; {}", run.what_then())),
        Err(Halt::Withdraw(why)) => Some(match run.withdraw().await {
            Ok(()) => format!("{why}; this restore has withdrawn, its volumes are retired: {}", run.what_then()),
            Err(failed) => {
                format!(
                    "{why}; and this restore's volumes could not be withdrawn ({failed}): send the event under `undo`"
                )
            }
        }),
    };
    (run.done, stopped)
}

struct Run<'a> {
    plan: &'a RestorePlan,
    calls: Calls<'a>,
    done: Done,
    /// Whether tags have been taken from old volumes.
    has_taken: bool,
}

impl Run<'_> {
    async fn steps(&mut self, volumes: Vec<Volume>) -> Result<(), Halt> {
        if self.plan.is_done() {
            self.accept(&volumes);
            return Ok(());
        }
        self.create().await?;
        let volumes = self.wait().await?;
        if !self.plan.cut_over {
            return Ok(());
        }
        let volumes = self.settled(volumes, Reached::Made).await?;
        let volumes = self.retire(volumes).await?;
        let volumes = self.tag(volumes).await?;
        self.done.steps.insert((StepName::Accept, None));
        self.accept(&volumes);
        Ok(())
    }

    /// What the operator does where this restore is over.
    fn what_then(&self) -> &'static str {
        if self.plan.stage > 1 {
            "the members of the first stage run on: let the others join empty (README, `One of three members lost`), or \
             send the event under `undo` and plan again"
        } else if self.has_taken {
            "the old volumes are retired too, send the event under `undo` to have them back; then plan again"
        } else {
            "plan again"
        }
    }

    async fn create(&mut self) -> Result<(), Halt> {
        self.calls.check_time()?;
        let missing = self.plan.members.iter().filter(|member| member.made.is_none());
        let creating = missing.map(|member| async {
            let create = async { self.calls.ec2.create_volume(&member.new, &self.calls.permit().await).await };
            (&member.lineage.member, self.calls.call(create).await)
        });
        let mut failures = Vec::new();
        for (member, created) in join_all(creating).await {
            match created {
                Ok(volume) => {
                    progress(&self.plan.of, format!("Created {volume} for member {member}"));
                    self.done.made.insert(member.clone(), volume);
                    self.done.steps.insert((StepName::Create, Some(member.clone())));
                }
                Err(why) => failures.push(format!("member {member}: {why}")),
            }
        }
        if !failures.is_empty() {
            let failures = failures.join("; ");
            return Err(Halt::Pause(format!(
                "{failures} (if the event is at fault, undo what was made, and plan again)"
            )));
        }
        self.done.passed = Some(StepName::Create);
        Ok(())
    }

    /// The SDK's own waiter polls on through `error`, and fails where the volume is not listed yet.
    async fn wait(&mut self) -> Result<Vec<Volume>, Halt> {
        let mut pause = Pause::for_volumes();
        loop {
            let volumes = self.calls.look().await?;
            match self.plan.available(&self.done.made, &volumes, !pause.is_over()) {
                Standing::Clear => {
                    self.plan.waited_for().for_each(|member| self.done.step(StepName::Wait, member));
                    self.done.passed = Some(StepName::Wait);
                    progress(&self.plan.of, "The new volumes can be used");
                    return Ok(volumes);
                }
                Standing::Wait(why) | Standing::WaitForRival(why) => progress(&self.plan.of, format!("Waiting: {why}")),
                Standing::Withdraw(why) => return Err(Halt::Withdraw(why)),
                Standing::Over(why) => return Err(Halt::End(why)),
            }
            self.calls.pause(&mut pause).await?;
        }
    }

    /// Goes on once nobody else is at these members, and what was written is to be seen.
    async fn settled(&self, mut volumes: Vec<Volume>, reached: Reached) -> Result<Vec<Volume>, Halt> {
        let mut pause = Pause::for_tags();
        loop {
            match self.plan.standing(&self.done.made, &volumes, reached) {
                Standing::Clear => return Ok(volumes),
                Standing::WaitForRival(why) if pause.is_over() => return Err(Halt::Withdraw(why)),
                Standing::Wait(why) if pause.is_over() => return Err(Halt::Pause(why)),
                Standing::Wait(why) | Standing::WaitForRival(why) => progress(&self.plan.of, format!("Waiting: {why}")),
                Standing::Withdraw(why) => return Err(Halt::Withdraw(why)),
                // What this run has written meanwhile must not stay on a volume that is nobody's any more.
                Standing::Over(why) if reached == Reached::Tagged => return Err(Halt::Withdraw(why)),
                Standing::Over(why) => return Err(Halt::End(why)),
            }
            self.calls.pause(&mut pause).await?;
            volumes = self.calls.look().await?;
        }
    }

    /// All old volumes, before the first new one is tagged: old and new members never meet.
    async fn retire(&mut self, volumes: Vec<Volume>) -> Result<Vec<Volume>, Halt> {
        let now = Timestamp::now();
        let retirements = self.plan.retirements(&self.done.made, &volumes, now).map_err(Halt::Pause)?;
        if retirements.is_empty() {
            self.done.passed = Some(StepName::Retire);
            return Ok(volumes);
        }
        let changes = changes(&retirements);
        let volumes = self.calls.write_and_see(&changes).await?;
        // For a volume that was undone meanwhile nothing is taken from the old ones.
        self.settled(volumes, Reached::Made).await?;
        self.has_taken = true;
        self.calls.take(changes.iter()).await?;
        let volumes = self.settled(self.calls.look().await?, Reached::Retired).await?;
        self.did(StepName::Retire, &retirements, "Retired");
        Ok(volumes)
    }

    async fn tag(&mut self, volumes: Vec<Volume>) -> Result<Vec<Volume>, Halt> {
        let taggings = self.plan.taggings(&self.done.made, &volumes).map_err(Halt::Pause)?;
        if taggings.iter().all(|(_, change)| change.write.is_empty() && change.take.is_empty()) {
            self.done.passed = Some(StepName::Tag);
            return Ok(volumes);
        }
        let changes = changes(&taggings);
        self.calls.write(changes.iter()).await?;
        // While the private tags are there, two restores that did not see each other can still tell who gives way.
        self.settled(self.calls.look().await?, Reached::Tagged).await?;
        self.calls.take(changes.iter()).await?;
        let taken = |volumes: &[Volume]| changes.iter().all(|change| change.is_taken(volumes));
        let volumes = self.calls.look_until("that the private tags are gone", taken).await?;
        let volumes = self.settled(volumes, Reached::Tagged).await?;
        self.did(StepName::Tag, &taggings, "Tagged");
        Ok(volumes)
    }

    fn did(&mut self, step: StepName, listed: &[(Member, TagChange)], what: &str) {
        for (member, change) in listed {
            progress(&self.plan.of, format!("{what} {} of member {member}", change.volume));
            self.done.step(step, member);
        }
        self.done.passed = Some(step);
    }

    fn accept(&mut self, volumes: &[Volume]) {
        self.done.passed = Some(StepName::Accept);
        if self.plan.cut_over {
            self.done.acceptance = Some(acceptance(volumes, &self.plan.expected(&self.done.made)));
        }
    }

    /// This restore's volumes become nobody's.
    async fn withdraw(&self) -> Result<(), String> {
        let withdraw = async {
            let volumes = self.calls.look().await?;
            self.calls.change(&self.plan.withdrawals(&self.done.made, &volumes, Timestamp::now())).await
        };
        withdraw.await.map(|_| ()).map_err(|(Halt::Pause(why) | Halt::End(why) | Halt::Withdraw(why))| why)
    }
}
