//! The judgement against the model: what it calls safe never gets stuck, whatever the schedule.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::{Judgement, LogEnd, Order, Position, judge, quorum};
use super::history::{Disk, sets, sets_without_skew};
use super::restart::can_get_stuck;
use super::{Member, member};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn position(disk: &Disk) -> Position {
    let (term, index) = disk.end();
    Position {
        last: LogEnd { term, index: index as u64 },
        term: disk.term,
        commit: disk.commit as u64,
        commit_term: disk.commit_term,
        revision: None,
        index: None,
        cluster: None,
        member: None,
        voters: None,
    }
}

/// Judges those of the disks.
fn judged(disks: &[Disk], which: &[usize]) -> Judgement {
    let members: BTreeMap<Member, Position> =
        which.iter().map(|nth| (member(NAMES[*nth]), position(&disks[*nth]))).collect();
    judge(disks.len(), &members)
}

fn numbers(order: &Order) -> Vec<Vec<usize>> {
    let number = |member: &Member| NAMES.iter().position(|name| *name == member.as_str()).expect("one of them");
    order.stages.iter().map(|stage| stage.iter().map(number).collect()).collect()
}

fn all(disks: &[Disk]) -> Vec<usize> {
    (0..disks.len()).collect()
}

/// Whether they can get stuck if they are started without any order.
fn at_once(disks: &[Disk]) -> bool {
    can_get_stuck(disks, disks.len(), &[all(disks)])
}

fn check(disks: &[Disk]) -> Result<(), TestCaseError> {
    if let Judgement::Ordered(order) = judged(disks, &all(disks)) {
        prop_assert!(!can_get_stuck(disks, disks.len(), &numbers(&order)), "in the order {:?}", order.stages);
    }
    // Any bare quorum, the others empty.
    for left_out in 0..1_u32 << disks.len() {
        let which: Vec<usize> = (0..disks.len()).filter(|nth| left_out >> nth & 1 == 0).collect();
        if which.len() != quorum(disks.len()) {
            continue;
        }
        if let Judgement::Ordered(order) = judged(disks, &which) {
            prop_assert_eq!(order.stages.len(), 1, "a bare quorum has one stage");
            let stuck = can_get_stuck(disks, disks.len(), &numbers(&order));
            prop_assert!(!stuck, "{which:?} alone");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn three_members_never_get_stuck_in_the_order_that_is_said(disks in sets(3)) {
        check(&disks)?;
    }

    #[test]
    fn what_was_copied_at_one_moment_is_safe_in_any_order(disks in sets_without_skew(3)) {
        let Judgement::Ordered(order) = judged(&disks, &all(&disks)) else {
            return Err(TestCaseError::fail("it contradicts itself"));
        };
        prop_assert!(!can_get_stuck(&disks, 3, &numbers(&order)));
        prop_assert!(!at_once(&disks));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn five_members_never_get_stuck_in_the_order_that_is_said(disks in sets(5)) {
        check(&disks)?;
    }
}

/// Of so many generated sets: those safe in any order, in stages, and contradicting themselves; and of the second those
/// that can get stuck when they are started all at once.
fn tally(members: usize, of: usize) -> [usize; 4] {
    let mut runner = TestRunner::deterministic();
    let mut tally = [0; 4];
    for _ in 0..of {
        let disks = sets(members).new_tree(&mut runner).expect("a set").current();
        match judged(&disks, &all(&disks)) {
            Judgement::Ordered(order) if order.any_order => tally[0] += 1,
            Judgement::Ordered(_) => {
                tally[1] += 1;
                tally[3] += usize::from(at_once(&disks));
            }
            Judgement::Contradicts(_) => tally[2] += 1,
            Judgement::TooFew { .. } => panic!("they are all there"),
        }
    }
    tally
}

#[test]
fn without_the_order_members_do_get_stuck() {
    for (members, of) in [(3, 2000), (5, 100)] {
        let [any, staged, contradicting, stuck] = tally(members, of);
        assert!(any > of / 10 && staged > of / 20, "the histories are of all kinds: {any}, {staged}");
        assert!(stuck * 3 > staged, "{stuck} of {staged}: the rule is not much stricter than what can happen");
        assert!(contradicting * 10 < of, "{contradicting} of {of}");
    }
}

/// The rule without terms calls this one safe: see the tables.
#[test]
fn an_index_alone_would_let_a_member_get_stuck() {
    let disk = |log: &[u64], term, commit| Disk { log: log.to_vec(), term, vote: None, commit, commit_term: term };
    let disks = [disk(&[1, 2, 2, 2], 2, 1), disk(&[1], 1, 1), disk(&[1, 3], 3, 2)];
    assert!(at_once(&disks));
    let Judgement::Ordered(order) = judged(&disks, &[0, 1, 2]) else { panic!("it has an order") };
    assert_eq!(numbers(&order), [vec![2, 0], vec![1]]);
    assert!(!can_get_stuck(&disks, 3, &numbers(&order)));
}
