//! What takes too long: it is cut off in time, and the next sweep goes on where this one stopped.

use std::time::Duration;

use scenarios::{Kops, LocalAws, events};
use serde_json::json;

use super::*;

/// The time that an invocation has here.
const TIME: Duration = Duration::from_secs(6);
/// Longer than any run here may take.
const HANGS: Duration = Duration::from_mins(1);

/// No block of this snapshot comes in time.
async fn hang(account: &Account, snapshot: &str) {
    account.on_next("GetSnapshotBlock").on_snapshot(snapshot).always().done_after(HANGS).await;
}

#[tokio::test]
async fn what_a_sweep_cannot_finish_is_left_to_the_next_one() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let mut snapshots = Vec::new();
    for slot in ["2026-11-23T03:00:00Z", "2026-11-23T02:00:00Z", "2026-11-23T01:00:00Z"] {
        let snapshot = cluster.past_point("main", slot).await.remove("a").unwrap();
        account.put_disk(&snapshot, &sound()).await;
        snapshots.push(snapshot);
    }
    hang(&account, &snapshots[1]).await;
    let verify = verify(&account).await;

    let result = verify.invoke_within(TIME, events::scheduled(POINT)).await.unwrap();

    assert_eq!((&result["outcome"], &result["left"]), (&json!("verified"), &json!(2)), "{result}");
    assert_eq!(result["warnings"], json!([]));
    assert!(verify.run_time() < TIME);
    assert!(account.calls("GetSnapshotBlock").await.iter().any(|call| call.param("SnapshotId") == Some(&snapshots[1])));
    assert_eq!(told(&account).await, ["Etcd Snapshot Verified"]);
    assert!(verdict(&account, &snapshots[0]).await.unwrap().starts_with("ok"));
    assert_eq!((verdict(&account, &snapshots[1]).await, verdict(&account, &snapshots[2]).await), (None, None));
}

#[tokio::test]
async fn one_that_takes_too_long_does_not_starve_those_after_it() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let gone = cluster.past_point("main", "2026-11-23T04:00:00Z").await.remove("a").unwrap();
    account.fail_next("ListSnapshotBlocks").on_snapshot(&gone).with("AccessDeniedException", 403).always().await;
    let poison = cluster.past_point("main", "2026-11-23T03:00:00Z").await.remove("a").unwrap();
    account.put_disk(&poison, &sound()).await;
    let older = cluster.past_point("main", "2026-11-23T02:00:00Z").await.remove("a").unwrap();
    account.put_disk(&older, &sound()).await;
    hang(&account, &poison).await;

    let error = verify(&account).await.invoke_within(2 * TIME, events::scheduled(POINT)).await.unwrap_err();

    assert!(error.sentence().starts_with("2 of 3 snapshots were not examined: "), "{error}");
    assert!(error.sentence().contains(&gone) && error.sentence().contains(&poison), "{error}");
    assert_eq!(verdict(&account, &poison).await, None);
    assert!(verdict(&account, &older).await.unwrap().starts_with("ok"));
}

#[tokio::test]
async fn of_a_point_too_what_was_read_counts_and_the_rest_is_left() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    hang(&account, &snapshots["b"]).await;
    let verify = verify(&account).await;

    let result = verify.invoke_within(TIME, events::scheduled(POINT)).await.unwrap();

    assert_eq!((&result["outcome"], &result["left"]), (&json!("verified"), &json!(2)), "{result}");
    assert_eq!(result["recovery_points"][0]["members"].as_array().unwrap().len(), 1);
    assert!(verdict(&account, &snapshots["a"]).await.unwrap().starts_with("ok"));
    assert_eq!((verdict(&account, &snapshots["b"]).await, verdict(&account, &snapshots["c"]).await), (None, None));
    // What was asked for by hand is not there, whoever was read before it.
    let asked = json!({"cluster": CLUSTER, "etcd_cluster": "main"});
    let error = verify.invoke_within(TIME, asked).await.unwrap_err();
    assert!(error.sentence().contains("2 of 3 snapshots were not examined"), "{error}");
}

#[tokio::test]
async fn blocks_that_are_not_listed_in_time_are_a_failure_in_time() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.on_next("ListSnapshotBlocks").always().done_after(HANGS).await;
    let verify = verify(&account).await;

    let error = verify.invoke_within(Duration::from_secs(3), json!({"snapshot": snapshot})).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains("EBS did not list the blocks before the deadline"), "{error}");
    assert!(verify.run_time() < Duration::from_secs(3));
    assert!(verdict(&account, &snapshot).await.is_none() && told(&account).await.is_empty());
}

#[tokio::test]
async fn a_verdict_that_cannot_be_written_in_time_was_told_and_is_warned_of() {
    // The tag is written; before that, what stands there is looked at again. Both were done before it was read, too.
    for (hangs, after) in [("CreateTags", 1), ("DescribeSnapshots", 2)] {
        let account = LocalAws::account();
        let snapshot = one(&account, &sound()).await;
        account.forget_calls().await;
        account.on_next(hangs).after(after).always().done_after(HANGS).await;
        let verify = verify(&account).await;

        let result = verify.invoke_within(TIME, json!({"snapshot": snapshot})).await.unwrap();

        let warning = result["warnings"][0].as_str().unwrap();
        assert!(warning.contains("could not be marked `ok`: EC2 did not answer before the deadline"), "{warning}");
        assert!(verify.run_time() < TIME, "{hangs}");
        assert_eq!(told(&account).await, ["Etcd Snapshot Verified"]);
        account.clear_faults().await;
        assert!(verdict(&account, &snapshot).await.is_none());
    }
}

#[tokio::test]
async fn what_cannot_be_said_beforehand_in_time_takes_no_time_from_the_reading() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    account.on_next("CreateTags").done_after(HANGS).await;

    let result = verify(&account).await.invoke_within(TIME, events::scheduled(POINT)).await.unwrap();

    assert_eq!(result["outcome"], "verified");
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("ok"));
}
