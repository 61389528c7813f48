//! What no notification came for.

use scenarios::{Kops, LocalAws, events};

use super::*;

#[tokio::test]
async fn what_was_never_judged_is_read_newest_first() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let mut snapshots = Vec::new();
    for slot in ["2026-11-23T01:00:00Z", "2026-11-23T03:00:00Z", "2026-11-23T02:00:00Z"] {
        let snapshot = cluster.past_point("main", slot).await.remove("a").unwrap();
        account.put_disk(&snapshot, &sound()).await;
        snapshots.push(snapshot);
    }
    cluster.past_point("main", "2026-11-23T04:00:00Z").with_state("a", "pending").await;
    let judged =
        cluster.past_point("main", "2026-11-23T00:00:00Z").tagged("etcd-backup/verified", "corrupt at=then").await;
    let verify = verify(&account).await;

    let result = verify.invoke(events::scheduled("2026-11-23T04:30:00Z")).await.unwrap();

    let slots: Vec<&str> = result["recovery_points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["recovery_point"].as_str().unwrap())
        .collect();
    assert_eq!(slots, ["2026-11-23T03:00:00Z", "2026-11-23T02:00:00Z", "2026-11-23T01:00:00Z"]);
    for snapshot in &snapshots {
        assert!(verdict(&account, snapshot).await.unwrap().starts_with("ok at="));
    }
    assert_eq!(verdict(&account, &judged["a"]).await.unwrap(), "corrupt at=then");
    account.forget_calls().await;
    let again = verify.invoke(events::scheduled("2026-11-23T05:30:00Z")).await.unwrap();
    assert_eq!((&again["outcome"], &again["left"]), (&json!("verified"), &json!(0)));
    assert!(account.calls("ListSnapshotBlocks").await.is_empty(), "nothing is left");
}

#[tokio::test]
async fn a_verdict_from_before_positions_were_written_counts_as_none_and_is_read_again() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let before = "ok at=2026-11-23T03:02:00Z revision=7 index=9 term=2";
    let point = cluster.past_point("main", "2026-11-23T03:00:00Z").tagged("etcd-backup/verified", before).await;
    account.put_disk(&point["a"], &sound()).await;

    let result = verify(&account).await.invoke(events::scheduled("2026-11-23T04:30:00Z")).await.unwrap();

    assert_eq!(result["recovery_points"].as_array().unwrap().len(), 1, "{result:#}");
    let after = verdict(&account, &point["a"]).await.unwrap();
    assert!(after.starts_with("ok at=") && after.contains(" last=") && after.contains(" commit="), "{after}");
}

#[tokio::test]
async fn one_that_cannot_be_read_fails_the_run_and_keeps_no_other_from_being_read() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let [main, events_of] = ["main", "events"];
    let first = cluster.past_point(main, "2026-11-23T03:00:00Z").await.remove("a").unwrap();
    let second = cluster.past_point(events_of, "2026-11-23T02:00:00Z").await.remove("a").unwrap();
    account.put_disk(&second, &sound()).await;
    account.fail_next("ListSnapshotBlocks").on("SnapshotId", &first).with("AccessDeniedException", 403).await;
    let verify = verify(&account).await;

    let error = verify.invoke(events::scheduled("2026-11-23T04:30:00Z")).await.unwrap_err();

    assert_eq!(error.error_type, "VerifyIncomplete");
    assert!(error.sentence().contains(&first) && error.sentence().contains("AccessDenied"), "{error}");
    assert!(verdict(&account, &first).await.is_none(), "that it could not be read is no verdict");
    assert!(verdict(&account, &second).await.unwrap().starts_with("ok at="));
}
