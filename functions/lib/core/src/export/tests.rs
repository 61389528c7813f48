//! Events, which snapshot is taken, what may be restored, and how old the newest backup is.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::list::Listed;
use super::*;
use crate::backup::tests::fixtures::{main_of_example, point};
use crate::ids::{EtcdClusterId, SnapshotId};
use crate::restore::Refusal;
use crate::scope::{ClusterSet, Scope};
use crate::snapshot::{Snapshot, SnapshotState};
use crate::verdict::Verdict;
use crate::verify::Findings;

const SLOT: &str = "2026-11-23T02:00:00Z";
const OLDER: &str = "2026-11-23T01:00:00Z";
const COMPLETED: [SnapshotState; 3] = [SnapshotState::Completed; 3];

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

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

fn backup(name: &str, at_time: Option<&str>, maker: Maker, bytes: u64) -> Backup {
    Backup { name: name.to_owned(), at: at_time.map(at), maker, bytes, is_whole: true }
}

fn stores(backups: Vec<Backup>) -> BTreeMap<EtcdClusterId, Result<Store, String>> {
    [(main_of_example(), Ok(Store { backups, control: Control::default() }))].into()
}

#[test]
fn both_kinds_are_listed_newest_first() {
    let backups = vec![
        backup("old", Some("2026-11-23T00:30:00Z"), Maker::EtcdManager, 5),
        backup("new", Some("2026-11-23T01:30:00Z"), Maker::EtcdManager, 5),
        backup("odd", None, Maker::Other, 5),
        Backup { is_whole: false, ..backup("half", None, Maker::EtcdVolumeBackup, 5) },
    ];
    let observed = Observed {
        snapshots: [point(SLOT, &COMPLETED).observed(), point(OLDER, &COMPLETED).observed()].concat(),
        ..Observed::default()
    };
    let scope = Scope { clusters: ClusterSet::All, etcd_cluster: None };
    let result = list(&observed, &stores(backups), &scope, 10, at("2026-11-23T03:00:00Z"));
    let names: Vec<String> = result
        .backups
        .iter()
        .map(|listed| match listed {
            Listed::Backup(backup) => backup.backup.clone(),
            Listed::RecoveryPoint(point) => point.recovery_point.to_string(),
        })
        .collect();
    assert_eq!(names, [SLOT, "new", OLDER, "old", "odd"]);
    assert!(result.warnings[0].contains("not whole") && result.warnings[0].contains("half"), "{:?}", result.warnings);
    let one = list(&observed, &stores(Vec::new()), &scope, 1, at("2026-11-23T03:00:00Z"));
    assert_eq!(one.backups.len(), 1);
    let failed = [(main_of_example(), Err("AccessDenied".to_owned()))].into();
    let result = list(&observed, &failed, &scope, 1, at("2026-11-23T03:00:00Z"));
    assert!(result.warnings[0].contains("could not be listed: AccessDenied"), "the points are listed all the same");
    assert_eq!(result.backups.len(), 1);
}

fn sound() -> Soundness {
    Soundness::Sound {
        etcd_version: "3.6.12".to_owned(),
        needs: None,
        revision: 40,
        db_bytes: 9,
        fingerprint: "f".to_owned(),
    }
}

fn of_manager() -> Store {
    Store { control: Control { has_spec: true, has_created: true, commands: Vec::new() }, ..Store::default() }
}

fn refusals(plan: &RestorePlan) -> Vec<&'static str> {
    plan.refusals.iter().map(|refusal| refusal.kind.name()).collect()
}

#[test]
fn a_command_is_for_a_sound_backup_in_a_store_of_etcd_managers_alone() {
    let of = main_of_example();
    let plan = |store: &Store, spec: Option<&[u8]>, found| plan_restore(&of, "b", (store, spec), found, None);
    let good = plan(&of_manager(), Some(b"spec"), Some(sound()));
    assert_eq!(refusals(&good), [""; 0]);
    assert_eq!(refusals(&plan(&of_manager(), None, Some(sound()))), ["StoreNotEtcdManagers"]);
    assert_eq!(refusals(&plan(&of_manager(), Some(b"spec"), None)), ["NoSuchBackup"]);
    let unsound = Some(Soundness::Unsound("its SHA-256 is wrong".to_owned()));
    let unsound = plan(&of_manager(), Some(b"spec"), unsound);
    assert_eq!(refusals(&unsound), ["UnsoundBackup"]);
    assert_eq!((unsound.clone().answer(None).apply, unsound.answer(None).next_steps.len()), (None, 0));
    let pending = Control { commands: vec!["control/x/_command.json".to_owned()], ..of_manager().control };
    assert_eq!(
        refusals(&plan(&Store { control: pending, ..Store::default() }, Some(b"spec"), Some(sound()))),
        ["CommandPending"]
    );
    let young = Control { has_created: false, ..of_manager().control };
    let young = plan(&Store { control: young, ..Store::default() }, Some(b"spec"), Some(sound()));
    assert!(young.warnings.iter().any(|warning| warning.contains("etcd-cluster-created")), "{:?}", young.warnings);
}

