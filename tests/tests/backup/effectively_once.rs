//! One snapshot a member and slot, whatever the network does.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use scenarios::{Kops, LocalAws, events};
use serde_json::json;

use super::{backup, backup_with, each, hours_ago, point, warns};

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_not_asked_for_again() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", "b")).losing_the_answer().await;
    account.fail_next("CreateSnapshot").on_volume(cluster.volume("events", "c")).done_but_answered_500().await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(each(&result, "main", "action"), ["created"; 3]);
    assert_eq!(each(&result, "events", "action"), ["created"; 3]);
    assert_eq!(account.calls("CreateSnapshot").await.len(), 6);
    assert_eq!(account.snapshots().await.len(), 6);
}

#[tokio::test]
async fn a_snapshot_that_comes_into_sight_late_is_waited_for() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    let late = account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", "a"));
    late.seen_only_after(Duration::from_secs(3)).await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(each(&result, "main", "action"), ["created"]);
    assert_eq!(account.calls("CreateSnapshot").await.len(), 2);
}

#[tokio::test]
async fn a_request_that_never_arrived_is_left_to_the_retry() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", "a")).losing_the_request().await;
    let backup = backup(&account).await;
    let event = events::scheduled(&hours_ago(1));

    let error = backup.invoke_within(Duration::from_secs(4), event.clone()).await.unwrap_err();
    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(error.sentence().contains("a retry of the same event looks again"), "{error}");
    assert_eq!(account.calls("CreateSnapshot").await.len(), 2);

    let retried = backup.invoke(event).await.unwrap();
    assert_eq!(
        (each(&retried, "main", "action"), each(&retried, "events", "action")),
        (vec!["created"], vec!["existing"])
    );
}

#[tokio::test]
async fn what_ec2_refuses_for_now_is_waited_out() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    for (member, code, status) in [
        ("a", "RequestLimitExceeded", 503),
        ("b", "SnapshotCreationPerVolumeRateExceeded", 400),
        ("c", "ConcurrentSnapshotLimitExceeded", 400),
    ] {
        account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", member)).with(code, status).times(2).await;
    }
    let pending = account.fail_next("CreateSnapshot").on_volume(cluster.volume("events", "a"));
    pending.with("PendingSnapshotLimitExceeded", 400).await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(each(&result, "main", "action"), ["created"; 3]);
    assert_eq!(account.calls("CreateSnapshot").await.len(), 6 + 2 * 3 + 1);
    assert_eq!(account.snapshots().await.len(), 6);
}

#[tokio::test]
async fn while_ec2_throttles_no_further_etcd_cluster_is_started() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let throttled = cluster.volume("events", "a");
    account.fail_next("CreateSnapshot").on_volume(throttled).with("RequestLimitExceeded", 503).await;
    let backup = backup_with(&account, "CONCURRENCY", "3").await;

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let calls = account.calls("CreateSnapshot").await;
    let volumes: Vec<&str> = calls.iter().filter_map(|call| call.param("VolumeId")).collect();
    let again = volumes.iter().rposition(|volume| *volume == throttled).unwrap();
    assert_eq!(again, 3, "before any member of main, so that its members' snapshots stay close together");
}

#[tokio::test]
async fn with_one_call_in_flight_throttling_still_ends() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    account.fail_next("CreateSnapshot").with("RequestLimitExceeded", 503).times(3).await;
    let backup = backup_with(&account, "CONCURRENCY", "1").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(result["outcome"], "succeeded");
    let calls = account.all_calls().await;
    let from_backup = calls.iter().filter(|call| call.action == "CreateSnapshot" || call.action == "DescribeSnapshots");
    let mut ended = 0.0;
    for call in from_backup {
        assert!(call.started >= ended, "two calls were in flight at {}", call.started);
        ended = call.ended.unwrap();
    }
}

