//! The planner against tables and properties.

mod accepted;
mod closest_set;
mod discovery;
pub(crate) mod fixtures;
pub(crate) mod histories;
mod max_prune;
mod metrics;
mod not_found;
mod outcomes;
mod plan_promises;
mod plans;
mod prune_promises;
mod replaced_volume;
mod report;
mod report_pruning;
mod rewriting;
mod slots;
mod snapshot_tags;
mod told;
mod verdicts;
