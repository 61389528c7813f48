//! How the tag `etcd-backup/verified` is written and read: this is the one place that does.
//!
//! The value is a verdict, then words `key=value`, the free text of `reason` last:
//! - `ok at=2026-11-23T02:01:07Z revision=119172 index=119600 term=3 last=3.119625 commit=119621 cluster=6d0a… member=8e9e…
//!   voters=3:1a2b3c4d`
//! - `corrupt at=2026-11-23T02:01:07Z reason=both bbolt metas are broken`
//!
//! `revision` is etcd's, `index` the consistent index of the database; `term` (of the last `HardState`), `last` (term and
//! index of the log's last entry), `commit` and, where it is not `term`, `commit-term` (in which it learned of that) are
//! raft's; `cluster` and `member` are etcd's own ids in hexadecimal, `voters` stands for those of the members that have a
//! vote. From `term`, `last` and `commit` on it is a [`Position`].
//!
//! While a snapshot is read for the first time, `begun at=…` stands there, which is no verdict: see [`begun`].
//!
//! An operator may write the tag by hand, and a newer version may add words: what is not known is passed over.

use std::fmt;

use jiff::Timestamp;

use super::{Verdict, Verified};
use crate::raft::Position;
use crate::slot::Slot;
use crate::tags::MOST_VALUE;

/// The word that begins the tag of a snapshot whose reading has begun.
const BEGUN: &str = "begun";

/// The tag's value while a snapshot without a verdict is read: no verdict, so that nobody counts it for one. Where it stands
/// later on, reading came to no end that could be told.
#[must_use]
pub fn begun(at: Timestamp) -> String {
    format!("{BEGUN} at={}", Slot::at(at).time())
}

/// Whether a tag's value says so.
#[must_use]
pub fn is_begun(value: &str) -> bool {
    value.split_whitespace().next() == Some(BEGUN)
}

impl Verified {
    /// Reads the tag's value. `None`: it begins with no verdict. A number or a time that cannot be read is none.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let verdict = Verdict::read(value)?;
        let (words, reason) = split_reason(value);
        let word = |key: &str| words.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        Some(Self {
            verdict,
            at: word("at").and_then(|at| at.parse().ok()),
            position: position(word),
            reason: reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned),
        })
    }
}

/// Reads a position's words. `None`: one of those is missing without which no set can be judged.
fn position<'a>(word: impl Fn(&str) -> Option<&'a str>) -> Option<Position> {
    let number = |key: &str| word(key)?.parse().ok();
    let id = |key: &str| u64::from_str_radix(word(key)?, 16).ok();
    Some(Position {
        last: word("last")?.parse().ok()?,
        term: number("term")?,
        commit: number("commit")?,
        commit_term: number("commit-term").or_else(|| number("term"))?,
        revision: word("revision").and_then(|revision| revision.parse().ok()),
        index: number("index"),
        cluster: id("cluster"),
        member: id("member"),
        voters: word("voters").and_then(|voters| voters.parse().ok()),
    })
}

/// Where the free text begins, everything up to the end is part of it, whatever it looks like.
fn split_reason(value: &str) -> (&str, Option<&str>) {
    const REASON: &str = " reason=";
    value.find(REASON).map_or((value, None), |at| (&value[..at], Some(&value[at + REASON.len()..])))
}

/// A position's words, in their order.
fn words(position: &Position) -> [(&'static str, Option<String>); 9] {
    let text = |number: Option<u64>| number.map(|number| number.to_string());
    let id = |id: Option<u64>| id.map(|id| format!("{id:x}"));
    [
        ("revision", position.revision.map(|revision| revision.to_string())),
        ("index", text(position.index)),
        ("term", text(Some(position.term))),
        ("last", Some(position.last.to_string())),
        ("commit", text(Some(position.commit))),
        ("commit-term", text(Some(position.commit_term).filter(|term| *term != position.term))),
        ("cluster", id(position.cluster)),
        ("member", id(position.member)),
        ("voters", position.voters.map(|voters| voters.to_string())),
    ]
}

/// At most [`MOST_VALUE`] characters, the end of the reason cut off. Everything else is far shorter.
impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.verdict.word().to_owned();
        let at = [("at", self.at.map(|at| at.to_string()))];
        let reason = [("reason", self.reason.clone())];
        for (key, value) in at.into_iter().chain(self.position.iter().flat_map(words)).chain(reason) {
            if let Some(value) = value {
                text = format!("{text} {key}={value}");
            }
        }
        let cut: String = text.chars().take(MOST_VALUE).collect();
        f.write_str(cut.trim_end())
    }
}
