//! `backup` against a reference model: random sequences of hours, deliveries, faults and interference, run with the
//! real binary on the local AWS; after every delivery the promises are checked from outside, by a model that says the
//! rules once more in its own few words. How they are run: [`crate::sequences`].

mod delivery;
mod finale;
mod interference;
mod operations;
mod points;
mod promises;
mod retention;
mod verdicts;
mod world;

use jiff::SignedDuration;
use proptest::prelude::TestCaseError;
use scenarios::LocalAws;

use operations::{Op, Setup};
use world::World;

use crate::sequences::{Sequences, Tally, pick};

/// What must not be missing from the cases run by default, lest the test fall silent.
const SEEN: [&str; 22] = [
    "an hour passes",
    "redelivery",
    "redelivery, same request",
    "retry of an older slot",
    "concurrent deliveries",
    "snapshots taken twice",
    "by hand",
    "volume lost",
    "volume replaced",
    "one ends in error",
    "foreign: copy",
    "create, answer lost",
    "snapshots deleted",
    "verdict: ok",
    "verdict: degraded",
    "verdict: unsupported",
    "verdict: corrupt",
    "kept as verified",
    "kept in place of a corrupt one",
    "failed or partial, kept beside a corrupt one",
    "surplus of a corrupt point kept",
    "corrupt points gone",
];

#[test]
fn the_promises_hold_whatever_happens() {
    Sequences { cases: 30, seen: &SEEN }.run(|| (operations::operations(), operations::setups()), case);
}

fn case(setup: &Setup, operations: &[Op], tally: &Tally) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let account = LocalAws::account();
        let mut world = World::new(&account, setup, tally).await;
        for operation in operations {
            tally.add(operation.name(), 1);
            world.apply(operation).await?;
        }
        tally.add("cases", 1);
        world.finale().await
    })
}

impl World<'_> {
    async fn apply(&mut self, operation: &Op) -> Result<(), TestCaseError> {
        match operation {
            Op::Hour { hours, troubles } => {
                self.slot += i64::from(*hours) * 3600;
                let run = self.scheduled(self.slot, SignedDuration::from_secs(2), 1, troubles).await?;
                self.check(&run)
            }
            Op::Again { same_request, troubles } => {
                let Some(mut last) = self.last.clone() else { return Ok(()) };
                if !same_request {
                    last.request = self.request_id();
                }
                let run = self.deliver_last(last, SignedDuration::from_secs(40), 1, troubles).await?;
                self.check(&run)
            }
            Op::Retry { slot, minutes, troubles } => {
                let Some(slot) = pick(&self.slots, *slot).copied() else { return Ok(()) };
                let late = SignedDuration::from_mins((*minutes).into());
                let run = self.scheduled(slot, late, 1, troubles).await?;
                self.check(&run)
            }
            Op::Together { hours, apart, troubles } => {
                self.slot += i64::from(*hours) * 3600;
                let run = self.scheduled(self.slot, SignedDuration::from_secs(3), 2, troubles).await?;
                self.check(&run)?;
                self.spread(run.slot, *apart).await;
                Ok(())
            }
            Op::ByHand { keep, prune, one_cluster, deliveries } => {
                self.a_person(*keep, *prune, *one_cluster, *deliveries).await
            }
            other => {
                self.interfere(other).await;
                Ok(())
            }
        }
    }

    async fn a_person(
        &mut self,
        keep: bool,
        prune: bool,
        one_cluster: bool,
        deliveries: u8,
    ) -> Result<(), TestCaseError> {
        let request = self.request_id();
        let first = self.by_hand(keep, prune, one_cluster, &request).await?;
        self.check(&first)?;
        if deliveries > 1 {
            let second = self.by_hand(keep, prune, one_cluster, &request).await?;
            self.check(&second)?;
            proptest::prop_assert!(
                second.slot == first.slot || first.creates.is_empty(),
                "promise 1: the same invocation by hand, delivered again, took another slot"
            );
        }
        Ok(())
    }

    async fn interfere(&mut self, operation: &Op) {
        match operation {
            Op::Settle { every } => self.settle(*every).await,
            Op::Fail(which) => self.fail(*which).await,
            Op::Stick(which) => self.stick(*which).await,
            Op::Lose(which) => self.lose(*which).await,
            Op::LoseAll(which) => self.lose_all(*which).await,
            Op::Replace(which) => self.replace(*which).await,
            Op::Pin(which) => self.pin(*which).await,
            Op::Unpin(which) => self.unpin(*which).await,
            Op::Judge { found, which, alone } => self.judge(found, *which, *alone).await,
            Op::Foreign(how, which) => self.foreign(*how, *which).await,
            delivery => unreachable!("{delivery:?} is delivered"),
        }
    }
}
