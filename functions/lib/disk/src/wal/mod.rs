//! The write-ahead log: what etcd will replay when it starts.
//!
//! The format and every rule are etcd's `server/wal` (3.4: `wal`): `decoder.go` (frames, torn tails), `wal.go`
//! (`ReadAll`, `selectWALFiles`), `util.go` (names).

mod decoder;
mod head;
mod names;
mod record;
mod replay;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use names::{Segment, is_unknown, segments};
pub(crate) use replay::{Replay, hint, newest_snapshot, replay};

/// A place in the raft log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) index: u64,
    pub(crate) term: u64,
}

/// What the last HardState says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HardState {
    pub(crate) term: u64,
    pub(crate) commit: u64,
    /// The term of the first HardState with that commit: in it the member learned of it.
    pub(crate) commit_term: u64,
}

impl HardState {
    /// Takes the place of the one before it.
    fn follow(&mut self, next: Self) {
        let commit_term = if next.commit == self.commit { self.commit_term } else { next.term };
        *self = Self { commit_term, ..next };
    }
}
