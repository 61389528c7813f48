//! Raft: where members stand in their log, in which order a set of them can be started, and what contradicts.
//!
//! Members that were copied at different moments can be started in an order that leaves one stuck for ever, without an
//! error: where a member leads whose log ends before what another knows to be committed. Raft lets any member lead whose
//! log is at least as long as those of a quorum (Ongaro, "Consensus: Bridging Theory and Practice", 3.6.1; etcd-io/raft
//! `raft.go`, `isUpToDate`). So it takes each member's [`Position`] to say what can happen, and no clock.

mod agree;
mod contradict;
mod judge;
mod position;
#[cfg(test)]
mod tests;

pub use agree::Remains;
pub(crate) use agree::remains;
pub use judge::{Judgement, Order, judge, quorum};
pub use position::{InvalidPosition, LogEnd, Position, Voters};
