//! Scenarios: the functions as Lambda runs them, in a local AWS, a module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod attacks;
mod backup;
mod etcds;
mod export;
mod local_aws;
mod model;
mod readme;
mod restore;
mod restore_model;
mod sequences;
mod stack;
mod stand_in;
mod verify;
