//! The command that has etcd-manager restore a backup: for a sound one alone, and as its plan showed it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use scenarios::{Disk, LocalAws};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;

const NAME: &str = "2026-11-23T01:45:00Z-000001";
const META: &str = "{\n  \"etcdVersion\": \"3.5.16\",\n  \"timestamp\": \"1795398300\"\n}";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A backup as etcd-manager makes one, by what an export made: the db, without its SHA-256.
async fn db(account: &Account, bucket: &Bucket) -> Vec<u8> {
    let snapshot = one(account, &Disk::fixture("clean-3.5").bytes).await;
    let answer = export(account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();
    let data = bucket.get(&format!("{MAIN}/{}/etcd.backup.gz", answer["backup"].as_str().unwrap())).await.unwrap();
    let mut file = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&data[..]), &mut file).unwrap();
    file.truncate(file.len() - 32);
    file
}

fn with_hash(db: &[u8]) -> Vec<u8> {
    [db, Sha256::digest(db).as_slice()].concat()
}

async fn put(bucket: &Bucket, data: Vec<u8>, meta: &str) {
    bucket.put(&format!("{MAIN}/{NAME}/etcd.backup.gz"), data).await;
    bucket.put(&format!("{MAIN}/{NAME}/_etcd_backup.meta"), meta).await;
}

async fn commands(bucket: &Bucket) -> Vec<String> {
    bucket.keys().await.into_iter().filter(|key| key.ends_with("_command.json")).collect()
}

fn types(plan: &Value) -> Vec<&str> {
    plan["refusals"].as_array().unwrap().iter().map(|refusal| refusal["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_plan_shows_what_its_apply_then_writes_as_etcd_manager_ctl_would() {
    let account = LocalAws::account();
    let bucket = store(&account).await;
    put(&bucket, gzip(&with_hash(&db(&account, &bucket).await)), META).await;
    let export = export(&account).await;
    account.forget_calls().await;
    let plan = export.invoke(main(json!({"mode": "restore", "backup": NAME}))).await.unwrap();
    assert_eq!((&plan["outcome"], types(&plan)), (&json!("planned"), vec![]), "{plan:#}");
    assert_eq!(plan["etcd_version"], "3.5.16");
    assert!(says(&plan["warnings"], &["goes back to revision", "is lost"]), "{plan:#}");
    assert!(account.writes().await.is_empty(), "a plan writes nothing");

    let answer = export.invoke(plan["apply"].clone()).await.unwrap();

    assert_eq!(answer["outcome"], "commanded", "{answer:#}");
    let [key] = commands(&bucket).await.try_into().unwrap();
    assert_eq!(answer["command"], json!(format!("s3://backups/{key}")));
    assert!(key.starts_with(&format!("{MAIN}/control/20")) && key.ends_with("Z-000000/_command.json"), "{key}");
    let command: Value = serde_json::from_slice(&bucket.get(&key).await.unwrap()).unwrap();
    assert_eq!(command["restoreBackup"]["backup"], NAME);
    assert_eq!(command["restoreBackup"]["clusterSpec"], json!({"memberCount": 3, "etcdVersion": "3.5.16"}));
    assert!(command["timestamp"].as_str().unwrap().len() >= 19, "nanoseconds: {command}");
    assert!(says(&answer["next_steps"], &["aws s3 rm", &key]), "{answer:#}");

    let again = export.invoke(plan["apply"].clone()).await.unwrap_err();
    assert_eq!(again.error_type, "CommandPending", "{again}");
    assert_eq!(commands(&bucket).await.len(), 1);
}

#[tokio::test]
async fn for_what_etcd_manager_could_not_restore_there_is_no_command() {
    let account = LocalAws::account();
    let bucket = store(&account).await;
    let db = db(&account, &bucket).await;
    let export = export(&account).await;
    let mut broken = db.clone();
    broken[..64].fill(0);
    broken[4096..4160].fill(0);
    for (data, meta, why) in [
        (b"no gzip".to_vec(), META, "no whole gzip"),
        (gzip(&db), META, "no whole db with a SHA-256"),
        (gzip(&[&db[..], &[0; 32]].concat()), META, "SHA-256 after the db is not the db's"),
        (gzip(&with_hash(&broken)), META, "both meta pages are bad"),
        (gzip(&with_hash(&db)), "{}", "etcdVersion: is missing"),
        (gzip(&with_hash(&db)), "{\"etcdVersion\": \"3.5.16\", \"revision\": 1}", "etcd-manager does not know"),
        (gzip(&with_hash(&db)), "{\"etcdVersion\": \"3.4.13\"}", "which an older one does not take"),
        (gzip(&with_hash(&db)), "{\"etcdVersion\": \"4.0.0\"}", "no etcd-manager of today runs"),
    ] {
        put(&bucket, data, meta).await;
        let plan = export.invoke(main(json!({"mode": "restore", "backup": NAME}))).await.unwrap();
        assert_eq!(types(&plan), ["UnsoundBackup"], "{why}: {plan:#}");
        assert!(plan["refusals"][0]["message"].as_str().unwrap().contains(why), "{why}: {plan:#}");
        assert!(plan.get("apply").is_none());
        let apply = main(json!({"mode": "apply", "backup": NAME, "plan": "0".repeat(32)}));
        assert_eq!(export.invoke(apply).await.unwrap_err().error_type, "UnsoundBackup");
    }
    assert_eq!(commands(&bucket).await.len(), 0);
}

#[tokio::test]
async fn without_etcd_managers_spec_or_backup_or_where_it_changed_nothing_is_commanded() {
    let account = LocalAws::account();
    let bucket = store(&account).await;
    put(&bucket, gzip(&with_hash(&db(&account, &bucket).await)), META).await;
    let export = export(&account).await;
    let missing =
        export.invoke(main(json!({"mode": "restore", "backup": "2026-01-01T00:00:00Z-000001"}))).await.unwrap();
    assert_eq!(types(&missing), ["NoSuchBackup"], "{missing:#}");
    let elsewhere = export.invoke(main(json!({"mode": "restore", "backup": "../main/x"}))).await.unwrap_err();
    assert_eq!(elsewhere.error_type, "InvalidRequest", "{elsewhere}");
    let plan = export.invoke(main(json!({"mode": "restore", "backup": NAME}))).await.unwrap();

    bucket.put(&format!("{MAIN}/control/etcd-cluster-spec"), SPEC.replace('3', "1")).await;
    let changed = export.invoke(plan["apply"].clone()).await.unwrap_err();
    assert_eq!(changed.error_type, "PlanChanged", "{changed}");
    bucket.delete(&format!("{MAIN}/control/etcd-cluster-spec")).await;
    let none = export.invoke(main(json!({"mode": "restore", "backup": NAME}))).await.unwrap();
    assert_eq!(types(&none), ["StoreNotEtcdManagers"], "{none:#}");
    bucket.put(&format!("{MAIN}/control/etcd-cluster-spec"), SPEC).await;
    bucket.delete(&format!("{MAIN}/control/etcd-cluster-created")).await;
    let young = export.invoke(main(json!({"mode": "restore", "backup": NAME}))).await.unwrap();
    assert!(says(&young["warnings"], &["etcd-cluster-created"]), "{young:#}");
    assert_eq!(commands(&bucket).await.len(), 0);
}
