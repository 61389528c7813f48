//! Members side by side.

use proptest::prelude::*;

use super::super::{Examined, Findings, Request, Spread, VerifyResult, report};
use super::fixtures::{SLOT, examined, id, snapshots};
use crate::backup::tests::fixtures::{MEMBERS, our_snapshot};
use crate::snapshot::SnapshotState::Completed;
use crate::verdict::Verdict;

/// What a sweep says of one point of members a, b and c.
fn compared(findings: [Findings; 3]) -> VerifyResult {
    let plan = examined(&Request::Sweep, snapshots());
    let outcomes: Vec<Examined> = findings.map(Findings::told).into();
    report(&plan, &outcomes).answer.points()[0].clone()
}

fn best(result: &VerifyResult) -> Option<&str> {
    result.best_member.as_ref().map(crate::ids::Member::as_str)
}

#[test]
fn the_spread_is_the_furthest_minus_the_one_behind() {
    let result =
        compared([Findings::sound("a", 119_172), Findings::sound("b", 119_180), Findings::sound("c", 119_168)]);
    assert_eq!(result.spread, Some(Spread { revisions: 12, indexes: 12 }));
    assert_eq!((best(&result), result.warnings.len()), (Some("b"), 0));
}

#[test]
fn the_best_member_has_the_highest_revision_then_wal_index_then_the_first_name() {
    let of =
        |member, revision, wal: u64| Findings { wal_last_index: Some(500 + wal), ..Findings::sound(member, revision) };
    for ([a, b, c], expected) in [
        ([(9, 10), (9, 11), (20, 9)], "c"),
        ([(9, 10), (8, 20), (9, 11)], "c"),
        ([(9, 10), (9, 10), (9, 10)], "a"),
        ([(8, 10), (9, 10), (9, 10)], "b"),
    ] {
        let result = compared([of("a", a.0, a.1), of("b", b.0, b.1), of("c", c.0, c.1)]);
        assert_eq!(best(&result), Some(expected));
    }
}

#[test]
fn only_what_is_restorable_is_compared() {
    let (a, b) = (|| Findings::sound("a", 10), || Findings::sound("b", 20).but(Verdict::Degraded, "a meta page"));
    let c = |verdict| Findings::sound("c", 1000).but(verdict, "rule 1");
    for verdict in [Verdict::Corrupt, Verdict::Unsupported] {
        let result = compared([a(), b(), c(verdict)]);
        assert_eq!((result.spread, best(&result)), (Some(Spread { revisions: 10, indexes: 10 }), Some("b")));
    }
    let result = compared([a(), Findings::sound("b", 10).but(Verdict::Degraded, "a meta page"), c(Verdict::Corrupt)]);
    assert_eq!(best(&result), Some("a"), "as far as the other, and lacking nothing");
    let result = compared([
        Findings::sound("a", 10).but(Verdict::Degraded, "a .snap"),
        Findings::sound("b", 10),
        c(Verdict::Corrupt),
    ]);
    assert_eq!(best(&result), Some("b"));
    let corrupt = || c(Verdict::Corrupt);
    let result = compared([a(), Findings::unreadable(), corrupt()]);
    assert_eq!((result.spread, best(&result)), (None, Some("a")), "the others were looked at");
    let result = compared([corrupt(), Findings { member_id: None, ..corrupt() }, Findings::unreadable()]);
    assert_eq!((result.spread, best(&result), result.warnings.len()), (None, None, 0));
}

#[test]
fn members_of_different_etcd_clusters_are_told_and_the_best_is_of_those_that_agree() {
    let blank = Findings { cluster_id: Some(0x1f), ..Findings::sound("c", 300) };
    let result = compared([Findings::sound("a", 10), Findings::sound("b", 20), blank]);
    assert_eq!((result.spread, best(&result)), (None, Some("b")));
    let said = [
        "must not be restored together",
        "cdf8181e32774e16",
        "c 1f",
        "a and b agree with each other; the best single member is b. Take another point",
        r#""members": ["a", "b"], "others": "empty"}"#,
        r#""members": ["b"], "cut_over": false}"#,
    ];
    assert!(
        result.warnings.len() == 1 && said.iter().all(|it| result.warnings[0].contains(it)),
        "{:?}",
        result.warnings
    );
    let unknown = Findings { cluster_id: None, ..Findings::sound("c", 30) };
    let result = compared([Findings::sound("a", 10), Findings::sound("b", 20), unknown]);
    assert_eq!((best(&result), result.warnings.len()), (Some("c"), 0), "what is not known differs from nothing");
}

