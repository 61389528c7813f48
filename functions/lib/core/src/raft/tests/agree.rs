//! What is left of sets whose members contradict each other.

use proptest::prelude::*;

use super::super::{Judgement, Position, Remains, judge, remains};
use super::{set, stands};

/// A member of an etcd cluster of three, its database at that index with that revision.
fn at(cluster: u64, index: u64, revision: i64) -> Position {
    Position { cluster: Some(cluster), index: Some(index), revision: Some(revision), ..stands(2, 100, 90) }
}

/// `a c, best c`: who agrees and is a quorum, and who is the best alone.
fn left(a: Position, b: Position, c: Position) -> String {
    let Remains { best, quorum } = remains(3, &set([("a", a), ("b", b), ("c", c)]));
    let mut words: Vec<String> = quorum.iter().map(ToString::to_string).collect();
    words.extend(best.map(|best| format!("best {best}")));
    words.join(" ")
}

#[test]
fn one_that_differs_from_all_others_is_left_out() {
    let one = |index, revision| at(1, index, revision);
    for (members, expected) in [
        // b is at the index of a with another revision; has fewer than a at a later index; has more than entries allow.
        ([one(10, 5), one(10, 9), one(20, 8)], "a c best c"),
        ([one(10, 5), one(20, 4), one(20, 8)], "a c best c"),
        ([one(10, 5), one(20, 40), one(30, 9)], "a c best c"),
        // a has the lower revision and as long a log: c is further.
        ([one(30, 20), one(10, 18), one(29, 3)], "a b best a"),
        ([at(1, 10, 5), at(2, 90, 80), at(1, 20, 8)], "a c best c"),
    ] {
        let [a, b, c] = members;
        assert_eq!(left(a, b, c), expected);
    }
}

#[test]
fn where_nothing_decides_the_furthest_is_the_best_and_none_is_started_with_another() {
    for (members, expected) in [
        // c agrees with both, and a and b with each other not: the longest line goes through c.
        ([at(1, 10, 5), at(1, 10, 6), at(1, 20, 10)], "best c"),
        ([at(1, 10, 5), at(2, 10, 9), at(3, 10, 7)], "best b"),
        ([at(1, 10, 7), at(2, 10, 7), at(3, 10, 7)], "best a"),
    ] {
        let [a, b, c] = members;
        assert_eq!(left(a, b, c), expected);
    }
    let ahead_of_its_log = Position { commit: 101, ..at(1, 90, 99) };
    assert_eq!(left(at(1, 80, 70), ahead_of_its_log.clone(), at(1, 85, 75)), "a c best c");
    assert_eq!(left(ahead_of_its_log.clone(), ahead_of_its_log.clone(), ahead_of_its_log), "");
    // Not one alone, but who is a member at all: that no quorum is free of.
    let twin = Position { member: Some(7), ..at(1, 10, 5) };
    assert_eq!(left(twin.clone(), twin, at(1, 20, 8)), "best c");
    let two = remains(2, &set([("a", at(1, 10, 5)), ("b", at(2, 10, 9))]));
    assert_eq!((two.best.map(|best| best.to_string()), two.quorum), (Some("b".to_owned()), vec![]));
}

/// As the fixture says that etcd's own tools said.
fn real(truth: &str) -> Position {
    let truth: serde_json::Value = serde_json::from_str(truth).expect("JSON");
    let number = |field: &str| truth[field].as_u64().expect("a number");
    let id = |field: &str| u64::from_str_radix(truth[field].as_str().expect("an id"), 16).ok();
    Position {
        revision: truth["revision"].as_i64(),
        index: Some(number("consistent_index")),
        cluster: id("cluster_id"),
        member: id("member_id"),
        ..stands(number("raft_term"), number("wal_last_index"), number("commit_index"))
    }
}

/// A member whose old database claims the index of the one that its leader sent: nothing on its own volume tells it, once
/// the sent one is gone.
#[test]
fn a_real_member_that_lacks_keys_differs_from_the_others() {
    let [three, torn, fourth] = [
        include_str!("../../../../disk/tests/fixtures/3.7-three-a.json"),
        include_str!("../../../../disk/tests/fixtures/3.7-sent-db-c.json"),
        include_str!("../../../../disk/tests/fixtures/3.7-learner.json"),
    ]
    .map(real);
    let members = [("a", three.clone()), ("b", fourth.clone()), ("c", torn.clone())];
    let Judgement::Contradicts(why) = judge(3, &set(members)) else { panic!("c lacks keys") };
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].starts_with("the databases of c and a differ: c has revision 1178 at index 3719"), "{why:?}");
    assert_eq!(left(three.clone(), fourth.clone(), torn), "a b best b");
    let members = set([("a", three), ("b", fourth)]);
    assert!(matches!(judge(3, &members), Judgement::Ordered(_)), "without it they are sound");
}

fn positions() -> impl Strategy<Value = Position> {
    let numbers = (1..3_u64, 0..6_u64, 0..6_i64, 90..95_u64);
    numbers.prop_map(|(cluster, index, revision, last)| Position {
        last: stands(2, last, 0).last,
        ..at(cluster, index, revision)
    })
}

proptest! {
    #[test]
    fn a_quorum_that_is_named_can_be_started_has_the_best_and_differs_from_all_others(members in prop::collection::vec(positions(), 3..=5)) {
        let members: std::collections::BTreeMap<_, _> =
            ["a", "b", "c", "d", "e"].iter().map(|name| super::member(name)).zip(members).collect();
        let Judgement::Contradicts(_) = judge(members.len(), &members) else { return Ok(()) };
        let Remains { best, quorum } = remains(members.len(), &members);
        let best = best.expect("none contradicts itself");
        if !quorum.is_empty() {
            let named = members.clone().into_iter().filter(|(member, _)| quorum.contains(member)).collect();
            prop_assert!(matches!(judge(members.len(), &named), Judgement::Ordered(_)));
            prop_assert!(quorum.contains(&best));
            for (other, left_out) in members.iter().filter(|(member, _)| !quorum.contains(member)) {
                for one in &quorum {
                    let pair = [(one.clone(), members[one].clone()), (other.clone(), left_out.clone())].into();
                    prop_assert!(matches!(judge(2, &pair), Judgement::Contradicts(_)), "{} and {}", one, other);
                }
            }
            let most = named.values().map(|position| position.revision).max();
            prop_assert_eq!(members[&best].revision, most.expect("some"));
        }
    }
}
