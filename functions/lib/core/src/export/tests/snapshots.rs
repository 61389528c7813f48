//! Events, which snapshot is taken, and whether it may be.

use std::time::Duration;

use jiff::SignedDuration;

use super::super::*;
use super::{COMPLETED, OLDER, SLOT};
use crate::backup::tests::fixtures::point;
use crate::ids::SnapshotId;
use crate::restore::Refusal;
use crate::scope::ClusterSet;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::verdict::Verdict;
use crate::verify::Findings;

fn accepted(event: &serde_json::Value) -> Result<Request, String> {
    let event: Event = serde_json::from_value(event.clone()).map_err(|error| error.to_string())?;
    Request::accept(&event, &ClusterSet::All)
}

fn chosen(event: &serde_json::Value, snapshots: Vec<Snapshot>) -> Result<Vec<String>, Refusal> {
    let Ok(Request::Export(request)) = accepted(event) else { panic!("{event}") };
    let choice = choose(&Observed { snapshots, unreadable: Vec::new() }, &request, &ClusterSet::All)?;
    Ok(choice.candidates.iter().map(|one| one.lineage.member.to_string()).collect())
}

fn of_main(more: &serde_json::Value) -> serde_json::Value {
    let mut event = serde_json::json!({"cluster": "k8s.example.com", "etcd_cluster": "main"});
    event.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    event
}

fn verdict(word: &str, revision: i64) -> String {
    format!(
        "{word} at=2026-11-23T02:01:00Z revision={revision} index=7 term=2 last=2.9 commit=9 cluster=1 member=1 voters=3:1"
    )
}

#[test]
fn an_event_says_what_is_meant_or_is_refused_by_its_field() {
    use serde_json::json;
    assert!(matches!(accepted(&json!({})), Ok(Request::List(_, 10))));
    assert!(matches!(accepted(&json!({"snapshot": "snap-1"})), Ok(Request::Export(_))));
    assert!(
        matches!(accepted(&of_main(&json!({"mode": "restore", "backup": "b"}))), Ok(Request::Restore(_, name)) if name == "b")
    );
    for (event, field) in [
        (of_main(&json!({"mode": "list", "backup": "b"})), "backup: does not go with the mode `list`"),
        (json!({"snapshot": "snap-1", "member": "a"}), "member: does not go with `snapshot`"),
        (json!({"snapshot": "vol-1"}), "snapshot: "),
        (json!({"cluster": "k8s.example.com"}), "etcd_cluster: is missing"),
        (of_main(&json!({"recovery_point": "yesterday"})), "recovery_point: `yesterday` is neither"),
        (of_main(&json!({"mode": "restore"})), "backup: is missing"),
        (of_main(&json!({"mode": "apply", "backup": "b"})), "plan: is missing"),
        (json!({"mode": "list", "limit": 0}), "limit: 0 lists nothing"),
    ] {
        let why = accepted(&event).expect_err(field);
        assert!(why.starts_with(field), "{event}: {why}");
    }
    assert!(accepted(&json!({"clusters": "x"})).expect_err("unknown").contains("unknown field `clusters`"));
}

#[test]
fn the_best_member_comes_first_and_a_corrupt_one_never() {
    use serde_json::json;
    let verified = point(SLOT, &COMPLETED).found("a", &verdict("ok", 10)).found("b", &verdict("ok", 12));
    assert_eq!(chosen(&of_main(&json!({})), verified.observed()), Ok(vec!["b".into(), "a".into(), "c".into()]));
    let some_bad = point(SLOT, &COMPLETED)
        .found("a", "corrupt reason=x")
        .found("b", "unsupported reason=x")
        .found("c", &verdict("degraded", 99));
    assert_eq!(chosen(&of_main(&json!({})), some_bad.observed()), Ok(vec!["c".into()]));
    let refused = chosen(&of_main(&json!({"member": "a", "recovery_point": SLOT})), some_bad.observed());
    assert!(refused.expect_err("it is corrupt").to_string().starts_with("CorruptSnapshot: "));
    assert_eq!(chosen(&of_main(&json!({"member": "c"})), verified.observed()), Ok(vec!["c".into()]));
}

