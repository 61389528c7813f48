//! A person invokes it.

use scenarios::{Kops, LocalAws, events};
use serde_json::json;

use super::{backup, backup_with, each, hours_ago, point, pruned_slots, warns};

#[tokio::test]
async fn an_empty_event_backs_up_everything_now_and_prunes_nothing() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(1), 5).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;
    let before = jiff::Timestamp::now();

    let result = backup.invoke(json!({})).await.unwrap();

    let slot: jiff::Timestamp = result["slot"].as_str().unwrap().parse().unwrap();
    assert!(slot.duration_since(before).as_secs().abs() <= 2, "the slot is the moment of invocation");
    assert_eq!((&result["outcome"], &result["pruned"], &result["kept"]), (&json!("succeeded"), &json!([]), &json!(7)));
    let snapshots = account.snapshots().await;
    let by_hand = snapshots.iter().filter(|snapshot| snapshot.tags["etcd-backup/trigger"] == "manual");
    assert_eq!(by_hand.count(), 6);
    assert!(account.calls("DeleteSnapshot").await.is_empty());
}

#[tokio::test]
async fn a_redelivery_of_the_same_invocation_takes_no_second_snapshot() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;
    let request = "11111111-2222-4333-8444-555555555555";

    let first = backup.invoke_as(request, json!({})).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let again = backup.invoke_as(request, json!({})).await.unwrap();
    let another = backup.invoke(json!({})).await.unwrap();

    assert_eq!(first["slot"], again["slot"]);
    assert_eq!(each(&again, "main", "action"), ["existing"; 3]);
    assert_eq!(each(&another, "main", "action"), ["created"; 3]);
    assert_eq!(account.snapshots().await.len(), 12);
}

#[tokio::test]
async fn a_pinned_backup_outlives_the_policy_until_it_is_unpinned() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;
    account.clock(&hours_ago(99)).await;
    let pinned = backup.invoke(json!({"keep": true})).await.unwrap();
    account.real_clock().await;
    assert_eq!(pinned["slot"], hours_ago(99));
    let id = each(&pinned, "main", "snapshot")[0].to_owned();
    assert_eq!(account.snapshot(&id).await.unwrap().tags["etcd-backup/keep"], "true");
    cluster.past_point("main", &hours_ago(3)).await;

    let kept = backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    assert_eq!(kept["pruned"], json!([]));

    account.change_snapshots(&id).tags(&scenarios::tags::of([("etcd-backup/keep", "false")])).await;
    let gone = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    assert!(gone["pruned"].as_array().unwrap().iter().any(|pruned| pruned["snapshot"] == id.as_str()), "{gone}");
}

#[tokio::test]
async fn a_pin_on_one_member_pins_the_whole_point() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    let point = cluster.past_point("main", &hours_ago(9)).await;
    cluster.past_point("main", &hours_ago(10)).await;
    account.change_snapshots(&point["b"]).tags(&scenarios::tags::of([("etcd-backup/keep", "")])).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=2").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(pruned_slots(&result), [hours_ago(10), hours_ago(4)]);
}

#[tokio::test]
async fn the_scope_of_an_event_bounds_what_is_taken_and_what_is_pruned() {
    let account = LocalAws::account();
    for name in ["k8s.example.com", "other.example.com"] {
        let cluster = Kops::cluster(name).create(&account).await;
        cluster.past_hours("main", &hours_ago(1), 3).await;
        cluster.past_hours("events", &hours_ago(1), 3).await;
    }
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let one =
        backup.invoke(json!({"cluster": "k8s.example.com", "etcd_cluster": "main", "prune": true})).await.unwrap();
    assert_eq!(one["recovery_points"].as_array().unwrap().len(), 1);
    assert_eq!((one["pruned"].as_array().unwrap().len(), &one["kept"]), (6, &json!(2)));

    let events_of_all = backup.invoke(json!({"etcd_cluster": "events"})).await.unwrap();
    assert_eq!(events_of_all["recovery_points"].as_array().unwrap().len(), 2);
    assert_eq!(account.snapshots().await.len(), 36 + 3 - 6 + 6);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_changes_and_announces_nothing() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(1), 4).await;
    cluster.past_point("main", &hours_ago(8)).pinned().await;
    let backup = backup_with(&account, "RETENTION", "keep-last=2").await;
    account.forget_calls().await;

    let result = backup.invoke(json!({"dry_run": true, "prune": true})).await.unwrap();

    assert_eq!(result["outcome"], "planned");
    assert_eq!(each(&result, "main", "action"), ["planned"; 3]);
    assert_eq!(point(&result, "main")["state"], "partial");
    assert_eq!(pruned_slots(&result), [hours_ago(4), hours_ago(3)]);
    let kept = |slot: &str, reasons: serde_json::Value| json!({"cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": slot, "reasons": reasons});
    let expected = json!([
        kept(&hours_ago(1), json!(["keep-last", "newest-complete"])),
        kept(&hours_ago(2), json!(["keep-last"])),
        kept(&hours_ago(8), json!(["pinned"])),
    ]);
    assert_eq!((&result["kept_points"], &result["kept"]), (&expected, &json!(3)));
    assert!(account.writes().await.is_empty());
    assert!(account.events().await.is_empty() && backup.metrics().is_empty());

    let unpruned = backup.invoke(json!({"dry_run": true})).await.unwrap();
    assert_eq!(unpruned["pruned"], json!([]));
    assert_eq!(unpruned["kept_points"][2]["reasons"], json!(["prune-off"]));
}

#[tokio::test]
async fn a_dry_run_shows_what_is_wrong() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.lose("main", "c").await;
    let backup = backup(&account).await;

    let result = backup.invoke(json!({"dry_run": true})).await.unwrap();

    assert_eq!(each(&result, "main", "action"), ["planned", "planned", "failed"]);
}

#[tokio::test]
async fn a_dry_run_that_cannot_look_announces_nothing_either() {
    let account = LocalAws::account();
    account.fail_next("DescribeSnapshots").with("UnauthorizedOperation", 403).always().await;
    let backup = backup(&account).await;

    let error = backup.invoke(json!({"dry_run": true})).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(account.events().await.is_empty() && backup.metrics().is_empty());
}

#[tokio::test]
async fn pruning_that_is_paused_stays_paused_by_hand() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(1), 40).await;
    let backup = backup_with(&account, "PRUNE", "off").await;

    let by_hand = backup.invoke(json!({"prune": true})).await.unwrap();
    let scheduled = backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap();

    assert_eq!((&by_hand["pruned"], &scheduled["pruned"]), (&json!([]), &json!([])));
    assert!(warns(&by_hand, &["PRUNE=off"]), "{by_hand}");
}

#[tokio::test]
async fn an_unknown_etcd_cluster_fails_and_says_so() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;

    for event in [json!({"etcd_cluster": "cilium"}), json!({"cluster": "k8s.example.com", "etcd_cluster": "cilium"})] {
        let error = backup.invoke(event).await.unwrap_err();
        assert_eq!(error.error_type, "BackupIncomplete");
        assert!(error.sentence().contains("etcd cluster cilium of"), "{error}");
    }
    assert!(account.snapshots().await.is_empty());
}
