//! What ends the function that reads it: it is tried twice, and keeps no other from being read.

use std::collections::BTreeMap;
use std::time::Duration;

use scenarios::{Kops, LocalAws, events};
use serde_json::json;

use super::*;

/// Slots, and the snapshots of a single master's etcd there, all sound. Reading `deadly` never ends.
async fn with_a_deadly_one<'a>(
    account: &'a Account,
    deadly: &str,
    slots: &[&str],
) -> (Kops<'a>, BTreeMap<String, String>) {
    let cluster = Kops::cluster(CLUSTER).single_master().create(account).await;
    let mut snapshots = BTreeMap::new();
    for slot in slots {
        let snapshot = cluster.past_point("main", slot).await.remove("a").unwrap();
        account.put_disk(&snapshot, &sound()).await;
        snapshots.insert((*slot).to_owned(), snapshot);
    }
    account
        .on_next("GetSnapshotBlock")
        .on_snapshot(&snapshots[deadly])
        .always()
        .done_after(Duration::from_mins(9))
        .await;
    (cluster, snapshots)
}

/// A sweep that ends when it begins to read this one: as it does where a disk takes more memory than there is.
async fn dies_of(account: &Account, snapshot: &str) {
    account.forget_calls().await;
    let dying = verify(account).await;
    let (killed, ()) = tokio::join!(dying.invoke(events::scheduled(POINT)), async {
        while !account.calls("GetSnapshotBlock").await.iter().any(|call| call.param("SnapshotId") == Some(snapshot)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        dying.kill(account).await;
    });
    assert_eq!(killed.unwrap_err().error_type, "Runtime.ExitError");
}

#[tokio::test]
async fn a_snapshot_that_ends_each_sweep_is_read_last_and_then_passed_over() {
    const SLOTS: [&str; 3] = ["2026-11-23T03:00:00Z", "2026-11-23T02:00:00Z", "2026-11-23T01:00:00Z"];
    let account = LocalAws::account();
    let (_cluster, snapshots) = with_a_deadly_one(&account, SLOTS[1], &SLOTS).await;
    let [first, deadly, last] = SLOTS.map(|slot| snapshots[slot].as_str());

    dies_of(&account, deadly).await;

    assert!(verdict(&account, first).await.unwrap().starts_with("ok"));
    assert!(verified(&account, deadly).await.unwrap().starts_with("begun at="));
    assert_eq!(verified(&account, last).await, None, "it was not come to");

    dies_of(&account, deadly).await;

    assert!(verdict(&account, last).await.unwrap().starts_with("ok"), "it was read before the deadly one");
    let said = verdict(&account, deadly).await.unwrap();
    assert!(said.starts_with("unsupported at=") && said.contains("ended the function twice"), "{said}");

    account.forget_calls().await;
    let result = verify(&account).await.invoke(events::scheduled(POINT)).await.unwrap();

    assert_eq!((&result["outcome"], &result["left"]), (&json!("verified"), &json!(0)));
    assert!(account.calls("GetSnapshotBlock").await.is_empty(), "nothing is left to a sweep");
    account.clear_faults().await;
    let by_hand = verify(&account).await.invoke(json!({"snapshot": deadly})).await.unwrap();
    assert_eq!(by_hand["members"][0]["verdict"], "ok");
    assert!(verdict(&account, deadly).await.unwrap().starts_with("ok"), "by hand it is read all the same");
}

/// The others of its point were read, and not marked yet, when the function died.
#[tokio::test]
async fn what_was_read_beside_a_deadly_one_is_read_again() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    account.on_next("GetSnapshotBlock").on_snapshot(&snapshots["c"]).always().done_after(Duration::from_mins(9)).await;
    for _ in 0..2 {
        dies_of(&account, &snapshots["c"]).await;
    }
    for member in ["a", "b"] {
        assert!(verdict(&account, &snapshots[member]).await.unwrap().starts_with("ok"), "{member}");
    }
    assert!(verdict(&account, &snapshots["c"]).await.unwrap().starts_with("unsupported"));
}

#[tokio::test]
async fn what_fails_again_without_a_death_is_tried_once_more() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.fail_next("ListSnapshotBlocks").with("AccessDeniedException", 403).always().await;
    for _ in 0..3 {
        let error = verify(&account).await.invoke(events::scheduled(POINT)).await.unwrap_err();
        assert!(error.sentence().contains("AccessDenied"), "{error}");
        assert!(verified(&account, &snapshot).await.unwrap().starts_with("begun at="));
    }
    account.clear_faults().await;
    verify(&account).await.invoke(events::scheduled(POINT)).await.unwrap();
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"));
}