#[test]
fn members_whose_databases_differ_are_told() {
    let of = |member, index, revision| Findings { consistent_index: Some(index), ..Findings::sound(member, revision) };
    let result = compared([of("a", 30, 10), of("b", 30, 12), of("c", 40, 11)]);
    assert_eq!((result.spread.map(|spread| spread.revisions), best(&result)), (Some(2), Some("c")));
    let said = "the databases of a and b differ: a has revision 10 at index 30, b has revision 12 at index 30";
    assert!(result.warnings[0].contains(said) && result.set.contradiction().is_some(), "{:?}", result.warnings);
    let sound = compared([of("a", 30, 10), of("b", 30, 10), of("c", 40, 11)]);
    assert_eq!((sound.warnings.len(), best(&sound)), (0, Some("c")));
}

#[test]
fn members_with_one_id_are_told() {
    let twin = Findings { member_id: Findings::sound("a", 0).member_id, ..Findings::sound("b", 20) };
    let result = compared([Findings::sound("a", 10), twin, Findings::sound("c", 10)]);
    assert_eq!(best(&result), Some("b"));
    let said = "a and b have the same member id 8e9e05c52164694d";
    assert!(result.warnings.len() == 1 && result.warnings[0].contains(said), "{:?}", result.warnings);
}

#[test]
fn a_surplus_snapshot_is_judged_and_not_compared() {
    let mut second = our_snapshot(SLOT, "a", Completed);
    second.id = id("snap-a-again");
    second.started += jiff::SignedDuration::from_secs(3);
    let plan = examined(&Request::Sweep, snapshots().into_iter().chain([second.observed()]).collect());
    let found = [("a", 10), ("a", 500), ("b", 12), ("c", 11)];
    let outcomes: Vec<Examined> = found.map(|(member, revision)| Findings::sound(member, revision).told()).into();
    let answer = report(&plan, &outcomes).answer;
    let result = &answer.points()[0];
    assert_eq!((result.members.len(), result.warnings.len()), (4, 0), "one member id twice is no wonder");
    assert_eq!((result.spread, best(result)), (Some(Spread { revisions: 2, indexes: 2 }), Some("b")));
}

#[test]
fn a_member_and_its_own_surplus_are_not_compared() {
    let mut second = our_snapshot(SLOT, "a", Completed);
    second.id = id("snap-a-again");
    let all = vec![our_snapshot(SLOT, "a", Completed).observed(), second.observed()];
    let answer =
        report(&examined(&Request::Sweep, all), &[1, 2].map(|revision| Findings::sound("a", revision).told())).answer;
    assert_eq!((answer.points()[0].members.len(), best(&answer.points()[0])), (2, None));
}

#[test]
fn one_of_several_members_is_not_called_the_best() {
    let plan = examined(&Request::Snapshot { id: snapshots()[0].id.clone(), deep: false }, snapshots());
    let answer = report(&plan, &[Findings::sound("a", 10).told()]).answer;
    assert_eq!((answer.points()[0].spread, best(&answer.points()[0])), (None, None));
    let mut lone = our_snapshot(SLOT, "a", Completed);
    lone.members.retain(|member| member.as_str() == "a");
    let plan = examined(&Request::Completed(lone.id.clone()), vec![lone.observed()]);
    let answer = report(&plan, &[Findings::sound("a", 10).told()]).answer;
    assert_eq!((answer.points()[0].spread, best(&answer.points()[0])), (None, Some("a")));
}

proptest! {
    #[test]
    fn whatever_a_hostile_disk_says_is_compared(
        said in prop::array::uniform3((any::<Option<i64>>(), any::<Option<u64>>(), any::<Option<u64>>())),
    ) {
        let findings: Vec<Findings> = MEMBERS
            .into_iter()
            .zip(said)
            .map(|(member, (revision, wal_last_index, cluster_id))| Findings {
                cluster_id, revision, wal_last_index, ..Findings::sound(member, 1)
            })
            .collect();
        let ids: std::collections::BTreeSet<u64> = said.iter().filter_map(|(_, _, id)| *id).collect();
        let result = compared(findings.try_into().expect("three"));
        let contradiction = result.set.contradiction();
        prop_assert_eq!(result.warnings.len(), usize::from(contradiction.is_some()));
        prop_assert!(result.spread.is_none() || ids.len() < 2);
        prop_assert_eq!(result.best_member.is_some(), contradiction.is_none_or(|it| it.remains.best.is_some()));
        if let (Some(best), None) = (&result.best_member, contradiction) {
            let furthest = |one: &&super::super::MemberReport| (one.findings.revision, one.findings.wal_last_index);
            let of_best = result.members.iter().find(|one| one.member == *best).expect("a member");
            prop_assert_eq!(Some(furthest(&of_best)), result.members.iter().map(|one| furthest(&one)).max());
        }
    }
}
