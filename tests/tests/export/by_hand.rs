//! What is exported, and what it is then.

use std::io::Read;
use std::sync::Arc;

use etcd_backup_disk::{Blocks, Unreadable, files};
use flate2::read::GzDecoder;
use scenarios::{Disk, Function, LocalAws};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;

struct Volume(Vec<u8>);

impl Blocks for Volume {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let from = usize::try_from(offset).unwrap();
        into.copy_from_slice(&self.0[from..from + into.len()]);
        Ok(())
    }
}

/// The beginning of the db on a volume.
fn db_of(disk: Disk, bytes: u64) -> Vec<u8> {
    let path = format!("{}/member/snap/db", disk.truth["data_dir"].as_str().unwrap());
    let files = files::mount(Arc::new(Volume(disk.bytes))).unwrap();
    let mut db = vec![0; usize::try_from(bytes).unwrap()];
    files.open(&path).unwrap().read_at(0, &mut db).unwrap();
    db
}

#[tokio::test]
async fn the_best_member_becomes_a_backup_that_etcd_manager_would_have_made() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    let bucket = store(&account).await;
    let verified = Function::named("verify").account(&account).start().await.invoke(main(json!({}))).await.unwrap();
    let best = verified["best_member"].as_str().unwrap();

    let answer = export(&account).await.invoke(main(json!({}))).await.unwrap();

    assert_eq!((&answer["outcome"], &answer["member"]), (&json!("exported"), &json!(best)), "{answer:#}");
    assert_eq!(answer["snapshot"], json!(snapshots[best]));
    let looked = verified["members"].as_array().unwrap().iter().find(|one| one["member"] == best).unwrap();
    assert_eq!(answer["revision"], looked["revision"]);
    let log = looked["wal_last_index"].as_u64().unwrap() - looked["consistent_index"].as_u64().unwrap();
    assert_eq!(answer["behind"], json!(log));
    let name = answer["backup"].as_str().unwrap();
    assert!(name.starts_with("etcd-volume-backup-2026-11-23T02:00:0"), "{name}");
    assert_eq!(answer["url"], json!(format!("s3://backups/{MAIN}/{name}/etcd.backup.gz")));
    let [data, meta] = of_backups(&bucket).await.try_into().unwrap();
    assert_eq!((&data, &meta), (&format!("{MAIN}/{name}/_etcd_backup.meta"), &format!("{MAIN}/{name}/etcd.backup.gz")));

    let packed = bucket.get(&format!("{MAIN}/{name}/etcd.backup.gz")).await.unwrap();
    assert_eq!(answer["bytes"], json!(packed.len()));
    let mut file = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut file).unwrap();
    let (db, hash) = file.split_at(file.len() - 32);
    assert_eq!(hash, Sha256::digest(db).as_slice());
    assert_eq!(answer["db_bytes"], json!(db.len()));
    assert!(db == db_of(Disk::fixture(&format!("member-{best}")), db.len() as u64), "byte for byte");
    let meta = String::from_utf8(bucket.get(&format!("{MAIN}/{name}/_etcd_backup.meta")).await.unwrap()).unwrap();
    let read: Value = serde_json::from_str(&meta).unwrap();
    assert_eq!(read["etcdVersion"], "3.5.16", "the patch level is the spec's");
    assert_eq!(read["clusterSpec"], json!({"memberCount": 3, "etcdVersion": "3.5.16"}));
    assert!(says(&answer["next_steps"], &["etcd-manager-ctl", "restore-backup", name]), "{answer:#}");
    assert!(says(&answer["next_steps"], &["leases are lost"]));
    assert_eq!(bucket.open_uploads().await, 0);
}

#[tokio::test]
async fn what_was_exported_is_not_exported_again() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("clean-3.5").bytes).await;
    let bucket = store(&account).await;
    let export = export(&account).await;
    let first = export.invoke(json!({"snapshot": snapshot})).await.unwrap();
    account.forget_calls().await;

    let again = export.invoke(main(json!({}))).await.unwrap_err();

    assert_eq!(again.error_type, "AlreadyExported", "{again}");
    assert!(again.error_message.contains(first["backup"].as_str().unwrap()), "{again}");
    assert_eq!(account.writes().await.len(), 0);
    assert_eq!(of_backups(&bucket).await.len(), 2);
}

