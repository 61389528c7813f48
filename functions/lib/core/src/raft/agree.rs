//! Which members agree, of a set whose members contradict each other.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::contradict::{ahead_of_its_log, can_be_of_one_history};
use super::judge::{Judgement, judge};
use super::position::Position;
use crate::ids::Member;

/// What can still be restored of a set that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// The member to make an etcd of alone: one that most others agree with, and of these the one whose database goes
    /// furthest. `None` where each contradicts itself.
    pub best: Option<Member>,
    /// The members that are a quorum, agree, and differ each from every other one: they can be started while the others join
    /// empty. Empty where there are none. Members between which nothing decides are none.
    pub quorum: Vec<Member>,
}

/// Sorts out members that contradict each other. `expected` is how many the etcd cluster has.
pub(crate) fn remains(expected: usize, members: &BTreeMap<Member, Position>) -> Remains {
    let with = |one: &Position| members.values().filter(|other| agree(one, other)).count();
    let sound = members.iter().filter(|(_, position)| agree(position, position));
    let best =
        sound.max_by_key(|(member, position)| (with(position), position.revision, position.last, Reverse(*member)));
    let quorum = best.map(|(_, best)| that_can_start(expected, members, best)).unwrap_or_default();
    Remains { best: best.map(|(member, _)| member.clone()), quorum }
}

/// The members that agree with the best, if these can be started without the others. Whoever agreed with one of them, and not
/// with the best, would make that one the better.
fn that_can_start(expected: usize, members: &BTreeMap<Member, Position>, best: &Position) -> Vec<Member> {
    let agreeing = members.iter().filter(|(_, position)| agree(best, position));
    let group: BTreeMap<Member, Position> =
        agreeing.map(|(member, position)| (member.clone(), position.clone())).collect();
    let starts = group.len() < expected && matches!(judge(expected, &group), Judgement::Ordered(_));
    if starts { group.into_keys().collect() } else { Vec::new() }
}

/// Whether two can be members of one etcd cluster with one history, and neither contradicts itself.
fn agree(one: &Position, other: &Position) -> bool {
    let sound = [one, other].into_iter().all(|position| ahead_of_its_log(position).is_none());
    let of_one_cluster = one.cluster.zip(other.cluster).is_none_or(|(one, other)| one == other);
    sound && of_one_cluster && can_be_of_one_history(one, other)
}
