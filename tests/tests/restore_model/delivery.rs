//! An event is delivered, once or to two processes at once, and everything around it is recorded.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};
use scenarios::FunctionError;
use scenarios::observed::Call;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::moments::{Change, Making, Moment};
use super::operations::Trouble;
use super::world::{MEMBERS, World, start};
use crate::sequences::{Kept, pick};

/// For so long a call hangs while something else happens.
const HANGS: Duration = Duration::from_millis(400);

pub(super) type Answer = Result<Value, FunctionError>;

/// Which event of a restore.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sent {
    Apply,
    Then { allow_unattached: bool },
    Undo,
}

/// A delivery and what came of it.
pub(super) struct Run {
    /// Which restore's event.
    pub(super) of: usize,
    pub(super) sent: Sent,
    pub(super) trouble: Trouble,
    /// Whether no other delivery was under way.
    pub(super) is_alone: bool,
    pub(super) start: Moment,
    pub(super) end: Moment,
    pub(super) calls: Vec<Call>,
    pub(super) changes: Vec<Change>,
    pub(super) answer: Answer,
    /// The volumes that had been attached for a minute.
    pub(super) up: BTreeSet<String>,
}

/// What happened beside a run.
#[derive(Default)]
struct Meanwhile {
    claimant: Option<String>,
    attached: Option<String>,
    making: Making,
    is_dead: bool,
}

impl Run {
    /// The stage whose members are tagged.
    pub(super) fn stage(&self) -> usize {
        if matches!(self.sent, Sent::Then { .. }) { 2 } else { 1 }
    }
}

