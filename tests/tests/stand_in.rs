//! The benchmark's stand-in: the SDK reads what it says.

use std::time::Duration;

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::types::{ResourceType, SnapshotState, Tag, TagSpecification};
use aws_sdk_ec2::{Client, Config};
use scenarios::stand_in::{Fleet, StandIn};

fn client(stand_in: &StandIn) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(scenarios::REGION))
        .credentials_provider(Credentials::new("111122223333", "local", None, None, "scenarios"))
        .endpoint_url(stand_in.url());
    Client::from_conf(config.build())
}

#[tokio::test]
async fn volumes_and_snapshots_come_in_pages() {
    let fleet = Fleet::of_clusters(2).with_hours_before("2026-11-23T02:00:00Z", 3);
    let stand_in = StandIn::serve(fleet, Duration::ZERO).await;
    let ec2 = client(&stand_in);

    let volumes = ec2.describe_volumes().into_paginator().page_size(5).items().send();
    let volumes = volumes.collect::<Result<Vec<_>, _>>().await.unwrap();
    let snapshots = ec2.describe_snapshots().into_paginator().page_size(10).items().send();
    let snapshots = snapshots.collect::<Result<Vec<_>, _>>().await.unwrap();

    assert_eq!((volumes.len(), snapshots.len()), (12, 36));
    assert_eq!(stand_in.arrivals().len(), 3 + 4);
    let newest = &snapshots[0];
    let tag = |key: &str| newest.tags().iter().find(|tag| tag.key() == Some(key)).and_then(Tag::value).unwrap();
    assert_eq!(tag("etcd-backup/recovery-point"), "2026-11-23T01:00:00Z");
    assert!(tag("etcd-backup/volume").starts_with(&format!("id={} type=gp3", newest.volume_id().unwrap())));
    assert_eq!(newest.start_time().unwrap().to_string(), "2026-11-23T01:00:02Z");
}

#[tokio::test]
async fn a_snapshot_is_begun_with_its_tags_and_can_be_deleted_once() {
    let stand_in = StandIn::serve(Fleet::of_clusters(1), Duration::from_millis(20)).await;
    let ec2 = client(&stand_in);
    let volume = ec2.describe_volumes().send().await.unwrap().volumes()[0].volume_id().unwrap().to_owned();

    let awkward = Tag::builder().key("team").value("R&D <etcd>; 50 % + 1").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).tags(awkward.clone()).build();
    let begun = ec2.create_snapshot().volume_id(&volume).tag_specifications(tags).send().await.unwrap();
    let id = begun.snapshot_id().unwrap();
    ec2.delete_snapshot().snapshot_id(id).send().await.unwrap();
    let again = ec2.delete_snapshot().snapshot_id(id).send().await.unwrap_err();

    assert_eq!(begun.state(), Some(&SnapshotState::Pending));
    assert_eq!(begun.tags(), [awkward]);
    assert_eq!(again.into_service_error().meta().code(), Some("InvalidSnapshot.NotFound"));
    let etcd_clusters: Vec<_> = stand_in.arrivals().into_iter().map(|arrival| arrival.etcd_cluster).collect();
    assert_eq!(etcd_clusters[1].as_deref(), Some("k8s-000.example.com/main"));
}
