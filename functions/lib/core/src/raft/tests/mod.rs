//! The rule, by tables and against a small model of raft.

mod agree;
mod contradictions;
mod history;
mod model;
mod restart;
mod tables;
mod texts;

use std::collections::BTreeMap;

use super::{LogEnd, Position};
use crate::ids::Member;

fn member(name: &str) -> Member {
    Member::parse(name).expect("a member")
}

/// A member of which nothing but its log is known.
fn stands(term: u64, last: u64, commit: u64) -> Position {
    Position {
        last: LogEnd { term, index: last },
        term,
        commit,
        commit_term: term,
        revision: None,
        index: None,
        cluster: None,
        member: None,
        voters: None,
    }
}

fn set<const N: usize>(members: [(&str, Position); N]) -> BTreeMap<Member, Position> {
    members.into_iter().map(|(name, position)| (member(name), position)).collect()
}
