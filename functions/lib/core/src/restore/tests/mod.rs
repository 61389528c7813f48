//! The planner against tables and properties.

mod acceptance;
mod answers;
mod apply_event;
mod fixtures;
mod parking;
mod progress;
mod refusals;
mod requests;
mod settings;
mod sources;
mod standing;
mod undo;
