//! Sets with the order that they need, some of them measured with real etcds.

use super::super::{Judgement, LogEnd, Order, Position, judge, quorum};
use super::{Member, member, set, stands};

#[track_caller]
fn order<const N: usize>(expected: usize, members: [(&str, Position); N]) -> Order {
    match judge(expected, &set(members)) {
        Judgement::Ordered(order) => order,
        other => panic!("{other:?}"),
    }
}

/// `c a | b`, or `c a b` where any order is safe.
#[track_caller]
fn stages<const N: usize>(expected: usize, members: [(&str, Position); N]) -> String {
    let order = order(expected, members);
    assert_eq!(order.any_order, order.stages.len() == 1);
    let names = |stage: &Vec<Member>| stage.iter().map(Member::as_str).collect::<Vec<_>>().join(" ");
    order.stages.iter().map(names).collect::<Vec<_>>().join(" | ")
}

#[test]
fn sets_of_real_etcds_need_the_order_in_which_they_came_up_whole() {
    // Started all at once, c stayed stuck in the first and in the last.
    let skewed = [("a", stands(2, 584, 584)), ("b", stands(2, 528, 524)), ("c", stands(2, 648, 645))];
    assert_eq!(stages(3, skewed.clone()), "c a | b");
    assert_eq!(order(3, skewed).why, "a may lead with a log that ends at 584; c knows 645 to be committed");
    let close = [("a", stands(2, 326, 325)), ("b", stands(2, 326, 325)), ("c", stands(2, 325, 325))];
    assert_eq!(stages(3, close.clone()), "a b c");
    assert_eq!(order(3, close).why, "whoever leads holds the 325 entries that a knows to be committed");
}

#[test]
fn the_one_behind_matters_only_if_it_could_lead() {
    for (a, b, c, expected) in [
        // b and c alone can vote for c, and nobody for b.
        ((100, 100), (10, 10), (100, 100), "a c b"),
        // b could lead a, and lacks what c knows.
        ((10, 10), (12, 10), (20, 20), "c b | a"),
        // b could lead, and lacks nothing that is known to be committed.
        ((10, 10), (12, 10), (20, 12), "c b a"),
        ((10, 10), (10, 10), (10, 10), "a b c"),
        ((0, 0), (0, 0), (0, 0), "a b c"),
    ] {
        let [a, b, c] = [a, b, c].map(|(last, commit)| stands(2, last, commit));
        assert_eq!(stages(3, [("a", a), ("b", b), ("c", c)]), expected);
    }
}

#[test]
fn a_longer_log_of_an_older_term_may_end_in_what_was_never_committed() {
    // a wrote three entries alone in term 2; then c and b committed another second entry in term 3. By the indexes alone a
    // could lead b, and lack nothing.
    let members = [("a", stands(2, 4, 1)), ("b", stands(1, 1, 1)), ("c", stands(3, 2, 2))];
    assert_eq!(stages(3, members.clone()), "c a | b");
    let why = "a may lead with a log that ends in term 2; c, whose log ends in term 3, knows 2 to be committed in term 3 or before";
    assert_eq!(order(3, members).why, why);
    // Which entry was committed in term 5 the one that leads in term 4 cannot know.
    let of_term_5 = Position { term: 5, commit_term: 5, ..stands(3, 50, 50) };
    let unsure = [("a", stands(4, 60, 10)), ("b", of_term_5), ("c", stands(3, 50, 10))];
    let Judgement::Contradicts(why) = judge(3, &set(unsure.clone())) else { panic!("a may lack 50") };
    assert!(why[0].ends_with("though a has the longest log: no order is safe"), "{why:?}");
    // Where it learned of it in term 3, and has only campaigned since, a surely holds it.
    let learned = unsure.map(|(name, position)| (name, Position { commit_term: 3, ..position }));
    assert_eq!(stages(3, learned.clone()), "a b | c");
    let why = "b may lead with a log that ends in term 3; a has entries of term 4 already";
    assert_eq!(order(3, learned).why, why, "b could be elected in term 4 once more");
}

#[test]
fn what_a_database_has_applied_is_committed_though_the_hard_state_lags() {
    let applied = |last, commit, index| Position { index: Some(index), ..stands(2, last, commit) };
    let members = [("a", applied(148, 146, 140)), ("b", applied(147, 146, 140)), ("c", applied(155, 146, 152))];
    assert_eq!(stages(3, members.clone()), "c a | b");
    assert_eq!(order(3, members).why, "a may lead with a log that ends at 148; c knows 152 to be committed");
    let members = [("a", applied(148, 146, 140)), ("b", applied(147, 146, 140)), ("c", applied(155, 146, 146))];
    assert_eq!(stages(3, members), "c a b");
}

#[test]
fn of_any_number_of_members_a_bare_quorum_starts_first() {
    let at = |name, last| (name, stands(2, last, last));
    assert_eq!(stages(1, [at("a", 7)]), "a");
    assert_eq!(stages(2, [at("a", 7), at("b", 9)]), "b a");
    assert_eq!(stages(5, [at("a", 1), at("b", 2), at("c", 3), at("d", 4), at("e", 5)]), "e d c | b a");
    let seven = [at("a", 1), at("b", 2), at("c", 3), at("d", 4), at("e", 5), at("f", 6), at("g", 7)];
    assert_eq!(stages(7, seven), "g f e d | c b a");
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(quorum), [1, 2, 2, 3, 3, 4, 4]);
}

#[test]
fn a_bare_quorum_alone_is_safe_whichever_it_is_of() {
    let at = |name, last| (name, stands(2, last, last));
    assert_eq!(stages(3, [at("a", 1), at("b", 100)]), "b a");
    assert_eq!(stages(5, [at("a", 1), at("b", 50), at("c", 100)]), "c b a");
    assert_eq!(stages(5, [at("a", 1), at("b", 50), at("c", 100), at("d", 2)]), "c b d | a");
}

#[test]
fn fewer_than_a_quorum_cannot_start() {
    assert_eq!(judge(3, &set([("a", stands(2, 9, 9))])), Judgement::TooFew { members: 1, quorum: 2 });
    assert_eq!(judge(3, &set([])), Judgement::TooFew { members: 0, quorum: 2 });
}

#[test]
fn who_has_a_vote_is_what_the_databases_say() {
    use super::super::Voters;
    let of_five = |last| Position { voters: Some(Voters { count: 5, digest: 1 }), ..stands(2, last, last) };
    let three = [("a", of_five(1)), ("b", of_five(2)), ("c", of_five(3))];
    assert_eq!(stages(3, three.clone()), "c b a", "three of five are a bare quorum");
    let [a, b, _] = three;
    assert_eq!(judge(3, &set([a, b])), Judgement::TooFew { members: 2, quorum: 3 });
}

#[test]
fn logs_are_ordered_by_term_and_then_by_index() {
    let end = |term, index| LogEnd { term, index };
    assert!(end(2, 1) > end(1, 100) && end(2, 5) > end(2, 4));
    assert_eq!(stages(3, [("a", stands(1, 100, 1)), ("b", stands(2, 3, 1)), ("c", stands(1, 1, 1))]), "b a | c");
    let by_name = judge(5, &["e", "d", "c", "b", "a"].map(|name| (member(name), stands(2, 4, 4))).into());
    let Judgement::Ordered(order) = by_name else { panic!("sound") };
    assert_eq!(order.stages[0], ["a", "b", "c", "d", "e"].map(member));
}