#[tokio::test]
async fn a_corrupt_member_is_passed_over_and_where_all_are_nothing_is_written() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    let bucket = store(&account).await;
    account.put_disk(&snapshots["a"], &Disk::fixture("member-a").without_meta_pages().bytes).await;
    let export = export(&account).await;

    let answer = export.invoke(main(json!({}))).await.unwrap();

    assert_eq!(answer["member"], "b", "{answer:#}");
    assert!(says(&answer["warnings"], &["passed over", &snapshots["a"], "corrupt"]), "{answer:#}");
    let named = export.invoke(main(json!({"member": "a"}))).await.unwrap_err();
    assert_eq!(named.error_type, "CorruptSnapshot", "{named}");
    assert_eq!(of_backups(&bucket).await.len(), 2, "that of b");
    assert_eq!(bucket.open_uploads().await, 0);
}

#[tokio::test]
async fn a_degraded_etcd_is_exported_where_that_is_allowed_and_what_cannot_be_read_never() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("nospace-3.5").bytes).await;
    let bucket = store(&account).await;
    let export = export(&account).await;
    let refused = export.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
    assert_eq!(refused.error_type, "DegradedSnapshot", "{refused}");
    let answer = export.invoke(json!({"snapshot": snapshot, "allow_degraded": true})).await.unwrap();
    assert!(says(&answer["warnings"], &["degraded", "NOSPACE"]), "{answer:#}");

    let other = LocalAws::account();
    let snapshot = one(&other, &Disk::fixture("xfs").bytes).await;
    store(&other).await;
    let refused = super::export(&other).await.invoke(json!({"snapshot": snapshot, "allow_degraded": true})).await;
    assert_eq!(refused.unwrap_err().error_type, "UnsupportedSnapshot");
    assert_eq!(of_backups(&bucket).await.len(), 2);
}

#[tokio::test]
async fn without_a_spec_the_version_is_that_which_etcd_manager_takes() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("clean-3.5").bytes).await;
    let bucket = account.bucket("backups").await;
    let answer = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();
    assert_eq!(answer["etcd_version"], "3.5.30", "{answer:#}");
    assert_eq!(of_backups(&bucket).await.len(), 2);

    let other = LocalAws::account();
    let snapshot = one(&other, &Disk::fixture("3.7-purged-crash").bytes).await;
    other.bucket("backups").await;
    let refused = export_of(&other, &snapshot).await.unwrap_err();
    assert_eq!(refused.error_type, "StoreNotEtcdManagers", "which 3.7 it has is not known: {refused}");
}

async fn export_of(account: &Account, snapshot: &str) -> Result<Value, scenarios::FunctionError> {
    export(account).await.invoke(json!({"snapshot": snapshot})).await
}

#[tokio::test]
async fn a_bad_event_or_configuration_is_refused_by_its_field_and_calls_nothing() {
    let account = LocalAws::account();
    for (event, words) in [
        (json!({"snapshot": "vol-1"}), "snapshot: "),
        (main(json!({"mode": "copy"})), "mode: unknown variant `copy`"),
        (main(json!({"recovery_point": "now"})), "recovery_point: `now` is neither"),
        (json!({"cluster": CLUSTER}), "etcd_cluster: is missing"),
    ] {
        let refused = export(&account).await.invoke(event).await.unwrap_err();
        assert_eq!(refused.error_type, "InvalidRequest", "{refused}");
        assert!(refused.error_message.starts_with(words) && refused.error_message.contains("accepted"), "{refused}");
    }
    let unset = Function::named("export").account(&account).start().await;
    let refused = unset.invoke(json!({})).await.unwrap_err();
    assert_eq!(refused.error_type, "InvalidConfiguration", "{refused}");
    assert!(refused.error_message.contains("STORE: `` does not begin with `s3://`"), "{refused}");
    assert!(account.all_calls().await.is_empty());
}
