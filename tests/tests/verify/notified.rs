//! What EC2 notifies of.

use scenarios::observed::Call;
use scenarios::{Kops, LocalAws, RawSnapshot};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_finished_snapshot_of_ours_is_read_once() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    let verify = verify(&account).await;

    let result = verify.invoke(notification(&snapshot, "createSnapshot", "succeeded")).await.unwrap();
    assert_eq!(result["members"][0]["verdict"], "ok", "{result}");
    account.forget_calls().await;
    let again = verify.invoke(notification(&snapshot, "createSnapshot", "succeeded")).await.unwrap();

    assert_eq!(again["outcome"], "nothing-to-do");
    assert!(account.calls("ListSnapshotBlocks").await.is_empty(), "it can come twice");
    assert_eq!(told(&account).await, ["Etcd Snapshot Verified"]);
}

#[tokio::test]
async fn the_last_of_a_points_snapshots_has_all_of_them_read_and_compared() {
    let account = LocalAws::account();
    let (cluster, snapshots) = three(&account).await;
    cluster.past_point("main", "2026-11-23T01:00:00Z").await;
    account.change_snapshots(&snapshots["b"]).state("pending").await;
    let verify = verify(&account).await;
    let notified = |member: &str| verify.invoke(notification(&snapshots[member], "createSnapshot", "succeeded"));

    for member in ["a", "c"] {
        let early = notified(member).await.unwrap();
        assert_eq!(early["outcome"], "nothing-to-do");
        assert!(early["reason"].as_str().unwrap().ends_with("still pending: b"), "{early}");
    }
    account.settle_snapshots().await;
    account.forget_calls().await;
    let result = notified("b").await.unwrap();
    let listed = account.calls("DescribeSnapshots").await;

    assert_eq!((&result["outcome"], &result["recovery_point"]), (&json!("verified"), &json!(POINT)));
    assert_eq!((result["members"].as_array().unwrap().len(), &result["best_member"]), (3, &json!("c")), "{result}");
    assert!(result["spread"]["indexes"].as_u64().unwrap() > 0, "{result}");
    for snapshot in snapshots.values() {
        assert!(verdict(&account, snapshot).await.unwrap().starts_with("ok at="));
    }
    assert_eq!(told(&account).await, ["Etcd Snapshot Verified"]);
    let asks_for_the_point = |call: &Call| call.params.values().any(|value| *value == json!(POINT));
    assert_eq!(
        listed.iter().map(asks_for_the_point).collect::<Vec<_>>(),
        [false, true, false, false, false, false, false, false],
        "itself, then its point alone; then what each one bears, before it is read and before it is marked"
    );
}

#[tokio::test]
async fn what_is_none_of_ours_is_left_alone() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("other.example.com").single_master().create(&account).await;
    let other = cluster.past_point("main", POINT).await.remove("a").unwrap();
    let foreign = account.plant_snapshots(&[RawSnapshot::of(cluster.volume("main", "a"), POINT)]).await.remove(0);
    let verify = Function::named("verify").account(&account).env("CLUSTERS", CLUSTER).start().await;
    for event in [
        notification(&other, "createSnapshot", "succeeded"),
        notification(&foreign, "createSnapshot", "succeeded"),
        notification(&foreign, "createSnapshot", "failed"),
        notification(&other, "copySnapshot", "succeeded"),
        notification("snap-0123456789abcdef0", "createSnapshot", "succeeded"),
    ] {
        assert_eq!(verify.invoke(event.clone()).await.unwrap()["outcome"], "nothing-to-do", "{event}");
    }
    assert!(account.calls("ListSnapshotBlocks").await.is_empty() && told(&account).await.is_empty());
}

#[tokio::test]
async fn a_snapshot_of_ours_that_failed_is_a_failed_backup_at_once() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let failed = cluster.past_point("main", POINT).with_state("b", "error").await.remove("b").unwrap();
    let mut event = notification(&failed, "createSnapshot", "failed");
    event["detail"]["cause"] = json!("the key is disabled");

    let result = verify(&account).await.invoke(event).await.unwrap();

    assert_eq!(result["outcome"], "announced");
    let [told] = <[scenarios::observed::Event; 1]>::try_from(account.events().await).unwrap();
    assert_eq!(told.detail_type, "Etcd Backup Failed");
    assert_eq!((&told.detail["slot"], &told.detail["outcome"]), (&json!(POINT), &json!("incomplete")));
    let failure = told.detail["failure"].as_str().unwrap();
    assert!(failure.contains(&failed) && failure.contains("the key is disabled"), "{failure}");
}

#[tokio::test]
async fn a_failed_snapshot_whose_slot_has_another_is_no_failed_backup() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let failed = cluster.past_point("main", POINT).with_state("b", "error").await.remove("b").unwrap();
    cluster.past_point("main", POINT).without("a").without("c").await;

    let result = verify(&account).await.invoke(notification(&failed, "createSnapshot", "failed")).await.unwrap();

    assert_eq!(result["outcome"], "nothing-to-do", "{result}");
    assert!(told(&account).await.is_empty());
}

#[tokio::test]
async fn a_failure_that_could_not_be_announced_is_tried_again() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let failed = cluster.past_point("main", POINT).with_state("b", "error").await.remove("b").unwrap();
    account.fail_next("PutEvents").with("AccessDeniedException", 400).await;
    let verify = verify(&account).await;

    let event = notification(&failed, "createSnapshot", "failed");
    assert_eq!(verify.invoke(event.clone()).await.unwrap_err().error_type, "VerifyIncomplete");
    assert_eq!(verify.invoke(event).await.unwrap()["outcome"], "announced");
}
