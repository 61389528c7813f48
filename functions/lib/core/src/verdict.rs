//! What `verify` found of a snapshot, and the tag that holds it: the one place that reads and writes
//! `etcd-backup/verified`.
//!
//! The value is a verdict, then words `key=value`, the free text of `reason` last:
//! - `ok at=2026-11-23T02:01:07Z revision=119172 index=119600 term=3`
//! - `corrupt at=2026-11-23T02:01:07Z reason=both bbolt metas are broken`
//!
//! `revision` is etcd's, `index` the consistent index of the database, `term` raft's. An operator may write the tag by
//! hand, and a newer version may add words: what is not known is passed over.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

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
    /// etcd's revision.
    pub revision: Option<i64>,
    /// The database's consistent index.
    pub index: Option<u64>,
    /// Raft's term.
    pub term: Option<u64>,
    /// What is wrong, in one line.
    pub reason: Option<String>,
}

impl Verified {
    /// That verdict, found at that moment.
    #[must_use]
    pub fn new(verdict: Verdict, at: Timestamp) -> Self {
        Self { verdict, at: Some(Slot::at(at).time()), revision: None, index: None, term: None, reason: None }
    }

    /// With what is wrong, as one line without space at its ends.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let words: Vec<&str> = reason.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        self.reason = Some(line).filter(|line| !line.is_empty());
        self
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
            revision: word("revision").and_then(|number| number.parse().ok()),
            index: word("index").and_then(|number| number.parse().ok()),
            term: word("term").and_then(|number| number.parse().ok()),
            reason: reason.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned),
        })
    }
}

/// Where the free text begins, everything up to the end is part of it, whatever it looks like.
fn split_reason(value: &str) -> (&str, Option<&str>) {
    const REASON: &str = " reason=";
    value.find(REASON).map_or((value, None), |at| (&value[..at], Some(&value[at + REASON.len()..])))
}

/// At most [`MOST_VALUE`] characters, the end of the reason cut off. Everything else is far shorter.
impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.verdict.word().to_owned();
        let words = [
            ("at", self.at.map(|at| at.to_string())),
            ("revision", self.revision.map(|number| number.to_string())),
            ("index", self.index.map(|number| number.to_string())),
            ("term", self.term.map(|number| number.to_string())),
            ("reason", self.reason.clone()),
        ];
        for (key, value) in words {
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

    const AT: &str = "2026-11-23T02:01:07Z";

    fn at() -> Timestamp {
        AT.parse().expect("a time")
    }

    #[test]
    fn a_verdict_is_written_as_the_contract_says() {
        let ok = Verified {
            revision: Some(119_172),
            index: Some(119_600),
            term: Some(3),
            ..Verified::new(Verdict::Ok, at())
        };
        assert_eq!(ok.to_string(), format!("ok at={AT} revision=119172 index=119600 term=3"));
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
            ("", None),
        ] {
            assert_eq!(Verdict::read(value), verdict, "{value:?}");
            assert_eq!(Verified::parse(value).map(|verified| verified.verdict), verdict, "{value:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let read = Verified::parse(&format!("ok seen=twice at={AT} deep revision=many index=7 term=-1 hash=0a"))
            .expect("a verdict");
        assert_eq!(read, Verified { index: Some(7), ..Verified::new(Verdict::Ok, at()) });
        let read = Verified::parse("corrupt at=then reason=index=9 at=no reason=twice").expect("a verdict");
        assert_eq!((read.at, read.index), (None, None), "a reason is free text");
        assert_eq!(read.reason.as_deref(), Some("index=9 at=no reason=twice"));
        assert_eq!(Verified::parse("degraded reason= ").expect("a verdict").reason, None);
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
        fn verdicts()(
            verdict in prop::sample::select(vec![Verdict::Ok, Verdict::Degraded, Verdict::Unsupported, Verdict::Corrupt]),
            second in -377_705_023_201_i64..253_402_207_200,
            numbers: (Option<i64>, Option<u64>, Option<u64>),
            reason in ".{0,400}",
        ) -> Verified {
            let (revision, index, term) = numbers;
            let at = Timestamp::from_second(second).expect("a time");
            Verified { revision, index, term, ..Verified::new(verdict, at) }.because(&reason)
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
