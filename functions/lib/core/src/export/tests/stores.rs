//! What is listed of a store, what may be restored from it, how old its newest backup is, and what is due.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::list::Listed;
use super::super::*;
use super::{COMPLETED, OLDER, SLOT};
use crate::backup::tests::fixtures::{main_of_example, point};
use crate::ids::EtcdClusterId;
use crate::scope::{ClusterSet, Scope};

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
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

#[test]
fn a_point_is_due_until_one_of_its_snapshots_is_there_or_daily_one_of_its_day() {
    let slot = crate::slot::Slot::parse(SLOT).expect("a slot");
    let names = ["mine".to_owned()].into();
    let store =
        |name: &str, time: &str, maker| Store { backups: vec![backup(name, Some(time), maker, 1)], ..Store::default() };
    let (of_day, day_before) = ("2026-11-23T00:30:00Z", "2026-11-22T23:30:00Z");
    for (name, time, maker, daily, all) in [
        ("mine", of_day, Maker::EtcdVolumeBackup, true, true),
        ("other", of_day, Maker::EtcdVolumeBackup, true, false),
        ("other", of_day, Maker::EtcdManager, false, false),
        ("other", day_before, Maker::EtcdVolumeBackup, false, false),
    ] {
        let store = store(name, time, maker);
        let has = |exports| has_due(&store, &names, slot, exports);
        assert_eq!((has(Exports::Daily), has(Exports::All)), (daily, all), "{name} {time}");
    }
    let half = Backup { is_whole: false, ..backup("mine", Some(of_day), Maker::EtcdVolumeBackup, 1) };
    assert!(!has_due(&Store { backups: vec![half], ..Store::default() }, &names, slot, Exports::All));
}
