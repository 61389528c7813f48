//! The harness itself: what it sets up is what the scenarios believe it to be.

use std::time::Duration;

use jiff::SignedDuration;
use scenarios::{Kops, LocalAws, RawSnapshot, RawVolume, tags};

#[tokio::test]
async fn a_cluster_has_a_tagged_volume_for_every_member() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;

    let volumes = account.volumes().await;

    assert_eq!(volumes.len(), 6);
    let volume = volumes.iter().find(|volume| volume.id == cluster.volume("events", "b")).unwrap();
    assert_eq!(
        volume.tags,
        tags::of([
            ("Name", "b.etcd-events.k8s.example.com"),
            ("KubernetesCluster", "k8s.example.com"),
            ("k8s.io/etcd/events", "b/a,b,c"),
            ("k8s.io/role/master", "1"),
            ("k8s.io/role/control-plane", "1"),
            ("kubernetes.io/cluster/k8s.example.com", "owned"),
        ])
    );
    assert_eq!((volume.zone.as_str(), volume.volume_type.as_str(), volume.size), ("eu-central-1b", "gp3", 20));
    assert_eq!((volume.iops, volume.throughput, volume.encrypted), (Some(3000), Some(125), true));
}

#[tokio::test]
async fn an_account_sees_nothing_of_another() {
    let (one, other) = (LocalAws::account(), LocalAws::account());
    Kops::cluster("k8s.example.com").create(&one).await;

    assert!(other.volumes().await.is_empty());
    assert!(other.all_calls().await.iter().all(|call| call.action == "DescribeVolumes"));
}

#[tokio::test]
async fn a_volume_is_lost_replaced_and_attached() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    assert_eq!(cluster.get("main", "a").tags["k8s.io/etcd/main"], "a/a");

    let lost = cluster.lose("main", "a").await;
    let before = cluster.volume("events", "a").to_owned();
    let new = cluster.replace("events", "a").await;
    let instance = cluster.attach("events", "a").await;

    assert!(account.volume(&lost).await.is_none() && account.volume(&before).await.is_none());
    let volume = account.volume(&new).await.unwrap();
    assert_eq!((volume.instance.as_deref(), volume.state.as_str()), (Some(instance.as_str()), "in-use"));
}

#[tokio::test]
async fn the_past_is_planted_as_the_backup_would_have_left_it() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").cloud_labels([("team", "x")]).create(&account).await;
    account.pages_of(2).await;

    let late = SignedDuration::from_secs(7);
    let point = cluster.past_point("main", "2026-11-22T02:00:00Z").without("c").late("b", late).pinned().await;
    cluster.past_hours("events", "2026-11-22T02:00:00Z", 2).await;

    let snapshots = account.snapshots().await;
    assert_eq!(snapshots.len(), 2 + 6);
    let b = snapshots.iter().find(|snapshot| snapshot.id == point["b"]).unwrap();
    assert_eq!(b.volume, cluster.volume("main", "b"));
    assert_eq!((b.state.as_str(), b.start_time.to_string().as_str()), ("completed", "2026-11-22T02:00:09Z"));
    assert_eq!((b.tags["team"].as_str(), b.tags["etcd-backup/keep"].as_str()), ("x", "true"));
    assert_eq!(b.tags["etcd-backup/recovery-point"], "2026-11-22T02:00:00Z");
    let described =
        format!("id={} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1b encrypted=true", b.volume);
    assert!(b.tags["etcd-backup/volume"].starts_with(&described), "{:?}", b.tags);
    assert_eq!(b.owner, account.id());
}

#[tokio::test]
async fn a_volume_that_is_gone_can_have_snapshots() {
    let account = LocalAws::account();

    let ours = RawSnapshot::of("vol-0aaaaaaaaaaaaaaaa", "2026-11-22T02:00:00Z").tagged([("k", "v")]).state("error");
    let shared = RawSnapshot::of("vol-0bbbbbbbbbbbbbbbb", "2026-11-22T03:00:00Z").owned_by("999988887777");
    let ids = account.plant_snapshots(&[ours, shared]).await;
    account.set_snapshot_tags(&ids[0], &tags::of([("aws:backup:source-resource", "x")])).await;
    let changed = account.change_snapshots(&ids[1]).state("completed").start_time("2026-11-22T04:00:00Z").await;

    let snapshots = account.snapshots().await;
    assert_eq!(changed, [ids[1].clone()]);
    assert_eq!((&snapshots[0].id, snapshots[0].state.as_str()), (&ids[0], "error"));
    assert_eq!(snapshots[0].tags, tags::of([("aws:backup:source-resource", "x")]));
    assert_eq!((snapshots[1].owner.as_str(), snapshots[1].volume.as_str()), ("999988887777", "vol-0bbbbbbbbbbbbbbbb"));
    assert_eq!(snapshots[1].start_time.to_string(), "2026-11-22T04:00:00Z");
}

#[tokio::test]
async fn a_call_fails_where_and_as_often_as_it_is_told_to() {
    let account = LocalAws::account();
    let volume = RawVolume::in_zone("eu-central-1a").create(&account).await;
    let other = RawVolume::in_zone("eu-central-1a").tagged([("k", "v")]).create(&account).await;
    account.snapshots_stay_pending().await;
    account.clock("2026-11-23T02:00:00Z").await;
    account.forget_calls().await;
    let snapshot = async |volume: &str| account.ec2().create_snapshot().volume_id(volume).send().await;

    account.fail_next("CreateSnapshot").on_volume(&volume).with("RequestLimitExceeded", 503).times(2).await;
    assert!(snapshot(&other).await.is_ok());
    for _ in 0..2 {
        let error = snapshot(&volume).await.unwrap_err().into_service_error();
        assert_eq!(error.meta().code(), Some("RequestLimitExceeded"));
    }
    account.fail_next("CreateSnapshot").losing_the_answer().await;
    assert!(snapshot(&volume).await.unwrap_err().into_service_error().meta().code().is_none());
    account.on_next("CreateSnapshot").answered_after(Duration::from_millis(50)).await;
    assert!(snapshot(&volume).await.is_ok());

    let snapshots = account.snapshots().await;
    assert_eq!(snapshots.iter().filter(|snapshot| snapshot.volume == volume).count(), 2);
    assert!(snapshots.iter().all(|snapshot| snapshot.state == "pending"));
    assert!(snapshots.iter().all(|snapshot| snapshot.start_time.to_string() == "2026-11-23T02:00:00Z"));
    assert_eq!(account.settle_snapshots().await.len(), 3);

    let calls = account.calls("CreateSnapshot").await;
    let statuses: Vec<_> = calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(503), Some(503), None, Some(200)]);
    assert_eq!(calls[1].error.as_deref(), Some("RequestLimitExceeded"));
    assert_eq!(calls[0].param("VolumeId"), Some(other.as_str()));
    assert!(calls[4].ended.unwrap() - calls[4].started >= 0.05);
    assert_eq!(account.writes().await.len(), 5);
}