#[test]
fn latest_is_the_newest_point_that_can_be_read() {
    use serde_json::json;
    let newest = point(SLOT, &COMPLETED)
        .found("a", "corrupt reason=x")
        .found("b", "corrupt reason=x")
        .found("c", "corrupt reason=x");
    let older = point(OLDER, &COMPLETED).found("b", &verdict("ok", 3));
    let both = [newest.observed(), older.observed()].concat();
    assert_eq!(chosen(&of_main(&json!({})), both.clone()), Ok(vec!["b".into(), "a".into(), "c".into()]));
    let named = chosen(&of_main(&json!({"recovery_point": SLOT})), both).expect_err("corrupt");
    assert!(named.to_string().starts_with("CorruptSnapshot: "), "{named}");
    let none = chosen(&of_main(&json!({})), Vec::new()).expect_err("none");
    assert!(none.to_string().starts_with("NoSuchRecoveryPoint: "), "{none}");
    let pending = point(SLOT, &[SnapshotState::Pending; 3]);
    let none = chosen(&of_main(&json!({"recovery_point": SLOT})), pending.observed()).expect_err("pending");
    assert!(none.to_string().starts_with("IncompleteRecoveryPoint: "), "{none}");
}

#[test]
fn of_a_point_that_two_volumes_contest_nothing_is_taken_unless_it_is_named() {
    use serde_json::json;
    let mut contested = point(SLOT, &COMPLETED);
    let other = point(SLOT, &COMPLETED).of_volume("a", "vol-other");
    let mut twin = other.snapshots[0].clone();
    twin.id = SnapshotId::parse("snap-twin").expect("an id");
    contested.snapshots.push(twin);
    let refused = chosen(&of_main(&json!({"recovery_point": SLOT})), contested.observed()).expect_err("contested");
    assert!(refused.to_string().starts_with("IncompleteRecoveryPoint: "), "{refused}");
    assert_eq!(chosen(&json!({"snapshot": "snap-twin"}), contested.observed()), Ok(vec!["a".into()]));
}

#[test]
fn a_named_snapshot_must_be_ours_and_as_it_was() {
    use serde_json::json;
    let ours = point(SLOT, &COMPLETED).observed();
    let id = ours[0].id.to_string();
    let event = json!({"snapshot": id});
    assert_eq!(chosen(&event, ours.clone()), Ok(vec!["a".into()]));
    for (snapshot, kind) in [
        (ours[0].clone().copied_as(&id), "NotOurs"),
        (ours[0].clone().tagged("etcd-backup/member", "b/a,b,c"), "Foreign"),
        (Snapshot { state: SnapshotState::Pending, ..ours[0].clone() }, "SnapshotNotCompleted"),
    ] {
        let refused = chosen(&event, vec![snapshot]).expect_err(kind);
        assert_eq!(refused.kind.name(), kind, "{refused}");
    }
}

fn found(verdict: Verdict) -> Findings {
    Findings {
        verdict,
        reason: (verdict != Verdict::Ok).then(|| "why".to_owned()),
        etcd_version: Some("3.6".to_owned()),
        cluster_id: Some(1),
        member_id: Some(2),
        revision: Some(40),
        consistent_index: Some(50),
        wal_last_index: Some(57),
        wal_last_term: Some(2),
        term: Some(2),
        commit: Some(57),
        commit_term: Some(2),
        voters: None,
        db_bytes: Some(1 << 20),
        blocks_read: 3,
        took: SignedDuration::ZERO,
    }
}

#[test]
fn only_a_sound_etcd_is_exported_and_a_degraded_one_where_it_is_allowed() {
    let id = SnapshotId::parse("snap-1").expect("an id");
    let judged = |verdict, allow| judge(&id, &found(verdict), allow).map_err(|refusal| refusal.kind.name());
    assert_eq!(judged(Verdict::Ok, false), Ok(Vec::new()));
    assert_eq!(judged(Verdict::Degraded, false), Err("DegradedSnapshot"));
    assert_eq!(judged(Verdict::Degraded, true).map(|warnings| warnings.len()), Ok(1));
    for allow in [false, true] {
        assert_eq!(judged(Verdict::Corrupt, allow), Err("CorruptSnapshot"));
        assert_eq!(judged(Verdict::Unsupported, allow), Err("UnsupportedSnapshot"));
    }
}

#[test]
fn a_db_of_eight_gib_ends_within_a_lambda_and_none_is_for_nothing() {
    assert!(needs(0) > Duration::ZERO && needs(8 << 30) < Duration::from_mins(14));
    assert!(needs(16 << 30) > Duration::from_mins(15));
}
