//! Where the blocks of a snapshot come from: what is missing is never taken for zeros.

use scenarios::LocalAws;
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
