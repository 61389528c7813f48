//! What `verify` found of a snapshot, and the tag that holds it: the one place that reads and writes
//! `etcd-backup/verified`.
//!
//! The value is a verdict, then words `key=value`, the free text of `reason` last:
//! - `ok at=2026-11-23T02:01:07Z revision=119172 index=119600 term=3 last=3.119625 commit=119621 cluster=6d0a… member=8e9e…
//!   voters=3:1a2b3c4d`
//! - `corrupt at=2026-11-23T02:01:07Z reason=both bbolt metas are broken`
//!
//! `revision` is etcd's, `index` the consistent index of the database; `term` (of the last `HardState`), `last` (term and index of the
//! log's last entry), `commit` and, where it is not `term`, `commit-term` (in which it learned of that) are raft's; `cluster` and `member` are etcd's own ids in hexadecimal, `voters` stands for
//! those of the members that have a vote. From `term`, `last` and `commit` on it is a [`Position`]: without one, a verdict of
//! a restorable etcd says too little to restore a set of members by, and counts as none.
//!
//! While a snapshot is read for the first time, `begun at=…` stands there, which is no verdict: see [`begun`].
//!
//! An operator may write the tag by hand, and a newer version may add words: what is not known is passed over.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::raft::Position;
use crate::slot::Slot;
use crate::tags::MOST_VALUE;

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
        self.reason = Some(line).filter(|line| !line.is_empty());
        self
    }

    /// Whether it counts: one of a restorable etcd does only with a position.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.verdict.is_restorable() || self.position.is_some()
    }

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::raft::{LogEnd, Voters};

    const AT: &str = "2026-11-23T02:01:07Z";

    fn at() -> Timestamp {
        AT.parse().expect("a time")
    }

    fn known() -> Position {
        Position {
            last: LogEnd { term: 3, index: 119_625 },
            term: 3,
            commit: 119_621,
            commit_term: 3,
            revision: Some(119_172),
            index: Some(119_600),
            cluster: Some(0x6d0a),
            member: Some(0x8e9e),
            voters: Some(Voters { count: 3, digest: 0x1a2b_3c4d }),
        }
    }

    #[test]
    fn a_verdict_is_written_as_the_contract_says() {
        let whole = "revision=119172 index=119600 term=3 last=3.119625 commit=119621 cluster=6d0a member=8e9e voters=3:1a2b3c4d";
        let ok = Verified { position: Some(known()), ..Verified::new(Verdict::Ok, at()) };
        assert_eq!(ok.to_string(), format!("ok at={AT} {whole}"));
        let degraded =
            Verified { position: Some(known()), ..Verified::new(Verdict::Degraded, at()) }.because("one meta");
        assert_eq!(degraded.to_string(), format!("degraded at={AT} {whole} reason=one meta"));
        for verdict in [Verdict::Degraded, Verdict::Corrupt, Verdict::Unsupported] {
            let because = Verified::new(verdict, at()).because("rule 1: index=7\nis  past the WAL's end ");
            assert_eq!(because.to_string(), format!("{verdict} at={AT} reason=rule 1: index=7 is past the WAL's end"));
        }
        assert_eq!(Verified::new(Verdict::Ok, at()).because(" \n").to_string(), format!("ok at={AT}"));
    }

    #[test]
    fn a_moment_is_written_in_whole_seconds() {
        let at = "2026-11-23T02:01:07.987Z".parse().expect("a time");
        assert_eq!(Verified::new(Verdict::Ok, at).to_string(), format!("ok at={AT}"));
    }

    #[test]
    fn a_value_is_read_by_its_first_word() {
        for (value, verdict) in [
            ("ok", Some(Verdict::Ok)),
            (" ok at=then", Some(Verdict::Ok)),
            ("degraded", Some(Verdict::Degraded)),
            ("unsupported reason=xfs", Some(Verdict::Unsupported)),
            ("corrupt at=then reason=crc", Some(Verdict::Corrupt)),
            ("corrupted!", Some(Verdict::Corrupt)),
            ("okay", None),
            ("ok,", None),
            ("OK", None),
            ("at=then ok", None),
            ("begun at=then", None),
            ("", None),
        ] {
            assert_eq!(Verdict::read(value), verdict, "{value:?}");
            assert_eq!(Verified::parse(value).map(|verified| verified.verdict), verdict, "{value:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let value =
            format!("ok seen=twice at={AT} deep revision=many index=7 term=3 last=3.9 commit=8 cluster=x hash=0a");
        let position = Position {
            last: LogEnd { term: 3, index: 9 },
            commit: 8,
            revision: None,
            index: Some(7),
            cluster: None,
            member: None,
            voters: None,
            ..known()
        };
        let expected = Verified { position: Some(position), ..Verified::new(Verdict::Ok, at()) };
        assert_eq!(Verified::parse(&value), Some(expected));
        let read =
            Verified::parse("corrupt at=then reason=term=3 last=3.9 commit=8 at=no reason=twice").expect("a verdict");
        assert_eq!((read.at, read.position), (None, None), "a reason is free text");
        assert_eq!(read.reason.as_deref(), Some("term=3 last=3.9 commit=8 at=no reason=twice"));
        assert_eq!(Verified::parse("degraded reason= ").expect("a verdict").reason, None);
    }

    #[test]
    fn a_verdict_of_a_restorable_etcd_counts_only_with_a_position() {
        let whole = "term=3 last=3.9 commit=8";
        for (value, counts) in [
            (format!("ok {whole}"), true),
            (format!("degraded {whole} reason=one meta"), true),
            ("ok at=then revision=7 index=9 term=2".to_owned(), false),
            ("ok term=3 last=3.9".to_owned(), false),
            ("ok term=3 last=9 commit=8".to_owned(), false),
            ("ok last=3.9 commit=8".to_owned(), false),
            ("degraded reason=term=3 last=3.9 commit=8".to_owned(), false),
            ("corrupt reason=crc".to_owned(), true),
            ("unsupported reason=xfs".to_owned(), true),
        ] {
            assert_eq!(Verified::parse(&value).expect("a verdict").counts(), counts, "{value}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_by_characters() {
        let value = Verified::new(Verdict::Corrupt, at()).because(&"ö".repeat(1000)).to_string();
        assert_eq!(value.chars().count(), MOST_VALUE);
        let read = Verified::parse(&value).expect("a verdict");
        assert_eq!((read.verdict, read.at), (Verdict::Corrupt, Some(at())));
        // Where the cut falls behind a space, the space goes too: EC2 would keep it, and a reader would not.
        let room = MOST_VALUE - format!("corrupt at={AT} reason=").len() - 1;
        let value = Verified::new(Verdict::Corrupt, at()).because(&format!("{} {}", "x".repeat(room), "y")).to_string();
        assert_eq!(value.chars().count(), MOST_VALUE - 1);
    }

    prop_compose! {
        /// As large as etcd's numbers get: a revision and an index have 63 bits, a term far fewer.
        fn positions()(
            (term, last, commit) in (0..u64::from(u32::MAX), 0..u64::from(u32::MAX), 0..1_u64 << 63),
            index in 0..1_u64 << 63,
            of_db: (Option<u32>, Option<u32>),
            ids: (Option<u64>, Option<u64>),
            voters: Option<(u8, u32)>,
        ) -> Position {
            let (revision, applied) = of_db;
            Position {
                last: LogEnd { term: last, index },
                term,
                commit,
                commit_term: term.min(last),
                revision: revision.map(i64::from),
                index: applied.map(u64::from),
                cluster: ids.0,
                member: ids.1,
                voters: voters.map(|(count, digest)| Voters { count: count.into(), digest }),
            }
        }
    }

    prop_compose! {
        fn verdicts()(
            verdict in prop::sample::select(vec![Verdict::Ok, Verdict::Degraded, Verdict::Unsupported, Verdict::Corrupt]),
            second in -377_705_023_201_i64..253_402_207_200,
            position in prop::option::of(positions()),
            reason in ".{0,400}",
        ) -> Verified {
            let at = Timestamp::from_second(second).expect("a time");
            Verified { position, ..Verified::new(verdict, at) }.because(&reason)
        }
    }

    proptest! {
        #[test]
        fn a_verdict_round_trips_but_for_the_end_of_its_reason(verified in verdicts()) {
            let value = verified.to_string();
            prop_assert!(value.chars().count() <= MOST_VALUE);
            let read = Verified::parse(&value).expect("a verdict");
            prop_assert_eq!(&read.to_string(), &value);
            let (whole, cut) = (verified.reason.clone().unwrap_or_default(), read.reason.clone().unwrap_or_default());
            prop_assert!(whole.starts_with(&cut), "{:?} of {:?}", cut, whole);
            prop_assert!(whole == cut || value.chars().count() + 1 >= MOST_VALUE);
            prop_assert_eq!(Verified { reason: None, ..read }, Verified { reason: None, ..verified });
        }

        #[test]
        fn whatever_a_tag_holds_is_read_without_harm(value in ".{0,300}") {
            if let Some(read) = Verified::parse(&value) {
                prop_assert_eq!(Some(read.verdict), Verdict::read(&value));
            }
        }
    }
}
