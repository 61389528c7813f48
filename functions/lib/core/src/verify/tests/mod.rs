//! Requests, plans and reports against tables and properties.

mod answers;
mod comparisons;
mod failed;
mod fixtures;
mod notified;
mod plans;
mod reads;
mod refusals;
mod requests;
mod tags;
