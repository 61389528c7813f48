//! Retention: restic's `forget` words and meaning, judged over the complete recovery points of one etcd cluster.
//!
//! Source of the meaning: restic 0.18, `internal/data/snapshot_policy.go` (`ApplyPolicy`) and
//! `internal/data/duration.go`. In UTC, where restic uses the snapshot's own zone.

mod calendar;
mod judge;
mod policy;
#[cfg(test)]
pub(crate) mod tests;

pub use judge::{Judgement, KeepReason, judge};
pub use policy::{InvalidPolicy, Policy};
