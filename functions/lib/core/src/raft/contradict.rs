//! What contradicts: members that cannot be of one etcd cluster, or not of one history.

use std::collections::{BTreeMap, BTreeSet};

use super::position::{Position, Voters};
use crate::ids::Member;

/// Each a sentence. What is not known is not compared.
pub(super) fn contradictions(members: &BTreeMap<Member, Position>) -> Vec<String> {
    let alone = |(member, position): (&Member, &Position)| Some(format!("{member}{}", ahead_of_its_log(position)?));
    let mut found: Vec<String> = members.iter().filter_map(alone).collect();
    found.extend(different(members, "are not of one etcd cluster, by their cluster ids", |position| position.cluster));
    found.extend(same_member(members));
    found.extend(membership(members));
    // Of different etcd clusters revisions say nothing.
    if found.is_empty() {
        found.extend(revisions(members));
    }
    found
}

/// What contradicts in one member alone, as what follows its name.
pub(super) fn ahead_of_its_log(position: &Position) -> Option<String> {
    let Position { last, term, .. } = position;
    let committed = position.committed();
    if committed > last.index {
        return Some(format!(" knows {committed} to be committed, and its own log ends at {}", last.index));
    }
    // A crash between the two writes: it could be elected in the term of its own last entry, which another one led.
    (last.term > *term)
        .then(|| format!("'s log ends in term {}, which it has not yet seen: it is in {term}", last.term))
}

/// Ids that should be one, in hexadecimal digits as etcd prints them.
fn different(
    members: &BTreeMap<Member, Position>,
    what: &str,
    id: impl Fn(&Position) -> Option<u64>,
) -> Option<String> {
    let ids: BTreeSet<u64> = members.values().filter_map(&id).collect();
    let said = |(member, position): (&Member, &Position)| Some(format!("{member} {:x}", id(position)?));
    let said = members.iter().filter_map(said).collect::<Vec<_>>().join(", ");
    (ids.len() > 1).then(|| format!("the members {what}: {said}. Has one been made anew, on a blank volume?"))
}

fn same_member(members: &BTreeMap<Member, Position>) -> Vec<String> {
    let mut by_id: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (member, position) in members {
        if let Some(id) = position.member {
            by_id.entry(id).or_default().push(member.as_str());
        }
    }
    let twice = by_id.into_iter().filter(|(_, members)| members.len() > 1);
    twice
        .map(|(id, members)| {
            format!("{} have the same member id {id:x}: they hold one member's data", members.join(" and "))
        })
        .collect()
}

/// The voters that the databases name, against each other and against who is there.
fn membership(members: &BTreeMap<Member, Position>) -> Option<String> {
    let mut voters = members.iter().filter_map(|(member, position)| Some((member, position.voters?)));
    let (first, of_first) = voters.next()?;
    if let Some((other, of_other)) = voters.find(|(_, voters)| *voters != of_first) {
        return Some(format!(
            "{first} and {other} name different members with a vote, {} and {}: was the membership being changed?",
            of_first.count, of_other.count
        ));
    }
    if members.len() > of_first.count {
        return Some(format!("{} members, but their databases name {} with a vote", members.len(), of_first.count));
    }
    let ids: Vec<u64> = members.values().filter_map(|position| position.member).collect();
    let all_are_known = ids.len() == members.len() && ids.len() == of_first.count;
    let differ = all_are_known && Voters::of(ids) != of_first;
    differ.then(|| "the members are not those that their databases name with a vote".to_owned())
}

/// The databases that are no two states of one history. Next to each other by their indexes: the rule adds up.
fn revisions(members: &BTreeMap<Member, Position>) -> Vec<String> {
    let known = |(member, position)| Some((applied(position)?, member));
    let mut known: Vec<((u64, i64), &Member)> = members.iter().filter_map(known).collect();
    known.sort();
    let differ = |pair: &[((u64, i64), &Member)]| {
        let [(behind, one), (ahead, other)] = pair else { return None };
        let ((index, revision), (further, greater)) = (behind, ahead);
        (!is_possible(*behind, *ahead)).then(|| {
            format!(
                "the databases of {one} and {other} differ: {one} has revision {revision} at index {index}, {other} has \
                 revision {greater} at index {further}, and an entry raises the revision by at most one"
            )
        })
    };
    known.windows(2).filter_map(differ).collect()
}

/// Whether the databases of two members can be two states of one history. What is not known is not compared.
pub(super) fn can_be_of_one_history(one: &Position, other: &Position) -> bool {
    applied(one).zip(applied(other)).is_none_or(|(one, other)| is_possible(one.min(other), one.max(other)))
}

/// The entries that a database has applied, and its revision.
fn applied(position: &Position) -> Option<(u64, i64)> {
    Some((position.index?, position.revision?))
}

/// An entry raises the revision by at most one. So the database that has applied more entries has at least the revision of
/// the other, and at most as many more revisions as entries (etcd-io/etcd#13766, #14211).
fn is_possible((index, revision): (u64, i64), (further, greater): (u64, i64)) -> bool {
    let (entries, revisions) = (further - index, i128::from(greater) - i128::from(revision));
    (0..=i128::from(entries)).contains(&revisions)
}
