//! What is written onto a snapshot.

use super::super::{Examination, Findings, Request, report};
use super::fixtures::{examined, now, observed, snapshots};
use crate::raft::Voters;
use crate::snapshot::Snapshot;
use crate::tags;
use crate::verdict::Verdict;

const AT: &str = "2026-11-23T02:01:07Z";

fn examination(was: Option<Verdict>, deep: bool) -> Examination {
    let mut plan = examined(&Request::Snapshot { id: snapshots()[0].id.clone(), deep }, snapshots());
    Examination { was, ..plan.list.swap_remove(0) }
}

fn written(was: Option<Verdict>, deep: bool, findings: &Findings) -> Option<String> {
    examination(was, deep).tag(findings, now()).map(|verified| verified.to_string())
}

#[test]
fn the_verdict_is_written_with_what_goes_with_it() {
    let sound = || Findings::sound("a", 119_172);
    let ok = written(None, false, &sound());
    let voters = Voters::of(sound().voters.into_iter().flatten());
    let position = format!(
        "revision=119172 index=119572 term=3 last=3.119597 commit=119597 cluster=cdf8181e32774e16 \
         member=8e9e05c52164694d voters={voters}"
    );
    assert_eq!(ok, Some(format!("ok at={AT} {position}")));
    let written_of = |findings: &Findings| written(None, false, findings);
    let degraded = written_of(&sound().but(Verdict::Degraded, "one meta"));
    assert_eq!(degraded, Some(format!("degraded at={AT} {position} reason=one meta")));
    for verdict in [Verdict::Corrupt, Verdict::Unsupported] {
        assert_eq!(written_of(&sound().but(verdict, "rule 1")), Some(format!("{verdict} at={AT} reason=rule 1")));
        let unsaid = Findings { verdict, ..sound() };
        assert_eq!(written_of(&unsaid), Some(format!("{verdict} at={AT}")));
    }
    let bare = Findings { verdict: Verdict::Ok, ..Findings::unreadable() };
    assert_eq!(written(None, false, &bare), Some(format!("ok at={AT}")));
}

#[test]
fn only_a_deep_look_takes_back_that_it_is_corrupt() {
    let of = |verdict| Findings::sound("a", 1).but(verdict, "why");
    for (was, deep, found, is_written) in [
        (Some(Verdict::Corrupt), false, Verdict::Ok, false),
        (Some(Verdict::Corrupt), false, Verdict::Degraded, false),
        (Some(Verdict::Corrupt), false, Verdict::Unsupported, false),
        (Some(Verdict::Corrupt), false, Verdict::Corrupt, true),
        (Some(Verdict::Corrupt), true, Verdict::Ok, true),
        (Some(Verdict::Ok), false, Verdict::Corrupt, true),
        (Some(Verdict::Degraded), false, Verdict::Ok, true),
        (None, false, Verdict::Ok, true),
    ] {
        assert_eq!(written(was, deep, &of(found)).is_some(), is_written, "{was:?} {deep} {found}");
    }
}

/// `a` as a run began to examine it, without a verdict, and what EC2 shows of it when the verdict is to be written.
fn seen_again(bears: &str) -> Result<Examination, String> {
    let mut examination = examination(None, false);
    let now = snapshots().into_iter().map(|one| one.tagged(tags::VERIFIED, bears)).collect();
    examination.see_again(&observed(now)).map(|()| examination)
}

#[test]
fn what_was_found_corrupt_meanwhile_stays_so() {
    let sound = || Findings::sound("a", 1);
    for (bears, is_written) in [("corrupt at=now", false), ("ok at=now", true), ("degraded", true), ("?", true)] {
        let examination = seen_again(bears).expect("it is there");
        assert_eq!(examination.tag(&sound(), now()).is_some(), is_written, "{bears}");
        let mut plan = examined(&Request::Snapshot { id: examination.snapshot.clone(), deep: false }, snapshots());
        plan.list = vec![examination];
        let report = report(&plan, &[sound().told()]);
        let warnings = &report.answer.points()[0].warnings;
        assert_eq!(warnings.is_empty(), is_written, "{warnings:?}");
        assert_eq!((report.failure, report.metrics[0].corrupt), (None, 0));
    }
}

#[test]
fn only_what_would_take_corrupt_back_is_seen_again() {
    for (deep, found, gives_way) in [
        (false, Verdict::Ok, true),
        (false, Verdict::Degraded, true),
        (false, Verdict::Unsupported, true),
        (false, Verdict::Corrupt, false),
        (true, Verdict::Ok, false),
        (true, Verdict::Corrupt, false),
    ] {
        let findings = Findings::sound("a", 1).but(found, "why");
        assert_eq!(examination(None, deep).gives_way(&findings), gives_way, "{deep} {found}");
    }
}

#[test]
fn what_is_not_seen_again_must_not_be_written_over() {
    let mut examination = examination(Some(Verdict::Ok), false);
    let others = || snapshots().into_iter().filter(|one| one.id != snapshots()[0].id);
    let of = |change: fn(Snapshot) -> Snapshot| others().chain([change(snapshots().remove(0))]).collect();
    for (now, says) in [
        (Vec::new(), "is not there any more"),
        (others().collect(), "is not there any more"),
        (of(|one| one.without_tag(tags::RECOVERY_POINT)), "is not ours any more"),
        (of(|one| one.without_tag(tags::SNAPSHOT_CLUSTER)), "is not ours any more"),
    ] {
        let why = examination.see_again(&observed(now)).expect_err(says);
        assert!(why.contains(says), "{why}");
        assert_eq!(examination.was, Some(Verdict::Ok));
    }
}

#[test]
fn what_stands_there_meanwhile_says_how_often_it_was_tried() {
    let of = |was, again| Examination { again, ..examination(was, false) };
    assert_eq!(of(None, false).beforehand(now()), Some(format!("begun at={AT}")));
    let died = of(None, true).beforehand(now()).expect("a verdict");
    assert!(died.starts_with(&format!("unsupported at={AT} reason=reading it ended the function twice")), "{died}");
    assert!(died.ends_with("by hand reads it"), "not cut off: {died}");
    for (was, again) in [(Verdict::Ok, false), (Verdict::Corrupt, false), (Verdict::Unsupported, true)] {
        assert_eq!(of(Some(was), again).beforehand(now()), None, "a verdict stays");
    }
    for (was, again, taken_back) in [
        (Some(Verdict::Unsupported), true, true),
        (Some(Verdict::Corrupt), true, false),
        (None, true, false),
        (Some(Verdict::Unsupported), false, false),
    ] {
        let afterwards = of(was, again).afterwards(now());
        assert_eq!(afterwards, taken_back.then(|| format!("begun at={AT}")), "{was:?} {again}");
    }
}
