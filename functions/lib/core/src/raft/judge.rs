//! The judgement of a set: in which order its members can be started.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::contradict::contradictions;
use super::position::Position;
use crate::ids::Member;

/// What can be said of a set whose positions are all known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It can be started in this order.
    Ordered(Order),
    /// It cannot, for these reasons: its members contradict each other, or none surely holds all that another one knows to
    /// be committed.
    Contradicts(Vec<String>),
    /// Alone it cannot start.
    TooFew {
        /// So many members.
        members: usize,
        /// So many are needed.
        quorum: usize,
    },
}

/// In which order members are started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// The members that are started together, furthest first: all, or first a bare quorum and then the rest.
    #[serde(rename = "order")]
    pub stages: Vec<Vec<Member>>,
    /// Whether it does not matter who starts first.
    pub any_order: bool,
    /// Why it matters, or why not.
    pub why: String,
}

/// How few of so many members can start and decide.
#[must_use]
pub fn quorum(members: usize) -> usize {
    members / 2 + 1
}

/// Judges the members' snapshots that a restore would start together. `expected` is how many members the etcd cluster has
/// by kops' tags; where the databases say how many have a vote, that number counts.
///
/// - A member **surely holds** what another knows to be committed if its log is long enough, and ends in the same term or in
///   one no older than the term in which the other learned of it. In the same term both logs are the beginning of one
///   leader's (raft's log matching); a leader of a later term than an entry was committed in holds it (leader
///   completeness). The index alone is not enough: a longer log of an older term can end in entries that were never
///   committed.
/// - A member **could lead** if its log is at least as long as those of a quorum, itself included.
/// - **Any order** is safe if each that could lead surely holds what every one knows to be committed, and its log ends in
///   the term of the longest: another could be elected in a term of which the longest has entries already, and two entries
///   would have one term and one index.
/// - **In stages**: of a bare quorum all must vote, so that only the longest log can lead. The quorum with the longest logs
///   is started first. The others' logs are then beginnings of the leader's, or end in what was never committed.
#[must_use]
pub fn judge(expected: usize, members: &BTreeMap<Member, Position>) -> Judgement {
    let contradictions = contradictions(members);
    if !contradictions.is_empty() {
        return Judgement::Contradicts(contradictions);
    }
    let voters = members.values().find_map(|position| position.voters).map_or(expected, |voters| voters.count);
    let quorum = quorum(voters);
    let mut all: Vec<(&Member, &Position)> = members.iter().collect();
    all.sort_by_key(|(member, position)| (Reverse(position.last), *member));
    let Some(longest) = all.first().copied().filter(|_| all.len() >= quorum) else {
        return Judgement::TooFew { members: members.len(), quorum };
    };
    if let Some(unsure) = not_held(longest, &all) {
        let longest = longest.0;
        return Judgement::Contradicts(vec![format!(
            "{unsure}, though {longest} has the longest log: no order is safe"
        )]);
    }
    let could_lead =
        |position: &Position| all.iter().filter(|(_, other)| other.last <= position.last).count() >= quorum;
    let mut leaders = all.iter().filter(|(_, position)| could_lead(position));
    let names = |members: &[(&Member, &Position)]| members.iter().map(|(member, _)| (*member).clone()).collect();
    let unsafe_leader = leaders.find_map(|leader| not_held(*leader, &all).or_else(|| of_older_term(*leader, longest)));
    Judgement::Ordered(match unsafe_leader {
        Some(why) => {
            let (first, rest) = all.split_at(quorum);
            Order { stages: vec![names(first), names(rest)], any_order: false, why }
        }
        None => Order { stages: vec![names(&all)], any_order: true, why: why_any(&all) },
    })
}

/// What some other member knows to be committed that a leader does not surely hold.
fn not_held((leader, of_leader): (&Member, &Position), all: &[(&Member, &Position)]) -> Option<String> {
    let lacks = |(_, other): &&(&Member, &Position)| !surely_holds(of_leader, other);
    let (other, of_other) = all.iter().filter(lacks).max_by_key(|(_, other)| other.committed())?;
    let last = of_leader.last;
    let committed = of_other.committed();
    Some(if last.index < committed {
        format!("{leader} may lead with a log that ends at {}; {other} knows {committed} to be committed", last.index)
    } else {
        format!(
            "{leader} may lead with a log that ends in term {}; {other}, whose log ends in term {}, knows {committed} to be \
             committed in term {} or before",
            last.term,
            of_other.last.term,
            of_other.committed_by()
        )
    })
}

/// What the longest log has that a leader of an older term would write once more.
fn of_older_term(
    (leader, of_leader): (&Member, &Position),
    (longest, of_longest): (&Member, &Position),
) -> Option<String> {
    let (term, last) = (of_leader.last.term, of_longest.last.term);
    (term < last).then(|| {
        format!("{leader} may lead with a log that ends in term {term}; {longest} has entries of term {last} already")
    })
}

fn surely_holds(leader: &Position, other: &Position) -> bool {
    let committed = other.committed();
    let of_one_history = leader.last.term == other.last.term || leader.last.term >= other.committed_by();
    committed == 0 || std::ptr::eq(leader, other) || (leader.last.index >= committed && of_one_history)
}

fn why_any(all: &[(&Member, &Position)]) -> String {
    let furthest = all.iter().max_by_key(|(member, position)| (position.committed(), Reverse(*member)));
    furthest.map_or(String::new(), |(member, position)| {
        format!("whoever leads holds the {} entries that {member} knows to be committed", position.committed())
    })
}
