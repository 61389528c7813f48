//! What is exported without being asked for: what `verify` has found sound, once, or once a day.

use scenarios::{Disk, Kops, LocalAws};
use serde_json::json;

use super::*;

/// What `verify` announces of a point.
fn announced(point: &str) -> Value {
    json!({"version": "0", "source": "etcd-volume-backup", "detail-type": "Etcd Snapshot Verified",
        "detail": {"outcome": "verified", "cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": point}})
}

#[tokio::test]
async fn each_sound_point_is_exported_once() {
    let account = LocalAws::account();
    one(&account, &Disk::fixture("clean-3.5").bytes).await;
    let bucket = store(&account).await;
    let all = function(&account).env("EXPORT", "all").start().await;
    let first = all.invoke(announced(POINT)).await.unwrap();
    assert_eq!(first["outcome"], "exported", "{first:#}");
    account.forget_calls().await;
    let again = all.invoke(announced(POINT)).await.unwrap();
    assert_eq!(again["outcome"], "nothing-to-do", "EventBridge delivers an event twice now and then: {again:#}");
    assert_eq!((account.writes().await.len(), of_backups(&bucket).await.len()), (0, 2));
    let gone = all.invoke(announced("2026-11-23T01:00:00Z")).await.unwrap();
    assert_eq!(gone["outcome"], "nothing-to-do", "it was pruned: {gone:#}");
}

#[tokio::test]
async fn daily_the_first_of_a_day_is_and_off_none_is() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let bucket = store(&account).await;
    let points = ["2026-11-22T23:00:00Z", "2026-11-23T01:00:00Z", POINT];
    for point in points {
        let snapshot = cluster.past_point("main", point).await.remove("a").unwrap();
        account.put_disk(&snapshot, &Disk::fixture("clean-3.5").bytes).await;
    }
    let off = export(&account).await;
    assert_eq!(off.invoke(announced(POINT)).await.unwrap()["outcome"], "nothing-to-do");
    let daily = function(&account).env("EXPORT", "daily").start().await;
    let mut outcomes = Vec::new();
    for point in points {
        outcomes.push(daily.invoke(announced(point)).await.unwrap()["outcome"].clone());
    }
    assert_eq!(outcomes, ["exported", "exported", "nothing-to-do"]);
    assert_eq!(of_backups(&bucket).await.len(), 4);
}
