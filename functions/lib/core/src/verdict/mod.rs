//! What `verify` found of a snapshot. `tag` has how it is written there.

mod tag;
#[cfg(test)]
mod tests;

pub use tag::{begun, is_begun};

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::raft::Position;
use crate::slot::Slot;
use crate::told;

/// Whether a restorable etcd is in a snapshot. From good to bad: of several members the worst one is the set's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Structurally restorable: every rule that was checked holds. Not that all data are intact.
    Ok,
    /// Restorable, though something is broken that etcd gets over. It counts as complete, and not as verified.
    Degraded,
    /// It cannot be read: another file system, or a feature that is not known. That says nothing of the etcd in it, so
    /// it counts as one that was never judged.
    Unsupported,
    /// etcd could not start from it.
    Corrupt,
}

impl Verdict {
    /// Its name in tags, answers and events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
        }
    }

    /// The verdict that a tag's value begins with; `None` where it begins with none, as if nothing had been written.
    /// Anything that begins with `corrupt` is: who writes `corrupted!` by hand means it.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let value = value.trim_start();
        if value.starts_with(Self::Corrupt.word()) {
            return Some(Self::Corrupt);
        }
        let first = value.split_whitespace().next()?;
        [Self::Ok, Self::Degraded, Self::Unsupported].into_iter().find(|verdict| verdict.word() == first)
    }

    /// Whether etcd can be expected to start from what was read.
    #[must_use]
    pub fn is_restorable(self) -> bool {
        matches!(self, Self::Ok | Self::Degraded)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The value of the tag `etcd-backup/verified`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The verdict.
    pub verdict: Verdict,
    /// When the snapshot was read, in whole seconds.
    pub at: Option<Timestamp>,
    /// Where the member stood, of an etcd that is restorable.
    pub position: Option<Position>,
    /// What is wrong, in one line.
    pub reason: Option<String>,
}

impl Verified {
    /// That verdict, found at that moment.
    #[must_use]
    pub fn new(verdict: Verdict, at: Timestamp) -> Self {
        Self { verdict, at: Some(Slot::at(at).time()), position: None, reason: None }
    }

    /// With what is wrong, as one line without space at its ends.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let words: Vec<&str> = reason.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        self.reason = Some(told::sentence(&line).to_string()).filter(|line| !line.is_empty());
        self
    }

    /// Whether it counts: one of a restorable etcd does only with a position.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.verdict.is_restorable() || self.position.is_some()
    }
}
