//! The tag's value, written and read.

use proptest::prelude::*;

use super::*;
use crate::raft::{LogEnd, Voters};
use crate::tags::MOST_VALUE;

const AT: &str = "2026-11-23T02:01:07Z";

fn at() -> Timestamp {
    AT.parse().expect("a time")
}

fn known() -> Position {
    Position {
        last: LogEnd { term: 3, index: 119_625 },
        term: 3,
        commit: 119_621,
        commit_term: 3,
        revision: Some(119_172),
        index: Some(119_600),
        cluster: Some(0x6d0a),
        member: Some(0x8e9e),
        voters: Some(Voters { count: 3, digest: 0x1a2b_3c4d }),
    }
}

#[test]
fn a_verdict_is_written_as_the_contract_says() {
    let whole =
        "revision=119172 index=119600 term=3 last=3.119625 commit=119621 cluster=6d0a member=8e9e voters=3:1a2b3c4d";
    let ok = Verified { position: Some(known()), ..Verified::new(Verdict::Ok, at()) };
    assert_eq!(ok.to_string(), format!("ok at={AT} {whole}"));
    let degraded = Verified { position: Some(known()), ..Verified::new(Verdict::Degraded, at()) }.because("one meta");
    assert_eq!(degraded.to_string(), format!("degraded at={AT} {whole} reason=one meta"));
    for verdict in [Verdict::Degraded, Verdict::Corrupt, Verdict::Unsupported] {
        let because = Verified::new(verdict, at()).because("rule 1: index=7\nis  past the WAL's end ");
        assert_eq!(because.to_string(), format!("{verdict} at={AT} reason=rule 1: index=7 is past the WAL's end"));
    }
    assert_eq!(Verified::new(Verdict::Ok, at()).because(" \n").to_string(), format!("ok at={AT}"));
}

#[test]
fn a_moment_is_written_in_whole_seconds() {
    let at = "2026-11-23T02:01:07.987Z".parse().expect("a time");
    assert_eq!(Verified::new(Verdict::Ok, at).to_string(), format!("ok at={AT}"));
}

#[test]
fn a_value_is_read_by_its_first_word() {
    for (value, verdict) in [
        ("ok", Some(Verdict::Ok)),
        (" ok at=then", Some(Verdict::Ok)),
        ("degraded", Some(Verdict::Degraded)),
        ("unsupported reason=xfs", Some(Verdict::Unsupported)),
        ("corrupt at=then reason=crc", Some(Verdict::Corrupt)),
        ("corrupted!", Some(Verdict::Corrupt)),
        ("okay", None),
        ("ok,", None),
        ("OK", None),
        ("at=then ok", None),
        ("begun at=then", None),
        ("", None),
    ] {
        assert_eq!(Verdict::read(value), verdict, "{value:?}");
        assert_eq!(Verified::parse(value).map(|verified| verified.verdict), verdict, "{value:?}");
    }
}

#[test]
fn what_is_not_known_is_passed_over() {
    let value = format!("ok seen=twice at={AT} deep revision=many index=7 term=3 last=3.9 commit=8 cluster=x hash=0a");
    let position = Position {
        last: LogEnd { term: 3, index: 9 },
        commit: 8,
        revision: None,
        index: Some(7),
        cluster: None,
        member: None,
        voters: None,
        ..known()
    };
    let expected = Verified { position: Some(position), ..Verified::new(Verdict::Ok, at()) };
    assert_eq!(Verified::parse(&value), Some(expected));
    let read =
        Verified::parse("corrupt at=then reason=term=3 last=3.9 commit=8 at=no reason=twice").expect("a verdict");
    assert_eq!((read.at, read.position), (None, None), "a reason is free text");
    assert_eq!(read.reason.as_deref(), Some("term=3 last=3.9 commit=8 at=no reason=twice"));
    assert_eq!(Verified::parse("degraded reason= ").expect("a verdict").reason, None);
}

