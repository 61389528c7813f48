//! The hourly run.

use scenarios::{Kops, LocalAws, RawVolume, events, tags};
use serde_json::json;

use super::{backup, backup_with, each, hours_ago, point};

#[tokio::test]
async fn a_first_run_snapshots_every_member_with_all_its_tags_and_settings() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let data =
        RawVolume::in_zone("eu-central-1a").tagged([("KubernetesCluster", "k8s.example.com")]).create(&account).await;
    let key = "arn:aws:kms:eu-central-1:111122223333:key/5e4b8b7c-1f0a-4b7e-9a57-0d3c1a2b3c4d";
    account.change_volumes(cluster.volume("main", "a")).encrypted_with(key).await;
    let backup = backup(&account).await;
    let slot = hours_ago(1);

    let result = backup.invoke(events::scheduled(&slot)).await.unwrap();

    assert_eq!(result["outcome"], "succeeded");
    assert_eq!(result["slot"], slot);
    assert_eq!((&result["kept"], &result["pruned"], &result["warnings"]), (&json!(2), &json!([]), &json!([])));
    for etcd in ["main", "events"] {
        let of = point(&result, etcd);
        assert_eq!((of["cluster"].as_str(), of["state"].as_str()), (Some("k8s.example.com"), Some("pending")));
        assert!(of["skew_ms"].as_i64().unwrap() < 5_000, "{of}");
        assert_eq!(each(&result, etcd, "member"), ["a", "b", "c"]);
        assert_eq!(each(&result, etcd, "zone"), ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
        assert_eq!(each(&result, etcd, "action"), ["created"; 3]);
    }
    let snapshots = account.snapshots().await;
    assert_eq!(snapshots.len(), 6);
    assert!(snapshots.iter().all(|snapshot| snapshot.volume != data));
    let volume = cluster.get("main", "a");
    let of_volume = snapshots.iter().find(|snapshot| snapshot.volume == volume.id).unwrap();
    let settings = format!(
        "id={} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true kms={key}",
        volume.id
    );
    assert_eq!(of_volume.tags, tags::snapshot(&volume.tags, &slot, &settings));
    assert_eq!(each(&result, "main", "snapshot")[0], of_volume.id);
}

#[tokio::test]
async fn an_hour_later_there_is_a_second_point_and_the_first_is_complete() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;

    backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    account.settle_snapshots().await;
    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!((&result["outcome"], &result["kept"]), (&json!("succeeded"), &json!(4)));
    assert_eq!(account.snapshots().await.len(), 12);
}

#[tokio::test]
async fn the_same_event_twice_takes_nothing_twice() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;
    let event = events::scheduled(&hours_ago(1));

    let first = backup.invoke(event.clone()).await.unwrap();
    account.forget_calls().await;
    let second = backup.invoke(event).await.unwrap();

    assert_eq!(each(&second, "main", "action"), ["existing"; 3]);
    assert_eq!(each(&second, "main", "snapshot"), each(&first, "main", "snapshot"));
    assert_eq!((&second["kept"], &second["outcome"]), (&first["kept"], &json!("succeeded")));
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn a_late_delivery_belongs_to_its_slot_however_it_is_sent() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").single_master().create(&account).await;
    let backup = backup_with(&account, "SLOT", "6h").await;

    account.clock("2026-01-31T18:14:10Z").await;
    let old = backup.invoke(events::scheduled("2026-01-31T17:59:59Z")).await.unwrap();
    let again = backup.invoke(events::from_scheduler("2026-01-31T12:00:00Z")).await.unwrap();

    assert_eq!((&old["slot"], &again["slot"]), (&json!("2026-01-31T12:00:00Z"), &json!("2026-01-31T12:00:00Z")));
    assert_eq!(each(&again, "events", "action"), ["existing"]);
}

#[tokio::test]
async fn what_is_too_late_for_its_slot_is_not_taken_and_says_so() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    let backup = backup_with(&account, "SLOT", "1h").await;
    account.clock("2026-01-31T18:15:01Z").await;

    let late = backup.invoke(events::scheduled("2026-01-31T12:00:00Z")).await.unwrap_err();

    assert!(late.error_message.contains("a snapshot taken now would not be of that time"), "{late}");
    assert!(account.snapshots().await.is_empty());
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let account = LocalAws::account();
    account.pages_of(2).await;
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 5).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=3").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(each(&result, "events", "action"), ["created"; 3]);
    assert_eq!(result["pruned"].as_array().unwrap().len(), 6, "{result}");
    assert!(account.calls("DescribeVolumes").await.len() >= 3);
    assert!(account.calls("DescribeSnapshots").await.len() >= 8);
}

#[tokio::test]
async fn any_etcd_cluster_and_any_member_name_is_backed_up() {
    let account = LocalAws::account();
    let cilium = Kops::cluster("net.example.com").etcd(["main", "cilium", "leases"]).members_named_by_zone();
    cilium.create(&account).await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
    for etcd in ["main", "cilium", "leases"] {
        assert_eq!(each(&result, etcd, "member"), names);
    }
}

#[tokio::test]
async fn a_stopped_schedule_loses_no_point_by_the_clock_alone() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    cluster.past_hours("main", "2026-01-31T12:00:00Z", 5).await;
    let backup = backup_with(&account, "RETENTION", "keep-within=4h").await;
    account.snapshots_stay_pending().await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(super::pruned_slots(&result), ["2026-01-31T08:00:00Z"]);
}