impl World<'_> {
    /// The event, if there is one by now.
    pub(super) fn event(&self, of: usize, sent: Sent) -> Option<Value> {
        let restore = &self.restores[of];
        match sent {
            Sent::Apply => Some(restore.apply.clone()),
            Sent::Then { allow_unattached } => {
                let mut then = restore.then.clone()?;
                if allow_unattached {
                    then["allow_unattached"] = json!(true);
                }
                Some(then)
            }
            Sent::Undo => (!restore.made.is_empty()).then(|| restore.undo()),
        }
    }

    pub(super) async fn deliver(
        &mut self,
        of: usize,
        sent: Sent,
        event: &Value,
        trouble: Trouble,
    ) -> Result<Run, TestCaseError> {
        if let Trouble::Attached { which, .. } = trouble {
            self.master(MEMBERS[usize::from(which)]).await;
        }
        let start = self.prepare(of, sent).await;
        let (answer, meanwhile) = self.under(of, trouble, event).await;
        self.tally.add(trouble.name(), 1);
        if meanwhile.is_dead {
            self.restart().await;
        }
        self.foreign.extend(meanwhile.claimant.map(|volume| (volume, Timestamp::now())));
        self.attached.extend(meanwhile.attached.map(|volume| (volume, Timestamp::now())));
        self.record((of, sent, trouble, true), start, answer, &meanwhile.making).await
    }

    /// Two events at the same moment. The second restore's may be the same.
    pub(super) async fn deliver_both(&mut self, of: [usize; 2]) -> Result<[Run; 2], TestCaseError> {
        let second = start_second(self).await;
        let start = self.prepare(of[0], Sent::Apply).await;
        self.prepare(of[1], Sent::Apply).await;
        let events = of.map(|of| self.restores[of].apply.clone());
        let (one, other) = tokio::join!(self.function.invoke(events[0].clone()), second.invoke(events[1].clone()));
        let making = Making::default();
        let one = self.record((of[0], Sent::Apply, Trouble::None, false), start.clone(), one, &making).await?;
        let other = self.record((of[1], Sent::Apply, Trouble::None, false), start, other, &making).await?;
        Ok([one, other])
    }

    /// Before a run: what it must give back.
    async fn prepare(&mut self, of: usize, sent: Sent) -> Moment {
        let start = self.now().await;
        let restore = &mut self.restores[of];
        if sent == Sent::Apply {
            for member in restore.members.iter().chain(&restore.emptied) {
                for volume in start.claimants(member) {
                    let tags = &start.tags[volume];
                    let is_untouched = !tags.keys().any(|key| key.starts_with("etcd-backup/"));
                    if is_untouched && !restore.has_made(volume) {
                        restore.before.insert(volume.to_owned(), tags.clone());
                    }
                }
            }
        }
        self.account.forget_calls().await;
        start
    }

    async fn record(
        &mut self,
        (of, sent, trouble, is_alone): (usize, Sent, Trouble, bool),
        start: Moment,
        answer: Answer,
        making: &Making,
    ) -> Result<Run, TestCaseError> {
        let calls = self.all_ended().await;
        self.learn(&calls)?;
        let (end, changes) = start.clone().replay(&calls, making);
        let now = self.now().await;
        prop_assert_eq!(&end.tags, &now.tags, "the call log does not tell what happened");
        let up = self.attached.keys().filter(|volume| self.is_up(volume)).cloned().collect();
        Ok(Run { of, sent, trouble, is_alone, start, end: now, calls, changes, answer, up })
    }

    /// Which volumes the restores have made, and which they have retired.
    fn learn(&mut self, calls: &[Call]) -> Kept {
        for call in calls.iter().filter(|call| call.performed && call.error.is_none()) {
            let tags = call.tags();
            let Some(id) = tags.get("etcd-backup/restore") else { continue };
            let restore = self.restores.iter_mut().find(|restore| restore.id == *id);
            let Some(restore) = restore else { return Err(TestCaseError::fail(format!("who is {id}?"))) };
            if let Some(made) = &call.made {
                let member = tags["etcd-backup/lineage"].trim_start_matches("main/").to_owned();
                let before = restore.made.insert(member.clone(), made.clone());
                prop_assert!(
                    before.as_ref().is_none_or(|before| before == made),
                    "promise 3: {id} made {before:?} and {made} for {member}"
                );
            } else if call.action == "CreateTags" {
                restore.retired.extend(call.param("ResourceId.1").map(str::to_owned));
            }
        }
        Ok(())
    }

    /// The calls, once none is under way any more.
    async fn all_ended(&self) -> Vec<Call> {
        loop {
            let calls = self.account.all_calls().await;
            if calls.iter().all(|call| call.ended.is_some()) {
                return calls;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn under(&self, of: usize, trouble: Trouble, event: &Value) -> (Answer, Meanwhile) {
        let account = self.account;
        let next = |call: u8| account.fail_next("*").after(u32::from(call) - 1);
        match trouble {
            Trouble::None | Trouble::Slow | Trouble::Fails(_) | Trouble::Dies { .. } => {}
            Trouble::Refused { call, times } => {
                next(call).with("UnauthorizedOperation", 403).times(times.into()).await;
            }
            Trouble::Throttled(call) => next(call).with("RequestLimitExceeded", 503).await,
            Trouble::AnswerLost(call) => next(call).losing_the_answer().await,
            Trouble::Claimed { call, .. } | Trouble::Attached { call, .. } => next(call).done_after(HANGS).await,
        }
        let mut meanwhile = Meanwhile::default();
        let mut invocation = pin!(self.function.invoke(event.clone()));
        let answer = match trouble {
            Trouble::Dies { call, after } => {
                if after {
                    next(call).losing_the_answer().await;
                }
                next(call).losing_the_request().always().await;
                tokio::select! {
                    biased;
                    () = self.until(|calls| has_ended(calls, call)) => {
                        meanwhile.is_dead = true;
                        self.function.kill(account).await;
                        invocation.await
                    }
                    answer = &mut invocation => answer,
                }
            }
            Trouble::Claimed { call, .. } | Trouble::Attached { call, .. } => {
                tokio::select! {
                    biased;
                    () = self.until(|calls| calls.len() >= usize::from(call)) => {
                        self.happens(of, trouble, &mut meanwhile).await;
                        invocation.await
                    }
                    answer = &mut invocation => answer,
                }
            }
            Trouble::Slow | Trouble::Fails(_) => {
                account.volumes_stay_creating().await;
                let answer = tokio::select! {
                    biased;
                    () = self.until(is_waiting_for_volumes) => {
                        self.volumes_are_made(trouble, &mut meanwhile).await;
                        invocation.await
                    }
                    answer = &mut invocation => answer,
                };
                account.volumes_are_made_at_once().await;
                answer
            }
            _ => invocation.await,
        };
        account.clear_faults().await;
        (answer, meanwhile)
    }

    async fn until(&self, is_so: impl Fn(&[Call]) -> bool) {
        while !is_so(&self.account.all_calls().await) {
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn happens(&self, of: usize, trouble: Trouble, meanwhile: &mut Meanwhile) {
        match trouble {
            Trouble::Claimed { member, .. } => {
                meanwhile.claimant = Some(self.blank_volume(MEMBERS[usize::from(member)]).await);
            }
            Trouble::Attached { which, .. } => {
                let member = MEMBERS[usize::from(which)];
                let calls = self.account.calls("CreateVolume").await;
                let is_of = |call: &&Call| call.tags().get("etcd-backup/lineage") == Some(&format!("main/{member}"));
                let made = calls.iter().filter(is_of).find_map(|call| call.made.clone());
                let Some(volume) = made.or_else(|| self.restores[of].made.get(member).cloned()) else { return };
                let attach = self.account.ec2().attach_volume().volume_id(&volume).device("/dev/xvdz");
                // It may be another master's already, or gone.
                if attach.instance_id(&self.masters[member]).send().await.is_ok() {
                    meanwhile.attached = Some(volume);
                }
            }
            _ => {}
        }
    }

    async fn volumes_are_made(&self, trouble: Trouble, meanwhile: &mut Meanwhile) {
        if let Trouble::Fails(which) = trouble {
            let calls = self.account.calls("CreateVolume").await;
            let made: Vec<String> = calls.into_iter().filter_map(|call| call.made).collect();
            if let Some(failed) = pick(&made, which) {
                self.account.change_volumes(failed).state("error").await;
                meanwhile.making.failed = Some(failed.clone());
            }
        }
        let settled = Timestamp::now().as_microsecond();
        #[expect(clippy::cast_precision_loss, reason = "as the call log has it")]
        let settled = settled as f64 / 1e6;
        meanwhile.making.settled = Some(settled);
        self.account.settle_volumes().await;
    }
}

async fn start_second(world: &World<'_>) -> scenarios::RunningFunction {
    start(world.account).await
}

fn has_ended(calls: &[Call], call: u8) -> bool {
    calls.get(..usize::from(call)).is_some_and(|calls| calls.iter().all(|call| call.ended.is_some()))
}

/// The function has looked since it made them.
fn is_waiting_for_volumes(calls: &[Call]) -> bool {
    let made = calls.iter().rposition(|call| call.action == "CreateVolume");
    let looked = calls.iter().rposition(|call| call.action == "DescribeVolumes");
    made.is_some_and(|made| looked.is_some_and(|looked| looked > made))
}
