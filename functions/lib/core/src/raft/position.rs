//! Where a member stands.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The last entry of a member's log. Ordered as raft orders logs: by term, then by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogEnd {
    /// The term of the leader that wrote the entry.
    pub term: u64,
    /// Its place in the log, from 1.
    pub index: u64,
}

/// What `verify` read of one member: where its raft log stands, and what its database says. What could not be read is
/// `None`, and is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The end of its log.
    pub last: LogEnd,
    /// The term that it was in, by its last `HardState`.
    pub term: u64,
    /// The index up to which it knows entries to be committed.
    pub commit: u64,
    /// The term in which it learned that: that of the first `HardState` that says so. They were committed in that term or
    /// before.
    pub commit_term: u64,
    /// etcd's revision, of its database.
    pub revision: Option<i64>,
    /// The index up to which its database has applied the log.
    pub index: Option<u64>,
    /// The etcd cluster's own id.
    pub cluster: Option<u64>,
    /// The member's own id.
    pub member: Option<u64>,
    /// The members that have a vote.
    pub voters: Option<Voters>,
}

impl Position {
    /// The index up to which entries are known to be committed: by raft, or by the database, which applies nothing else. The
    /// `HardState` lags behind the database in a crash image.
    pub(super) fn committed(&self) -> u64 {
        self.commit.max(self.index.unwrap_or_default())
    }

    /// The term in which these were committed, or a later one.
    pub(super) fn committed_by(&self) -> u64 {
        if self.committed() > self.commit { self.term } else { self.commit_term }
    }
}

/// The members that have a vote, by etcd's own ids: how many, and a digest, since a tag has no room for all ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voters {
    /// How many.
    pub count: usize,
    /// FNV-1a over the sorted ids, eight bytes each, the most significant first.
    pub digest: u32,
}

/// Neither `<term>.<index>` nor `<count>:<eight hex digits>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not as `verify` writes it")]
pub struct InvalidPosition;

impl Voters {
    /// Of these ids, in whatever order.
    pub fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        let ids: BTreeSet<u64> = ids.into_iter().collect();
        let bytes = ids.iter().flat_map(|id| id.to_be_bytes());
        let digest = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self { count: ids.len(), digest }
    }
}

impl fmt::Display for LogEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.term, self.index)
    }
}

impl FromStr for LogEnd {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (term, index) = text.split_once('.').ok_or(InvalidPosition)?;
        let number = |digits: &str| digits.parse().map_err(|_| InvalidPosition);
        Ok(Self { term: number(term)?, index: number(index)? })
    }
}

impl fmt::Display for Voters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:08x}", self.count, self.digest)
    }
}

impl FromStr for Voters {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (count, digest) = text.split_once(':').ok_or(InvalidPosition)?;
        let count = count.parse().map_err(|_| InvalidPosition)?;
        let digest = u32::from_str_radix(digest, 16).map_err(|_| InvalidPosition)?;
        Ok(Self { count, digest })
    }
}
