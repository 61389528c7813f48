//! Answers, failures, events and metrics.

use serde_json::{Value, json};

use super::super::{Answer, At, Examined, Findings, Request, VerifyReport, report};
use super::fixtures::{OLDER_SLOT, SLOT, examined, id, snapshots};
use crate::backup::tests::fixtures::{main_of_example, point};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::Completed;
use crate::tags;
use crate::verdict::Verdict;

fn by_hand() -> Request {
    Request::Point { of: main_of_example(), at: At::Latest, deep: false }
}

/// Of the point of members a, b and c, asked for by hand.
fn told(outcomes: &[Examined; 3]) -> VerifyReport {
    report(&examined(&by_hand(), snapshots()), outcomes)
}

fn in_json(report: &VerifyReport) -> Value {
    serde_json::to_value(&report.answer).expect("JSON")
}

fn sound(member: &str) -> Findings {
    Findings::sound(member, 119_172)
}

fn all_sound() -> [Examined; 3] {
    ["a", "b", "c"].map(|member| sound(member).told())
}

#[test]
fn an_answer_is_what_the_contract_says() {
    let report = told(&[Findings::sound("a", 119_160).told(), sound("b").told(), Findings::unreadable().told()]);
    let ok = |member: &str, member_id: &str, revision: u64| {
        json!({
            "member": member, "snapshot": format!("snap-{member}-{SLOT}"), "verdict": "ok", "reason": null,
            "etcd_version": "3.5", "cluster_id": "cdf8181e32774e16", "member_id": member_id,
            "revision": revision, "consistent_index": revision + 400, "wal_last_index": revision + 425, "wal_last_term": 3,
            "term": 3, "voters": ["8e9e05c52164694d", "8e9e05c52164694e", "8e9e05c52164694f"],
            "commit": revision + 425, "commit_term": 3, "db_bytes": 847_000_000, "blocks_read": 96, "seconds": 1.9,
        })
    };
    let expected = json!({
        "outcome": "verified", "cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": SLOT,
        "members": [
            ok("a", "8e9e05c52164694d", 119_160),
            ok("b", "8e9e05c52164694e", 119_172),
            {
                "member": "c", "snapshot": format!("snap-c-{SLOT}"), "verdict": "unsupported",
                "reason": "the file system is XFS", "etcd_version": null, "cluster_id": null, "member_id": null,
                "revision": null, "consistent_index": null, "wal_last_index": null, "wal_last_term": null,
                "term": null, "commit": null, "commit_term": null, "voters": null, "db_bytes": null, "blocks_read": 96, "seconds": 1.9,
            },
        ],
        "set": null, "set_reason": "c was found unsupported", "spread": {"revisions": 12, "indexes": 12}, "best_member": "b", "warnings": [],
    });
    assert_eq!(in_json(&report), expected);
    assert_eq!(report.failure, None);
}

#[test]
fn a_corrupt_member_is_a_result_and_an_event_of_its_own() {
    let of = |verdict| sound("c").but(verdict, "rule 1").told();
    for (third, event) in [
        (sound("c").told(), Some("Etcd Snapshot Verified")),
        (of(Verdict::Degraded), Some("Etcd Snapshot Verified")),
        (of(Verdict::Unsupported), Some("Etcd Snapshot Verified")),
        (of(Verdict::Corrupt), Some("Etcd Snapshot Corrupt")),
    ] {
        let report = told(&[sound("a").told(), sound("b").told(), third]);
        assert_eq!((report.failure, report.answer.points()[0].event()), (None, event));
    }
    let unsaid = [Findings::unreadable().told(), Findings::unreadable().told(), Examined::Left];
    assert_eq!(told(&unsaid).answer.points()[0].event(), None);
    let none = ["", "", ""].map(|_| Examined::Failed("no".to_owned()));
    assert_eq!(told(&none).answer.points()[0].event(), None);
}