#[test]
fn an_apply_is_of_what_its_plan_showed() {
    let of = main_of_example();
    let apply = plan_restore(&of, "b", (&of_manager(), Some(b"spec")), Some(sound()), None)
        .answer(None)
        .apply
        .expect("an event");
    let Ok(Request::Apply { plan, backup, .. }) = Request::accept(&apply, &ClusterSet::All) else {
        panic!("{apply:?}")
    };
    let again = |spec: &[u8], found| {
        refusals(&plan_restore(&of, &backup, (&of_manager(), Some(spec)), found, Some(&plan))).clone()
    };
    assert_eq!(again(b"spec", Some(sound())), [""; 0]);
    assert_eq!(again(b"other", Some(sound())), ["PlanChanged"]);
    let Soundness::Sound { etcd_version, needs, revision, db_bytes, .. } = sound() else { panic!() };
    let other = Soundness::Sound { etcd_version, needs, revision, db_bytes, fingerprint: "g".to_owned() };
    assert_eq!(again(b"spec", Some(other)), ["PlanChanged"]);
    let written = plan_restore(&of, "b", (&of_manager(), Some(b"spec")), Some(sound()), Some(&plan))
        .answer(Some("s3://x/y".to_owned()));
    assert_eq!((written.outcome, written.apply), ("commanded", None));
    assert!(written.next_steps.iter().any(|step| step.contains("aws s3 rm s3://x/y")), "{:?}", written.next_steps);
}

fn watched(backups: Vec<Backup>, time: &str) -> WatchReport {
    let store = Store { backups, control: Control::default() };
    let stores = [(main_of_example(), (Ok(store), at("2026-11-20T00:00:00Z")))].into();
    watch(&stores, at(time), at(time))
}

#[test]
fn the_newest_backup_of_etcd_managers_counts_and_where_there_is_none_the_oldest_point() {
    let own = backup("own", Some("2026-11-23T01:45:00Z"), Maker::EtcdManager, 100);
    let ours = backup("ours", Some("2026-11-23T01:59:00Z"), Maker::EtcdVolumeBackup, 100);
    let report = watched(vec![own, ours.clone()], SLOT);
    assert_eq!((report.greatest_age(), report.due.len(), report.failure), (Some(900), 0, None));
    let none = watched(vec![ours], SLOT);
    assert_eq!(none.greatest_age(), Some((3 * 24 + 2) * 3600));
    assert!(none.result.warnings[0].contains("no backup that etcd-manager made"));
}

#[test]
fn once_a_day_the_newest_backup_is_read_and_one_that_shrank_is_told() {
    let of_size = |hour: usize, bytes| {
        backup(&format!("b{hour}"), Some(&format!("2026-11-23T0{hour}:00:00Z")), Maker::EtcdManager, bytes)
    };
    let usual = |last| vec![of_size(0, 100), of_size(1, 110), of_size(2, last)];
    let report = watched(usual(90), "2026-11-23T03:10:00Z");
    assert_eq!(report.due, [ContentsDue { of: main_of_example(), backup: "b2".to_owned() }]);
    assert_eq!(report.result.warnings, [""; 0]);
    let report = watched(usual(40), "2026-11-23T04:10:00Z");
    assert!(report.due.is_empty() && report.result.warnings[0].contains("b2 has 40 bytes"), "{report:?}");
}

#[test]
fn a_store_that_cannot_be_listed_fails_the_look_and_no_other_store() {
    let mut events = main_of_example();
    events.etcd_cluster = crate::ids::EtcdCluster::parse("events").expect("a name");
    let since = at("2026-11-20T00:00:00Z");
    let stores =
        [(main_of_example(), (Err("AccessDenied".to_owned()), since)), (events, (Ok(Store::default()), since))].into();
    let report = watch(&stores, at(SLOT), at(SLOT));
    assert_eq!(report.result.stores.len(), 1);
    assert!(report.failure.expect("a failure").contains("AccessDenied"));
}
