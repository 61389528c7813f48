//! What the model tests share: random sequences of operations, run by a few threads, and what was seen in them.
//!
//! `MODEL_CASES` sets how many sequences are run, `MODEL_SEED` (a number) makes up others. A failure is shrunk and
//! printed; the same seed fails again.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::Mutex;
use std::{env, thread};

use proptest::prelude::{Strategy, TestCaseError};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// Most of a case is waiting.
const THREADS: u32 = 3;
/// A case takes seconds: what is left of a sequence after so many attempts is short enough.
const SHRINKING: u32 = 60;

/// Whether promises were kept.
pub(crate) type Kept = Result<(), TestCaseError>;

/// What happened how often.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, usize>>);

impl Tally {
    pub(crate) fn add(&self, what: &'static str, times: usize) {
        *self.0.lock().unwrap().entry(what).or_default() += times;
    }
}

/// A test by sequences.
pub(crate) struct Sequences {
    /// How many are run by default.
    pub(crate) cases: u32,
    /// What must not be missing from those, lest the test fall silent.
    pub(crate) seen: &'static [&'static str],
}

impl Sequences {
    /// Runs what is made up: operations, and where they happen.
    pub(crate) fn run<O: Debug, S: Debug, M: Strategy<Value = (Vec<O>, S)>>(
        &self,
        made_up: impl Fn() -> M + Sync,
        case: impl Fn(&S, &[O], &Tally) -> Kept + Sync,
    ) {
        let cases: u32 = number("MODEL_CASES").unwrap_or(self.cases);
        let seed: u32 = number("MODEL_SEED").unwrap_or_default();
        let tally = Tally::default();
        let failures: Vec<String> = thread::scope(|scope| {
            let (made_up, case, tally) = (&made_up, &case, &tally);
            let run = |n| move || run((seed, n), cases.div_ceil(THREADS), &made_up(), |s, o| case(s, o, tally));
            let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(run(n))).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect()
        });
        let tally = tally.0.into_inner().unwrap();
        show(&tally);
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
        for what in self.seen.iter().filter(|_| cases >= self.cases) {
            assert!(tally.get(what).is_some_and(|times| *times > 0), "no case had this: {what}");
        }
    }
}

/// The one that a number chooses.
pub(crate) fn pick<T>(list: &[T], choice: u8) -> Option<&T> {
    if list.is_empty() { None } else { list.get(usize::from(choice) % list.len()) }
}

fn number(variable: &str) -> Option<u32> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}

fn run<O: Debug, S: Debug, M: Strategy<Value = (Vec<O>, S)>>(
    (seed, thread): (u32, u32),
    cases: u32,
    made_up: &M,
    case: impl Fn(&S, &[O]) -> Kept,
) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: SHRINKING, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    bytes[4..8].copy_from_slice(&thread.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, rng).run(made_up, |(operations, setup)| case(&setup, &operations)).map_err(
        |error| match error {
            TestError::Fail(why, (operations, setup)) => {
                let mut text = format!("{why}\nMODEL_SEED={seed}, thread {thread}\n{setup:?}\n");
                for operation in operations {
                    let _ = writeln!(text, "  {operation:?}");
                }
                text
            }
            TestError::Abort(why) => why.to_string(),
        },
    )
}

/// With `--nocapture`, and where the test fails.
#[expect(clippy::print_stdout, reason = "what happened how often is for people")]
fn show(tally: &BTreeMap<&'static str, usize>) {
    println!("{tally:#?}");
}
