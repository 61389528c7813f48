//! Carries out a plan, step by step, and says how far it came.

mod apply;
mod calls;
mod undo;

pub(crate) use apply::apply;
pub(crate) use undo::undo;

/// Why a run goes no further.
#[derive(Debug)]
enum Halt {
    /// The same event goes on where it stopped.
    Pause(String),
    /// It does not: plan again.
    End(String),
    /// It does not, and its volumes must be nobody's.
    Withdraw(String),
}
