//! The planner against tables and properties.

pub(crate) mod fixtures;
mod histories;
mod max_prune;
mod prune_promises;
mod replaced_volume;
