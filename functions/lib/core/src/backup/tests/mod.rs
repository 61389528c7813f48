//! The planner against tables and properties.

mod discovery;
pub(crate) mod fixtures;
mod histories;
mod max_prune;
mod not_found;
mod plans;
mod prune_promises;
mod replaced_volume;