#[test]
fn what_was_asked_for_and_not_read_is_a_failure_and_no_verdict() {
    let report = told(&[sound("a").told(), Examined::Failed("access\ndenied".to_owned()), Examined::Left]);
    let answer = in_json(&report);
    assert_eq!((&answer["outcome"], &answer["members"][1]), (&json!("incomplete"), &Value::Null));
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(2));
    let of = "of main of k8s.example.com";
    let expected = format!(
        "2 of 3 snapshots were not examined: snap-b-{SLOT} (member b {of}, {SLOT}) was not examined: access denied; \
         snap-c-{SLOT} (member c {of}, {SLOT}) was not examined: not begun before the deadline"
    );
    assert_eq!(report.failure, Some(expected));
    let nothing = in_json(&told(&["", "", ""].map(|_| Examined::Failed("no".to_owned()))));
    assert_eq!((&nothing["members"], &nothing["recovery_point"]), (&json!([]), &json!(SLOT)));
}

/// A sweep of two points of three members each.
fn swept(outcomes: &[Examined]) -> VerifyReport {
    let all = snapshots().into_iter().chain(point(OLDER_SLOT, &[Completed; 3]).observed()).collect();
    let plan = examined(&Request::Sweep, all);
    assert_eq!(plan.list.len(), outcomes.len());
    report(&plan, outcomes)
}

#[test]
fn a_sweep_that_its_deadline_ends_is_whole() {
    let read = all_sound().into_iter().chain([sound("a").told(), Examined::Left, Examined::Left]);
    let report = swept(&read.collect::<Vec<_>>());
    let answer = in_json(&report);
    assert_eq!((report.failure, &answer["outcome"], &answer["left"]), (None, &json!("verified"), &json!(2)));
    let points = answer["recovery_points"].as_array().expect("points");
    assert_eq!(points[0]["outcome"], "verified");
    assert_eq!((&points[1]["outcome"], &points[1]["best_member"]), (&json!("incomplete"), &Value::Null));
    let none = swept(&vec![Examined::Left; 6]);
    assert_eq!((in_json(&none)["recovery_points"].clone(), none.metrics.len()), (json!([]), 0));
    assert_eq!(in_json(&none)["left"], 6);
}

#[test]
fn a_sweep_tells_what_it_could_not_read() {
    let failed = || Examined::Failed("throttled".to_owned());
    let report = swept(&all_sound().into_iter().chain([failed(), failed(), failed()]).collect::<Vec<_>>());
    let answer = in_json(&report);
    assert_eq!((&answer["outcome"], &answer["left"]), (&json!("incomplete"), &json!(0)));
    assert_eq!(answer["recovery_points"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(3));
    assert!(report.failure.is_some_and(|failure| failure.starts_with("3 of 6 snapshots were not examined: snap-a-")));
    let all = swept(&vec![failed(); 6]);
    assert!(all.failure.is_some_and(|failure| failure.ends_with("; and 3 more")));
}

#[test]
fn what_a_sweep_cannot_read_is_a_failure_for_seven_days_and_then_a_warning() {
    for (slot, fails) in [("2026-11-16T02:01:08Z", true), ("2026-11-16T02:01:07Z", false)] {
        let all = || snapshots().into_iter().chain(point(slot, &[Completed]).observed()).collect();
        let failed = || Examined::Failed("the key is gone".to_owned());
        let swept =
            report(&examined(&Request::Sweep, all()), &all_sound().into_iter().chain([failed()]).collect::<Vec<_>>());
        assert_eq!(swept.failure.is_some(), fails, "{slot}");
        let answer = in_json(&swept);
        assert_eq!(answer["outcome"], if fails { "incomplete" } else { "verified" });
        assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(1), "it is told all the same");
        let notified = Request::Completed(id(&format!("snap-a-{slot}")));
        assert!(report(&examined(&notified, all()), &[failed()]).failure.is_some(), "it was asked for");
    }
}

#[test]
fn a_sweep_of_nothing_answers_as_a_sweep() {
    let report = report(&examined(&Request::Sweep, Vec::new()), &[]);
    let expected = json!({"outcome": "verified", "recovery_points": [], "left": 0, "warnings": []});
    assert_eq!((in_json(&report), report.failure), (expected, None));
}

