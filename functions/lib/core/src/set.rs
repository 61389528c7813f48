//! A set: the members' snapshots that a restore would use together, and whether and in which order they can be started.
//!
//! What raft makes of known positions is decided in [`crate::raft`]; here is what an operator is told where some are not
//! known, and the shape of it in answers.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::ids::{Member, SnapshotId};
use crate::raft::{Judgement, Order, Position, Remains, judge, remains};
use crate::verdict::Verdict;

/// How a set can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// In this order.
    Ordered(Order),
    /// In none that is known to be safe: its members contradict each other.
    Contradicts(Contradiction),
    /// It cannot be said: a position is not known, or there are too few members.
    Unknown {
        /// Why.
        why: String,
        /// Whether `verify` can find it out.
        unread: bool,
    },
}

/// Members that contradict each other. [Displayed](fmt::Display), it says why, and what agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Each a sentence.
    pub why: Vec<String>,
    /// What can still be restored.
    pub remains: Remains,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { why, remains: Remains { best, quorum } } = self;
        f.write_str(&why.join("; "))?;
        if !quorum.is_empty() {
            let names: Vec<&str> = quorum.iter().map(Member::as_str).collect();
            write!(f, "; {} agree with each other", names.join(" and "))?;
        }
        best.as_ref().map_or(Ok(()), |best| write!(f, "; the best single member is {best}"))
    }
}

/// Why a member's position is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// There is no snapshot to read.
    #[error("has no completed snapshot")]
    NoSnapshot,
    /// Nobody has read it, or not so that its position is known.
    #[error("has not been read by `verify` ({0})")]
    Unread(SnapshotId),
    /// No restorable etcd was found in it.
    #[error("was found {0}")]
    Found(Verdict),
    /// The run was about another member alone.
    #[error("was not looked at")]
    NotLookedAt,
}

impl Set {
    /// Judges members, each with its position or why it is not known. `expected` is how many the etcd cluster has. A single
    /// member of a single-member etcd cluster needs no position: there is nobody to wait for.
    pub fn of<'a>(
        expected: usize,
        members: impl IntoIterator<Item = (&'a Member, Result<Position, Unplaced>)>,
    ) -> Self {
        let members: BTreeMap<&Member, Result<Position, Unplaced>> = members.into_iter().collect();
        if let (1, 1, Some(only)) = (expected, members.len(), members.keys().next()) {
            let why = format!("{only} is the only member");
            return Self::Ordered(Order { stages: vec![vec![(*only).clone()]], any_order: true, why });
        }
        let mut known = BTreeMap::new();
        let (mut unknown, mut unread) = (Vec::new(), false);
        for (member, position) in members {
            match position {
                Ok(position) => drop(known.insert(member.clone(), position)),
                Err(why) => {
                    unread |= matches!(why, Unplaced::Unread(_));
                    unknown.push(format!("{member} {why}"));
                }
            }
        }
        match judge(expected, &known) {
            // That some contradict each other does not depend on the others.
            Judgement::Contradicts(why) => Self::Contradicts(Contradiction { why, remains: remains(expected, &known) }),
            _ if !unknown.is_empty() => Self::Unknown { why: unknown.join("; "), unread },
            Judgement::Ordered(order) => Self::Ordered(order),
            Judgement::TooFew { members, quorum } => {
                let why = format!("{members} of {expected} members are no quorum, which is {quorum}");
                Self::Unknown { why, unread: false }
            }
        }
    }

    /// The members of each stage, where it can be started.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Ordered(order) => Some(order),
            Self::Contradicts(_) | Self::Unknown { .. } => None,
        }
    }

    /// How its members contradict each other, if they do.
    #[must_use]
    pub fn contradiction(&self) -> Option<&Contradiction> {
        match self {
            Self::Contradicts(contradiction) => Some(contradiction),
            Self::Ordered(_) | Self::Unknown { .. } => None,
        }
    }
}

/// As answers have it: `set`, or `null` and `set_reason`. Flattened into what it is part of.
impl Serialize for Set {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct NoOrder<'a> {
            order: [[&'a str; 0]; 0],
            any_order: bool,
            contradicts: bool,
            why: String,
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Ordered(order) => map.serialize_entry("set", order)?,
            Self::Contradicts(contradiction) => {
                let set = NoOrder { order: [], any_order: false, contradicts: true, why: contradiction.to_string() };
                map.serialize_entry("set", &set)?;
            }
            Self::Unknown { why, .. } => {
                map.serialize_entry("set", &None::<Order>)?;
                map.serialize_entry("set_reason", why)?;
            }
        }
        map.end()
    }
}
