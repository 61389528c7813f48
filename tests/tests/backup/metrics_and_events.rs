//! What alarms and people are told.

use scenarios::{Kops, LocalAws, events, tags};
use serde_json::json;

use super::{backup, backup_with, hours_ago, warns};

const MAIN: [(&str, &str); 2] = [("Cluster", "k8s.example.com"), ("EtcdCluster", "main")];

/// Slots are whole hours before the tests began, so an age is that many hours and what has passed since.
fn is_hours(age: &[f64], hours: u32) -> bool {
    let hours = f64::from(hours) * 3600.0;
    matches!(age, [age] if (hours..hours + 7200.0).contains(age))
}

#[tokio::test]
async fn every_run_says_its_figures_per_etcd_cluster_and_over_all() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(3), 4).await;
    cluster.past_point("events", &hours_ago(5)).await;
    cluster.lose("events", "b").await;
    let backup = backup_with(&account, "RETENTION", "keep-last=2").await;

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let of_main = |name| backup.metric(name, &MAIN);
    let over_all = |name| backup.metric(name, &[]);
    for (name, main, all) in [
        ("SnapshotsCreated", 3.0, 5.0),
        ("SnapshotsFailed", 0.0, 1.0),
        ("SnapshotsPruned", 6.0, 6.0),
        ("PruneBacklog", 0.0, 0.0),
        ("MembersMissing", 0.0, 1.0),
    ] {
        assert_eq!((of_main(name), over_all(name)), (vec![main], vec![all]), "{name}");
    }
    assert!(is_hours(&of_main("RecoveryPointAge"), 3));
    assert!(is_hours(&over_all("RecoveryPointAge"), 5));
    assert!(of_main("RecoveryPointSkew")[0] < 5000.0);
}

#[tokio::test]
async fn a_run_of_one_cluster_does_not_speak_for_the_others() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;

    backup.invoke(json!({"cluster": "k8s.example.com"})).await.unwrap();
    backup.invoke(json!({"etcd_cluster": "main"})).await.unwrap();

    assert_eq!((backup.metric("SnapshotsCreated", &MAIN).len(), backup.metric("SnapshotsCreated", &[]).len()), (2, 0));
}

#[tokio::test]
async fn without_a_complete_point_the_age_is_that_of_the_oldest_volume() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    account.change_volumes(cluster.volume("main", "c")).create_time(&hours_ago(48)).await;
    let backup = backup(&account).await;

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert!(is_hours(&backup.metric("RecoveryPointAge", &MAIN), 48));
}

#[tokio::test]
async fn the_age_of_the_newest_verified_point_is_told_over_all_by_runs_that_fail_too() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").create(&account).await;
    for (etcd, hours) in [("main", 7), ("events", 2), ("events", 6)] {
        cluster.verified_point(etcd, &hours_ago(hours)).await;
    }
    // Neither is one that nobody has read, lacks a member, is not all `ok`, or cannot be restored as a set.
    cluster.past_point("main", &hours_ago(2)).await;
    cluster.verified_point("main", &hours_ago(3)).without("c").await;
    for (hours, verdict) in
        [(4, "degraded term=2 last=2.100 commit=100"), (5, "ok term=2 last=2.100 commit=100 cluster=c2")]
    {
        let point = cluster.verified_point("main", &hours_ago(hours)).await;
        account.change_snapshots(&point["c"]).tags(&tags::of([("etcd-backup/verified", verdict)])).await;
    }
    let backup = backup(&account).await;
    let ages = || backup.metric("VerifiedPointAge", &[]);

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    assert!(is_hours(&ages(), 7), "the oldest of the etcd clusters' newest: {:?}", ages());
    cluster.lose("events", "b").await;
    backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap_err();
    assert!(ages().len() == 2 && is_hours(&ages()[1..], 7), "{:?}", ages());

    backup.invoke(json!({"cluster": "k8s.example.com"})).await.unwrap_err();
    assert_eq!(
        (ages().len(), backup.metric("VerifiedPointAge", &MAIN).len()),
        (2, 0),
        "over all, by runs of all alone"
    );
}

#[tokio::test]
async fn a_run_is_announced_with_its_result() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    cluster.lose("main", "b").await;
    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let events = account.events().await;
    let types: Vec<&str> = events.iter().map(|event| event.detail_type.as_str()).collect();
    assert_eq!(types, ["Etcd Backup Taken", "Etcd Backup Failed"]);
    assert!(events.iter().all(|event| event.source == "etcd-volume-backup" && event.bus.as_deref() == Some("default")));
    let mut told = error.result();
    told["failure"] = json!(error.sentence());
    assert_eq!((&events[0].detail, &events[1].detail), (&result, &told));
}

#[tokio::test]
async fn an_event_that_cannot_be_published_is_a_warning() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    account.fail_next("PutEvents").with("AccessDeniedException", 400).always().await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(result["outcome"], "succeeded");
    assert!(warns(&result, &["`Etcd Backup Taken` was not published to default", "AccessDeniedException"]), "{result}");
}

#[tokio::test]
async fn an_empty_bus_sends_nothing() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup_with(&account, "EVENT_BUS", "").await;

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert!(account.calls("PutEvents").await.is_empty());
}

#[tokio::test]
async fn a_run_is_one_wide_line_in_the_log() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup =
        scenarios::Function::named("backup").account(&account).env("AWS_LAMBDA_LOG_FORMAT", "JSON").start().await;

    backup.invoke_as("aaaaaaaa-0000-4000-8000-000000000001", json!({})).await.unwrap();

    let lines: Vec<serde_json::Value> =
        backup.logs().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let wide: Vec<_> = lines.iter().filter(|line| line["fields"]["created"].is_number()).collect();
    assert_eq!(wide.len(), 1, "{lines:?}");
    let fields = &wide[0]["fields"];
    assert_eq!((&fields["created"], &fields["members"], &fields["trigger"]), (&json!(6), &json!(6), &json!("manual")));
    assert!(wide[0].to_string().contains("aaaaaaaa-0000-4000-8000-000000000001"), "with its request id: {}", wide[0]);
}
