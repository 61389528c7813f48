//! What an export is made of, and what a store has.

mod snapshots;
mod stores;

use crate::snapshot::SnapshotState;

const SLOT: &str = "2026-11-23T02:00:00Z";
const OLDER: &str = "2026-11-23T01:00:00Z";
const COMPLETED: [SnapshotState; 3] = [SnapshotState::Completed; 3];
