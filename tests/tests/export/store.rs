//! A store beside the recovery points, and whether etcd-manager's own backups go on.

use scenarios::{Disk, LocalAws, events};
use serde_json::json;

use super::*;

async fn put(bucket: &Bucket, name: &str, data: &[u8]) {
    bucket.put(&format!("{MAIN}/{name}/etcd.backup.gz"), data).await;
    bucket.put(&format!("{MAIN}/{name}/_etcd_backup.meta"), "{\"etcdVersion\": \"3.5.16\"}").await;
}

#[tokio::test]
async fn both_kinds_are_in_one_list_and_each_account_needs_one_listing() {
    let account = LocalAws::account();
    let (_cluster, _) = three(&account).await;
    let bucket = store(&account).await;
    put(&bucket, "2026-11-23T01:45:00Z-000001", b"x").await;
    put(&bucket, "2026-11-23T02:15:00Z-000001", b"x").await;
    bucket.put(&format!("{MAIN}/2026-11-23T02:30:00Z-000001/etcd.backup.gz"), "half").await;
    account.forget_calls().await;

    let list = export(&account).await.invoke(json!({})).await.unwrap();

    let kinds: Vec<&str> =
        list["backups"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["backup", "recovery-point", "backup"], "{list:#}");
    assert_eq!(list["backups"][0]["made_by"], "etcd-manager");
    assert!(says(&list["warnings"], &["not whole", "2026-11-23T02:30:00Z-000001"]), "{list:#}");
    assert_eq!(account.calls("ListObjectsV2").await.len(), 1);
}

#[tokio::test]
async fn a_store_that_cannot_be_listed_hides_no_recovery_point() {
    let account = LocalAws::account();
    let (_cluster, _) = three(&account).await;
    let list = export(&account).await.invoke(main(json!({"mode": "list"}))).await.unwrap();
    assert!(says(&list["warnings"], &["could not be listed", "NoSuchBucket"]), "{list:#}");
    assert_eq!(list["backups"][0]["kind"], "recovery-point");
}

#[tokio::test]
async fn the_age_of_the_newest_backup_is_a_metric_and_its_contents_are_read_once_a_day() {
    let account = LocalAws::account();
    one(&account, &Disk::fixture("clean-3.5").bytes).await;
    let bucket = store(&account).await;
    let two_hours_ago = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(2)).strftime("%Y-%m-%dT%H:%M:%SZ");
    put(&bucket, &format!("{two_hours_ago}-000001"), b"no gzip").await;
    let export = export(&account).await;

    let by_day = export.invoke(events::scheduled("2026-11-23T12:00:00Z")).await.unwrap();
    assert_eq!((&by_day["outcome"], &by_day["warnings"]), (&json!("watched"), &json!([])), "{by_day:#}");
    let age = export.metric("StoreBackupAge", &[])[0];
    assert!((7200.0..7260.0).contains(&age), "{age}");
    assert_eq!(export.metric("StoreBackupsUnsound", &[]), [0.0]);

    let at_night = export.invoke(events::scheduled("2026-11-23T03:00:00Z")).await.unwrap();
    assert!(says(&at_night["warnings"], &["no whole gzip"]), "{at_night:#}");
    assert_eq!(export.metric("StoreBackupsUnsound", &[]), [0.0, 1.0]);
}

#[tokio::test]
async fn a_store_that_cannot_be_listed_fails_the_look() {
    let account = LocalAws::account();
    one(&account, &Disk::fixture("clean-3.5").bytes).await;
    let error = export(&account).await.invoke(events::scheduled("2026-11-23T12:00:00Z")).await.unwrap_err();
    assert_eq!(error.error_type, "ExportIncomplete", "{error}");
    assert!(error.sentence().contains("NoSuchBucket"), "{error}");
}
