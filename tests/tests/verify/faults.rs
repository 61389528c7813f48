//! What goes wrong between the function and EBS.

use std::time::Duration;

use scenarios::{LocalAws, events};
use serde_json::json;

use super::*;

#[tokio::test]
async fn pages_are_followed_and_throttled_calls_repeated() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.pages_of(5).await;
    account.fail_next("ListSnapshotBlocks").with("RequestThrottledException", 400).times(2).await;
    account.fail_next("GetSnapshotBlock").after(2).with("RequestThrottledException", 400).times(4).await;
    account.fail_next("GetSnapshotBlock").after(9).with("InternalServerException", 500).times(2).await;

    let result = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(result["members"][0]["verdict"], "ok", "{result}");
    assert!(account.calls("ListSnapshotBlocks").await.len() > 4);
}

#[tokio::test]
async fn a_block_that_was_damaged_on_its_way_is_asked_for_again() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.damage_next_blocks(1).await;
    let verify = verify(&account).await;
    assert_eq!(verify.invoke(json!({"snapshot": snapshot})).await.unwrap()["members"][0]["verdict"], "ok");

    account.damage_next_blocks(1000).await;
    let error = verify.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("SHA-256"), "{error}");
    let tag = verdict(&account, &snapshot).await.unwrap();
    assert!(tag.starts_with("ok"), "what could not be read says nothing of the snapshot: {tag}");
}

#[tokio::test]
async fn where_the_key_is_not_given_the_message_says_what_to_do() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    let denied = account.fail_next("GetSnapshotBlock").with("AccessDeniedException", 400).always();
    denied.because("DEPENDENCY_ACCESS_DENIED").await;

    let error = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("AccessDeniedException") && error.sentence().contains("KmsKeyArns"), "{error}");
}

#[tokio::test]
async fn tokens_that_expire_are_listed_anew() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    let verify = verify(&account).await;
    account.on_next("GetSnapshotBlock").done_after(Duration::from_millis(700)).await;

    let (result, ()) = tokio::join!(verify.invoke(json!({"snapshot": snapshot})), async {
        account.until_called("GetSnapshotBlock", 1).await;
        account.expire_block_tokens().await;
    });

    assert_eq!(result.unwrap()["members"][0]["verdict"], "ok");
    assert!(account.calls("ListSnapshotBlocks").await.len() >= 2);
}

#[tokio::test]
async fn a_verdict_that_could_not_be_written_was_told_and_is_told_again() {
    let account = LocalAws::account();
    let snapshot = one(&account, &corrupt()).await;
    account.fail_next("CreateTags").after(1).with("UnauthorizedOperation", 403).await;
    let verify = verify(&account).await;

    let result = verify.invoke(notification(&snapshot, "createSnapshot", "succeeded")).await.unwrap();
    assert!(result["warnings"][0].as_str().unwrap().contains("UnauthorizedOperation"), "{result}");
    assert_eq!((told(&account).await.len(), verdict(&account, &snapshot).await), (1, None));
    verify.invoke(notification(&snapshot, "createSnapshot", "succeeded")).await.unwrap();

    assert_eq!(told(&account).await, ["Etcd Snapshot Corrupt"; 2]);
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("corrupt"));
}

#[tokio::test]
async fn near_the_deadline_it_stops_and_leaves_the_rest_to_the_next_sweep() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.on_next("GetSnapshotBlock").answered_after(Duration::from_millis(900)).always().await;
    let verify = verify(&account).await;

    let error = verify.invoke_within(Duration::from_secs(3), events::scheduled(POINT)).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(verdict(&account, &snapshot).await.is_none());
    account.clear_faults().await;
    verify.invoke(events::scheduled(POINT)).await.unwrap();
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"));
}
