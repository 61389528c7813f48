//! `restore` against a reference model: random sequences of plans, applies, second stages and undos, of deaths at any
//! call, and of what others do meanwhile, run with the real binary on the local AWS. After every delivery the promises are
//! checked from outside, for each single change of a tag. How they are run: [`crate::sequences`].

mod answers;
mod delivery;
mod finale;
mod going_on;
mod interference;
mod moments;
mod operations;
mod promises;
mod refusals;
mod restores;
mod world;

use proptest::prelude::TestCaseError;
use scenarios::LocalAws;

use operations::{Op, Setup};
use world::World;

use crate::sequences::{Kept, Sequences, Tally};

/// What must not be missing from the cases run by default, lest the test fall silent.
const SEEN: [&str; 11] = [
    "applied",
    "already",
    "interrupted",
    "planned in stages",
    "plan with refusals",
    "second stage applied",
    "under way",
    "undone",
    "undone on the way",
    "went on",
    "PlanChanged",
];

#[test]
fn the_promises_hold_whatever_happens() {
    Sequences { cases: 48, seen: &SEEN }.run(|| (operations::operations(), operations::setups()), case);
}

fn case(setup: &Setup, operations: &[Op], tally: &Tally) -> Kept {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let account = LocalAws::account();
        let mut world = World::new(&account, setup, tally).await;
        for operation in operations {
            tally.add(operation.name(), 1);
            world.carry_out(operation).await?;
        }
        tally.add("cases", 1);
        world.finale().await
    })
}

impl World<'_> {
    async fn carry_out(&mut self, operation: &Op) -> Result<(), TestCaseError> {
        match operation {
            Op::Plan(what) => self.plan(what).await,
            Op::Restore(what, trouble) => {
                self.plan(what).await?;
                self.apply(0, *trouble).await
            }
            Op::Apply(which, trouble) => self.apply(*which, *trouble).await,
            Op::Then { which, allow_unattached, trouble } => self.then(*which, *allow_unattached, *trouble).await,
            Op::Undo(which, trouble) => self.undo(*which, *trouble).await,
            Op::AtOnce(one, other) => self.at_once(*one, *other).await,
            Op::Start { which, long_ago } => {
                self.start_masters(*which, *long_ago).await;
                Ok(())
            }
            Op::Stop => {
                self.stop_masters().await;
                Ok(())
            }
            Op::Claim(member) => {
                self.claim(*member).await;
                Ok(())
            }
            Op::Unclaim => {
                self.unclaim().await;
                Ok(())
            }
            Op::Lose(which) => {
                self.lose(*which).await;
                Ok(())
            }
            Op::Judge(point, member, found) => {
                self.judge(*point, *member, *found).await;
                Ok(())
            }
        }
    }
}