#[test]
fn a_verdict_of_a_restorable_etcd_counts_only_with_a_position() {
    let whole = "term=3 last=3.9 commit=8";
    for (value, counts) in [
        (format!("ok {whole}"), true),
        (format!("degraded {whole} reason=one meta"), true),
        ("ok at=then revision=7 index=9 term=2".to_owned(), false),
        ("ok term=3 last=3.9".to_owned(), false),
        ("ok term=3 last=9 commit=8".to_owned(), false),
        ("ok last=3.9 commit=8".to_owned(), false),
        ("degraded reason=term=3 last=3.9 commit=8".to_owned(), false),
        ("corrupt reason=crc".to_owned(), true),
        ("unsupported reason=xfs".to_owned(), true),
    ] {
        assert_eq!(Verified::parse(&value).expect("a verdict").counts(), counts, "{value}");
    }
}

#[test]
fn a_long_reason_is_cut_and_a_strange_one_is_plain() {
    let value = Verified::new(Verdict::Corrupt, at()).because(&"ö".repeat(1000)).to_string();
    assert!(value.ends_with("????"), "{value}");
    assert_eq!(value.chars().count(), MOST_VALUE);
    let read = Verified::parse(&value).expect("a verdict");
    assert_eq!((read.verdict, read.at), (Verdict::Corrupt, Some(at())));
    // Where the cut falls behind a space, the space goes too: EC2 would keep it, and a reader would not.
    let room = MOST_VALUE - format!("corrupt at={AT} reason=").len() - 1;
    let value = Verified::new(Verdict::Corrupt, at()).because(&format!("{} {}", "x".repeat(room), "y")).to_string();
    assert_eq!(value.chars().count(), MOST_VALUE - 1);
}

prop_compose! {
    /// As large as etcd's numbers get: a revision and an index have 63 bits, a term far fewer.
    fn positions()(
        (term, last, commit) in (0..u64::from(u32::MAX), 0..u64::from(u32::MAX), 0..1_u64 << 63),
        index in 0..1_u64 << 63,
        of_db: (Option<u32>, Option<u32>),
        ids: (Option<u64>, Option<u64>),
        voters: Option<(u8, u32)>,
    ) -> Position {
        let (revision, applied) = of_db;
        Position {
            last: LogEnd { term: last, index },
            term,
            commit,
            commit_term: term.min(last),
            revision: revision.map(i64::from),
            index: applied.map(u64::from),
            cluster: ids.0,
            member: ids.1,
            voters: voters.map(|(count, digest)| Voters { count: count.into(), digest }),
        }
    }
}

prop_compose! {
    fn verdicts()(
        verdict in prop::sample::select(vec![Verdict::Ok, Verdict::Degraded, Verdict::Unsupported, Verdict::Corrupt]),
        second in -377_705_023_201_i64..253_402_207_200,
        position in prop::option::of(positions()),
        reason in ".{0,400}",
    ) -> Verified {
        let at = Timestamp::from_second(second).expect("a time");
        Verified { position, ..Verified::new(verdict, at) }.because(&reason)
    }
}

proptest! {
    #[test]
    fn a_verdict_round_trips_but_for_the_end_of_its_reason(verified in verdicts()) {
        let value = verified.to_string();
        prop_assert!(value.chars().count() <= MOST_VALUE);
        let read = Verified::parse(&value).expect("a verdict");
        prop_assert_eq!(&read.to_string(), &value);
        let (whole, cut) = (verified.reason.clone().unwrap_or_default(), read.reason.clone().unwrap_or_default());
        prop_assert!(whole.starts_with(&cut), "{:?} of {:?}", cut, whole);
        prop_assert!(whole == cut || value.chars().count() + 1 >= MOST_VALUE);
        prop_assert_eq!(Verified { reason: None, ..read }, Verified { reason: None, ..verified });
    }

    #[test]
    fn whatever_a_tag_holds_is_read_without_harm(value in ".{0,300}") {
        if let Some(read) = Verified::parse(&value) {
            prop_assert_eq!(Some(read.verdict), Verdict::read(&value));
        }
    }
}