#[test]
fn where_there_is_nothing_to_do_the_answer_says_why() {
    let answer = Answer::nothing("snap-1 is not ours".to_owned());
    let expected = json!({"outcome": "nothing-to-do", "reason": "snap-1 is not ours"});
    assert_eq!(serde_json::to_value(&answer).expect("JSON"), expected);
    assert_eq!(answer.points(), []);
}

#[test]
fn a_sweep_of_one_point_answers_as_a_sweep() {
    let report = report(&examined(&Request::Sweep, snapshots()), &all_sound());
    assert_eq!(in_json(&report)["recovery_points"][0]["best_member"], "a");
}

#[test]
fn what_the_operator_should_know_is_said_where_it_belongs() {
    let strange = snapshots().remove(0).without_tag(tags::SNAPSHOT_CLUSTER);
    let strange = Snapshot { id: id("snap-strange"), ..strange };
    let all = || snapshots().into_iter().chain([strange.clone()]).collect();
    for request in [by_hand(), Request::Sweep] {
        let mut report = report(&examined(&request, all()), &all_sound());
        report.answer.warn("the event was not published".to_owned());
        let warnings = in_json(&report)["warnings"].clone();
        assert!(warnings[0].as_str().is_some_and(|warning| warning.contains("snap-strange")), "{warnings}");
        assert_eq!(warnings[1], "the event was not published");
    }
}

#[test]
fn a_verdict_that_the_snapshot_does_not_bear_is_told() {
    let unwritten = Examined::Found { findings: Box::new(sound("a")), unwritten: Some("access denied".to_owned()) };
    let report = told(&[unwritten, sound("b").told(), sound("c").told()]);
    assert_eq!(report.failure, None);
    assert_eq!(in_json(&report)["warnings"], json!([format!("snap-a-{SLOT} could not be marked `ok`: access denied")]));
    let corrupt = snapshots().into_iter().map(|one| one.tagged(tags::VERIFIED, "corrupt")).collect();
    let report = super::super::report(&examined(&by_hand(), corrupt), &all_sound());
    let warnings = in_json(&report)["warnings"].clone();
    assert_eq!(warnings.as_array().map(Vec::len), Some(3));
    assert!(warnings[0].as_str().is_some_and(|warning| warning.contains("only an examination with `deep`")));
}

#[test]
fn metrics_count_what_was_judged() {
    let corrupt = sound("a").but(Verdict::Corrupt, "rule 1").told();
    let unreadable = || Findings::unreadable().told();
    for (outcomes, verified, corrupt, unsupported) in [
        ([corrupt.clone(), sound("b").told(), unreadable()], 3, 1, 1),
        ([sound("a").told(), unreadable(), unreadable()], 3, 0, 2),
        ([corrupt.clone(), corrupt, Examined::Failed("no".to_owned())], 2, 2, 0),
    ] {
        let metrics = told(&outcomes).metrics;
        assert_eq!((metrics.len(), &metrics[0].of), (1, &main_of_example()));
        let expected =
            [("SnapshotsVerified", verified), ("SnapshotsCorrupt", corrupt), ("SnapshotsUnsupported", unsupported)];
        assert_eq!(metrics[0].counts(), expected);
    }
    assert_eq!(told(&["", "", ""].map(|_| Examined::Left)).metrics, []);
    let events = snapshots().into_iter().map(|one| {
        let events = Snapshot { id: id(&format!("{}-events", one.id)), ..one };
        events.marked(&[(tags::SNAPSHOT_ETCD_CLUSTER, "events")])
    });
    let all: Vec<Snapshot> = snapshots().into_iter().chain(events).collect();
    let plan = examined(&Request::Sweep, all);
    let outcomes: Vec<Examined> = plan.list.iter().map(|_| sound("a").told()).collect();
    let VerifyReport { answer, metrics, .. } = super::super::report(&plan, &outcomes);
    let points: Vec<(&str, usize)> =
        answer.points().iter().map(|one| (one.etcd_cluster.as_str(), one.members.len())).collect();
    assert_eq!(points, [("events", 3), ("main", 3)], "of one slot, and two points");
    let counted: Vec<(&str, usize)> = metrics.iter().map(|one| (one.of.etcd_cluster.as_str(), one.verified)).collect();
    assert_eq!(counted, [("events", 3), ("main", 3)]);
}
