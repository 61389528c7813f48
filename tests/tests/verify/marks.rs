//! What stands on a snapshot: a verdict is told before it is written, and what another run found is not lost.

use std::time::Duration;

use scenarios::{LocalAws, events, tags};
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_sweep_that_dies_before_it_marks_is_told_again_and_marked_by_the_next() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.on_next("CreateTags").after(1).done_after(Duration::from_mins(5)).await;
    let dying = verify(&account).await;

    let (killed, ()) = tokio::join!(dying.invoke(events::scheduled(POINT)), async {
        account.until_called("CreateTags", 2).await;
        dying.kill(&account).await;
    });
    assert_eq!(killed.unwrap_err().error_type, "Runtime.ExitError");
    assert_eq!((told(&account).await.len(), verdict(&account, &snapshot).await), (1, None));

    verify(&account).await.invoke(events::scheduled(POINT)).await.unwrap();

    assert_eq!(told(&account).await, ["Etcd Snapshot Verified"; 2]);
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"));
}

/// Another run marks the snapshot while this one reads it.
async fn marked_meanwhile(account: &Account, snapshot: &str, event: Value, mark: &str) -> Value {
    let verify = verify(account).await;
    account.forget_calls().await;
    account.on_next("GetSnapshotBlock").done_after(Duration::from_secs(1)).await;
    let (result, ()) = tokio::join!(verify.invoke(event), async {
        account.until_called("GetSnapshotBlock", 1).await;
        account.change_snapshots(snapshot).tags(&tags::of([("etcd-backup/verified", mark)])).await;
    });
    assert_eq!(verify.metric("SnapshotsVerified", &[]), [1.0]);
    assert_eq!(verify.metric("SnapshotsCorrupt", &[]), [0.0]);
    result.unwrap()
}

#[tokio::test]
async fn what_a_deep_look_finds_corrupt_meanwhile_stays_so() {
    const FOUND: &str = "corrupt at=2026-11-23T02:05:00Z reason=a page";
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;

    let result = marked_meanwhile(&account, &snapshot, json!({"snapshot": snapshot}), FOUND).await;

    assert_eq!(result["members"][0]["verdict"], "ok");
    let warning = result["warnings"][0].as_str().unwrap();
    assert!(warning.contains("was found corrupt before, and stays marked so"), "{warning}");
    assert_eq!(verdict(&account, &snapshot).await.unwrap(), FOUND);
    assert_eq!(account.calls("CreateTags").await.len(), 1, "that it is being read");
    let deep = json!({"snapshot": snapshot, "deep": true});
    let result = marked_meanwhile(&account, &snapshot, deep, FOUND).await;
    assert_eq!(result["warnings"], json!([]));
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"), "a deep look takes it back");
}

#[tokio::test]
async fn any_other_verdict_of_meanwhile_is_written_over() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;

    let result = marked_meanwhile(&account, &snapshot, events::scheduled(POINT), "degraded at=then reason=why").await;

    assert_eq!((&result["outcome"], &result["warnings"]), (&json!("verified"), &json!([])));
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"));
}

#[tokio::test]
async fn what_cannot_be_seen_again_is_not_written_over() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    let verify = verify(&account).await;
    account.fail_next("DescribeSnapshots").after(1 + 3).with("UnauthorizedOperation", 403).await;

    let result = verify.invoke(events::scheduled(POINT)).await.unwrap();

    let [warning] =
        <[Value; 1]>::try_from(result["recovery_points"][0]["warnings"].as_array().unwrap().clone()).unwrap();
    let warning = warning.as_str().unwrap();
    assert!(warning.contains("could not be marked `ok`: DescribeSnapshots: UnauthorizedOperation"), "{warning}");
    assert_eq!(account.calls("CreateTags").await.len(), 3 + 2, "the others are marked");
    verify.invoke(events::scheduled(POINT)).await.unwrap();
    for snapshot in snapshots.values() {
        assert!(verdict(&account, snapshot).await.unwrap().starts_with("ok"), "the next sweep reads what is left");
    }
}