#[tokio::test]
async fn two_deliveries_at_once_take_at_most_one_more_each() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    let (one, other) = (backup(&account).await, backup(&account).await);
    // Both look before either has taken anything.
    account.on_next("DescribeSnapshots").answered_after(Duration::from_millis(300)).times(2).await;
    let event = events::scheduled(&hours_ago(3));

    let (first, second) = tokio::join!(one.invoke(event.clone()), other.invoke(event));

    assert_eq!((&first.unwrap()["outcome"], &second.unwrap()["outcome"]), (&json!("succeeded"), &json!("succeeded")));
    assert_eq!(account.snapshots().await.len(), 6);
    account.settle_snapshots().await;
    let result = one.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    assert_eq!((result["pruned"].as_array().unwrap().len(), account.snapshots().await.len()), (3, 6));
}

#[tokio::test]
async fn of_surplus_snapshots_the_closest_set_stays() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    let (soon, late) = (SignedDuration::from_secs(1), SignedDuration::from_secs(9));
    let apart = cluster.past_point("main", &hours_ago(3)).late("b", late).await;
    let close = cluster.past_point("main", &hours_ago(3)).late("a", late).late("b", late + soon).late("c", late).await;
    let backup = backup(&account).await;

    let again = backup.invoke(events::scheduled(&hours_ago(3))).await.unwrap();
    assert_eq!(point(&again, "main")["skew_ms"], 0, "the set that a redelivery reports is the one that will stay");
    let result = backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();

    let surplus = result["pruned"].as_array().unwrap();
    let gone: BTreeSet<&str> = surplus.iter().map(|pruned| pruned["snapshot"].as_str().unwrap()).collect();
    let expected = [apart["a"].as_str(), apart["c"].as_str(), close["b"].as_str()];
    assert_eq!(gone, expected.into(), "a and c of the second delivery are as far in as b of the first");
    assert!(surplus.iter().all(|pruned| pruned["reason"].as_str().unwrap().starts_with("surplus")), "{result}");
}

#[tokio::test]
async fn a_surplus_snapshot_stays_while_its_twin_is_pending() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    cluster.past_point("main", &hours_ago(3)).await;
    let twin = cluster.past_point("main", &hours_ago(3)).with_state("a", "pending").await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    assert_eq!(result["pruned"], json!([]));

    account.change_snapshots(&twin["a"]).state("completed").await;
    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    assert_eq!(result["pruned"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_snapshot_of_the_slot_does_not_count() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let past = cluster.past_point("main", &hours_ago(1)).with_state("b", "error").await;
    account.change_snapshots(&past["b"]).state_message("Client.InvalidKmsKey").await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(each(&result, "main", "action"), ["existing", "created", "existing"]);
    assert!(warns(&result, &[&past["b"], "member b of main", "ended in error: Client.InvalidKmsKey"]), "{result}");
}

#[tokio::test]
async fn a_late_retry_makes_a_skewed_point_which_is_told_and_counts_like_any_other() {
    for (max_skew, is_told) in [("5s", true), ("2m", false)] {
        let account = LocalAws::account();
        let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
        let close = cluster.past_point("main", &hours_ago(3)).await;
        let retried_at: jiff::Timestamp = hours_ago(1).parse().unwrap();
        account.clock(&(retried_at + SignedDuration::from_secs(1)).to_string()).await;
        account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", "c")).with("Server.Busy", 400).await;
        let function = scenarios::Function::named("backup").account(&account).env("RETENTION", "keep-last=1");
        let backup = function.env("MAX_SKEW", max_skew).start().await;
        let event = events::scheduled(&hours_ago(1));

        backup.invoke(event.clone()).await.unwrap_err();
        account.clock(&(retried_at + SignedDuration::from_secs(61)).to_string()).await;
        let retried = backup.invoke(event).await.unwrap();
        assert_eq!(point(&retried, "main")["skew_ms"], 60_000);
        let words = ["main of k8s.example.com", "skewed", "60000 ms apart", "5000 ms"];
        assert_eq!(warns(&retried, &words), is_told, "{max_skew}: {retried}");

        account.real_clock().await;
        let after = backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap();
        assert_eq!(super::pruned_slots(&after), [hours_ago(3)], "the skewed point is the newest complete one");
        assert!(account.snapshot(&close["a"]).await.is_none());
    }
}
