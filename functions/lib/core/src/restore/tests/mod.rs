//! The planner against tables and properties.

mod acceptance;
mod apply_event;
mod fixtures;
mod parking;
mod requests;
mod settings;
