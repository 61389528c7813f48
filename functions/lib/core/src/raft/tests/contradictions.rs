//! What no history of one etcd cluster can have led to.

use super::super::{Judgement, Position, Voters, judge};
use super::{set, stands};

fn why(members: [(&str, Position); 3]) -> Vec<String> {
    match judge(3, &set(members)) {
        Judgement::Contradicts(why) => why,
        Judgement::Ordered(_) => Vec::new(),
        other @ Judgement::TooFew { .. } => panic!("{other:?}"),
    }
}

/// Three sound members, but for this change of each.
fn but(change: impl Fn(&mut Position, usize)) -> [(&'static str, Position); 3] {
    let mut members = ["a", "b", "c"].map(|name| (name, stands(2, 100, 100)));
    for (nth, (_, position)) in members.iter_mut().enumerate() {
        position.cluster = Some(0xc1);
        position.member = Some(0xa1 + nth as u64);
        position.voters = Some(Voters::of([0xa1, 0xa2, 0xa3]));
        change(position, nth);
    }
    members
}

#[test]
fn sound_members_do_not_contradict_each_other() {
    assert_eq!(why(but(|_, _| {})), Vec::<String>::new());
    let nothing_known = but(|position, _| *position = stands(2, 100, 100));
    assert_eq!(why(nothing_known), Vec::<String>::new());
}

#[test]
fn members_of_different_etcd_clusters_contradict() {
    let told = why(but(|position, nth| position.cluster = [Some(0xc1), None, Some(0xc2)][nth]));
    let said = "the members are not of one etcd cluster, by their cluster ids: a c1, c c2. Has one been made anew, on a blank volume?";
    assert_eq!(told, [said]);
}

#[test]
fn the_data_of_one_member_twice_contradicts() {
    let told = why(but(|position, nth| position.member = Some([0xa1, 0xa1, 0xa3][nth])));
    assert_eq!(told[0], "a and b have the same member id a1: they hold one member's data");
}

#[test]
fn a_membership_on_which_the_databases_differ_contradicts() {
    let told = why(but(|position, nth| {
        if nth == 1 {
            position.voters = Some(Voters::of([0xa1, 0xa2, 0xa3, 0xa4]));
        }
    }));
    assert_eq!(told, ["a and b name different members with a vote, 3 and 4: was the membership being changed?"]);
    let told = why(but(|position, _| position.voters = Some(Voters::of([0xa1, 0xa2]))));
    assert_eq!(told, ["3 members, but their databases name 2 with a vote"]);
    let told = why(but(|position, _| position.voters = Some(Voters::of([0xa1, 0xa2, 0xa4]))));
    assert_eq!(told, ["the members are not those that their databases name with a vote"]);
    let unknown = but(|position, nth| {
        position.voters = position.voters.filter(|_| nth == 1);
        position.member = position.member.filter(|_| nth > 0);
    });
    assert_eq!(why(unknown), Vec::<String>::new());
}

#[test]
fn a_member_that_knows_more_to_be_committed_than_it_has_contradicts() {
    let told = why(but(|position, nth| position.commit = [100, 101, 100][nth]));
    assert_eq!(told, ["b knows 101 to be committed, and its own log ends at 100"]);
    let told = why(but(|position, nth| position.index = Some([100, 100, 102][nth])));
    assert_eq!(told[0], "c knows 102 to be committed, and its own log ends at 100", "its db has applied as much");
}

#[test]
fn a_log_of_a_term_that_its_member_has_not_seen_contradicts() {
    let told = why(but(|position, nth| position.last.term = [2, 3, 2][nth]));
    assert_eq!(told, ["b's log ends in term 3, which it has not yet seen: it is in 2"]);
}

#[test]
fn an_entry_raises_the_revision_by_at_most_one() {
    let at = |of: [(u64, i64); 3]| {
        why(but(|position, nth| {
            position.index = Some(of[nth].0);
            position.revision = Some(of[nth].1);
        }))
    };
    for sound in [
        [(10, 5), (10, 5), (10, 5)],
        [(10, 5), (20, 5), (30, 15)],
        [(30, 25), (20, 15), (10, 5)],
        [(10, i64::MAX), (10, i64::MAX), (11, i64::MAX)],
    ] {
        assert_eq!(at(sound), Vec::<String>::new(), "{sound:?}");
    }
    for (wrong, differ) in [
        (
            [(10, 5), (10, 6), (10, 6)],
            "the databases of a and b differ: a has revision 5 at index 10, b has revision 6",
        ),
        ([(10, 5), (11, 7), (12, 7)], "the databases of a and b differ"),
        ([(10, 5), (20, 4), (20, 4)], "the databases of a and b differ"),
        ([(30, 20), (10, 5), (20, 21)], "the databases of b and c differ"),
        ([(0, i64::MIN), (1, i64::MAX), (1, i64::MAX)], "the databases of a and b differ"),
    ] {
        let told = at(wrong);
        assert!(told[0].starts_with(differ), "{wrong:?}: {told:?}");
    }
}

#[test]
fn revisions_of_different_etcd_clusters_are_not_compared() {
    let told = why(but(|position, nth| {
        position.cluster = Some([0xc1, 0xc1, 0xc2][nth]);
        position.index = Some(10);
        position.revision = Some([5, 5, 9][nth]);
    }));
    assert_eq!(told.len(), 1, "{told:?}");
}
