//! The planner against tables and properties.

mod acceptance;
mod account;
mod answers;
mod apply_event;
mod bad_nights;
mod fixtures;
mod joins_empty;
mod lists;
mod parking;
mod pins;
mod progress;
mod promises;
mod refusals;
mod requests;
mod settings;
mod sources;
mod stages;
mod standing;
mod under_way;
mod undo;
