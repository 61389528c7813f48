//! Where the blocks of a snapshot come from: what is missing is never taken for zeros.

use std::time::Duration;

use scenarios::{Account, Disk, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn more_blocks_than_any_volume_of_etcd_has_are_not_even_listed() {
    let account = LocalAws::account();
    let snapshot = one(&account, &[]).await;
    account.put_full_disk(&snapshot, 200).await;

    let error = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("more than 262144 blocks"), "{error}");
    assert_eq!(account.calls("ListSnapshotBlocks").await.len(), 27, "pages of 10,000, of 41");
    assert!(account.calls("GetSnapshotBlock").await.is_empty());
    assert!(verdict(&account, &snapshot).await.is_none());
}

/// A block of the journal that has to be replayed: read ahead, and needed.
const NEEDED: (&str, &str) = ("dirty-journal-3.5", "30");
/// A block of the journal's old part, of which nothing is replayed: read ahead, and not needed.
const NOT_NEEDED: (&str, &str) = ("wrapped-journal-3.5", "28");

/// How often a block was asked for.
async fn asked_for(account: &Account, block: &str) -> usize {
    let calls = account.calls("GetSnapshotBlock").await;
    calls.iter().filter(|call| call.param("BlockIndex") == Some(block)).count()
}

#[tokio::test]
async fn a_block_that_failed_is_asked_for_once_more() {
    let account = LocalAws::account();
    let (fixture, block) = NEEDED;
    let snapshot = one(&account, &Disk::fixture(fixture).bytes).await;
    account.fail_next("GetSnapshotBlock").on("BlockIndex", block).with("AccessDeniedException", 403).await;

    let result = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(result["members"][0]["verdict"], "ok", "{result}");
    assert_eq!(asked_for(&account, block).await, 2);
}

#[tokio::test]
async fn a_block_that_fails_always_is_named_and_no_verdict() {
    let account = LocalAws::account();
    let (fixture, block) = NEEDED;
    let snapshot = one(&account, &Disk::fixture(fixture).bytes).await;
    account.fail_next("GetSnapshotBlock").on("BlockIndex", block).with("AccessDeniedException", 403).always().await;

    let error = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("block 30: GetSnapshotBlock: AccessDeniedException"), "{error}");
    assert_eq!(asked_for(&account, block).await, 2, "it is not tried for ever");
    assert!(verdict(&account, &snapshot).await.is_none() && told(&account).await.is_empty());
}

#[tokio::test]
async fn a_block_that_is_only_read_ahead_may_fail() {
    let account = LocalAws::account();
    let (fixture, block) = NOT_NEEDED;
    let snapshot = one(&account, &Disk::fixture(fixture).bytes).await;
    account.fail_next("GetSnapshotBlock").on("BlockIndex", block).with("AccessDeniedException", 403).always().await;

    let result = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(result["members"][0]["verdict"], "ok", "{result}");
    assert_eq!(asked_for(&account, block).await, 1, "it was read ahead, and not asked for again");
}

#[tokio::test]
async fn a_short_block_is_not_filled_up_with_zeros() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    let verify = verify(&account).await;
    account.shorten_next_blocks(1000).await;

    let error = verify.invoke(json!({"snapshot": snapshot})).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("block 0: GetSnapshotBlock: 262144 bytes, not 524288"), "{error}");
    assert!(verdict(&account, &snapshot).await.is_none() && told(&account).await.is_empty());
    account.shorten_next_blocks(1).await;
    assert_eq!(verify.invoke(json!({"snapshot": snapshot})).await.unwrap()["members"][0]["verdict"], "ok");
}

#[tokio::test]
async fn tokens_that_expire_at_the_same_time_are_listed_anew_once() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture(NEEDED.0).bytes).await;
    let verify = verify(&account).await;
    // The first three say where the journal is; then it is read ahead, all at once.
    account.on_next("GetSnapshotBlock").after(3).times(11).done_after(Duration::from_secs(1)).await;
    account.on_next("ListSnapshotBlocks").after(1).always().done_after(Duration::from_millis(300)).await;

    let (result, ()) = tokio::join!(verify.invoke(json!({"snapshot": snapshot})), async {
        account.until_called("GetSnapshotBlock", 9).await;
        account.expire_block_tokens().await;
    });

    assert_eq!(result.unwrap()["members"][0]["verdict"], "ok");
    let expired = account.calls("GetSnapshotBlock").await.iter().filter(|call| call.status == Some(400)).count();
    assert!(expired >= 6, "{expired}");
    assert_eq!(account.calls("ListSnapshotBlocks").await.len(), 2);
}
