//! What is written onto a snapshot.

use super::super::{Examination, Findings, Request};
use super::fixtures::{examined, now, snapshots};
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
    assert_eq!(ok, Some(format!("ok at={AT} revision=119172 index=119572 term=3")));
    for verdict in [Verdict::Degraded, Verdict::Corrupt, Verdict::Unsupported] {
        let written = |findings: &Findings| written(None, false, findings);
        assert_eq!(written(&sound().but(verdict, "rule 1")), Some(format!("{verdict} at={AT} reason=rule 1")));
        let unsaid = Findings { verdict, ..sound() };
        assert_eq!(written(&unsaid), Some(format!("{verdict} at={AT}")));
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
