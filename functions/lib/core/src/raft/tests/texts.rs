//! Positions as words of a tag, and judgements of whatever a tag says.

use proptest::prelude::*;

use super::super::{Judgement, LogEnd, Position, Voters, judge, quorum};
use super::member;

proptest! {
    #[test]
    fn a_log_end_round_trips(term: u64, index: u64) {
        let end = LogEnd { term, index };
        prop_assert_eq!(end.to_string().parse(), Ok(end));
    }

    #[test]
    fn voters_round_trip_in_whatever_order_they_are_named(mut ids: Vec<u64>) {
        let voters = Voters::of(ids.clone());
        prop_assert_eq!(voters.to_string().parse(), Ok(voters));
        ids.reverse();
        prop_assert_eq!(Voters::of(ids), voters);
    }

    #[test]
    fn whatever_the_positions_a_judgement_is_given_and_its_stages_are_the_members(
        positions in prop::collection::vec((0..4_u64, 0..9_u64, 0..4_u64, 0..9_u64, 0..4_i64, 0..9_u64), 0..8),
        wild: Option<(u64, u64, i64)>,
        expected in 0..8_usize,
    ) {
        let position = |(term, index, more, commit, revision, applied): (u64, u64, u64, u64, i64, u64)| Position {
            last: LogEnd { term, index },
            term: term + more,
            commit,
            commit_term: term + more,
            revision: Some(revision),
            index: Some(applied),
            cluster: None,
            member: None,
            voters: None,
        };
        let names = ["a", "b", "c", "d", "e", "f", "g"].map(member);
        let mut members: std::collections::BTreeMap<_, _> =
            names.into_iter().zip(positions.into_iter().map(position)).collect();
        if let (Some((index, commit, revision)), Some(position)) = (wild, members.values_mut().next()) {
            (position.last.index, position.commit, position.revision) = (index, commit, Some(revision));
        }
        match judge(expected, &members) {
            Judgement::Ordered(order) => {
                let mut all: Vec<_> = order.stages.concat();
                all.sort();
                prop_assert_eq!(&all, &members.keys().cloned().collect::<Vec<_>>());
                prop_assert_eq!(order.any_order, order.stages.len() == 1);
                prop_assert!(order.any_order || order.stages[0].len() == quorum(expected));
                prop_assert!(order.stages.iter().all(|stage| !stage.is_empty()));
                prop_assert!(!order.why.is_empty());
            }
            Judgement::Contradicts(why) => prop_assert!(!why.is_empty()),
            Judgement::TooFew { members: few, quorum: needed } => {
                prop_assert_eq!((few, needed), (members.len(), quorum(expected)));
                prop_assert!(few < needed);
            }
        }
    }
}

#[test]
fn what_verify_did_not_write_is_no_position() {
    for bad in ["", "3", "3.", ".9", "3.x", "3.9.1", "-1.9", "3,9"] {
        assert!(bad.parse::<LogEnd>().is_err(), "{bad}");
    }
    for bad in ["", "3", "3:", ":1a2b3c4d", "x:1a2b3c4d", "3:1a2b3c4d5", "3:z"] {
        assert!(bad.parse::<Voters>().is_err(), "{bad}");
    }
    assert_eq!(Voters::of([1, 2, 3]).to_string().len(), "3:1a2b3c4d".len());
    assert_ne!(Voters::of([1, 2, 3]), Voters::of([1, 2, 4]));
}
