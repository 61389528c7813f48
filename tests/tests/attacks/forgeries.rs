//! Snapshots that the attacker takes, and marks as ours.

use scenarios::{Kops, LocalAws, RawVolume, events, tags};

use super::{Attacker, CLUSTER, all_there, backed_up, hours_ago, latest};

/// All that `backup` would write on a snapshot of that volume, in its description too, beside the tag that kops demands.
async fn forge(attacker: &Attacker<'_>, cluster: &Kops<'_>, volume: &str, slot: &str) -> String {
    let described = format!("id={volume} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true");
    let mut marked = tags::snapshot(&cluster.get("main", "a").tags, slot, &described);
    let description = tags::description(&marked, "forged");
    let verdict =
        "ok at=2026-11-23T02:10:00Z revision=9000 index=9000 term=2 last=2.9000 commit=9000 cluster=c1 member=a61";
    marked.extend(tags::of([("KubernetesCluster", CLUSTER), ("etcd-backup/verified", verdict)]));
    let marked: Vec<(&str, &str)> = marked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    attacker.snapshot(volume, &description, &marked).await.expect("kops lets masters take snapshots")
}

#[tokio::test]
async fn a_forged_snapshot_of_the_coming_slot_does_not_take_the_place_of_the_genuine_one() {
    let account = LocalAws::account();
    let (cluster, backup, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    let blank = RawVolume::in_zone("eu-central-1a").tagged([("KubernetesCluster", CLUSTER)]).create(&account).await;
    let forged = forge(&attacker, &cluster, &blank, &hours_ago(0)).await;

    let result = backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap();

    let members = result["recovery_points"][0]["members"].as_array().unwrap();
    assert!(members.iter().all(|member| member["action"] == "created"), "{result}");
    assert!(members.iter().all(|member| member["snapshot"] != forged.as_str()), "{result}");
    assert_eq!(backup.metric("SnapshotsDoubtful", &[]), [1.0]);
    all_there(&account, &ours).await;
    assert_eq!(latest(&account).await, hours_ago(2), "the newest that `verify` has read");
}

#[tokio::test]
async fn a_forged_snapshot_cannot_be_freed_of_the_tag_that_betrays_it() {
    let account = LocalAws::account();
    let (cluster, _, _) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    let forged = forge(&attacker, &cluster, cluster.volume("main", "a"), &hours_ago(0)).await;
    assert!(!attacker.untag(&forged, "KubernetesCluster").await);
}

#[tokio::test]
async fn a_point_of_the_future_wins_nothing_and_stops_no_pruning_in_silence() {
    let account = LocalAws::account();
    let (cluster, backup, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    forge(&attacker, &cluster, cluster.volume("main", "a"), "2099-01-01T00:00:00Z").await;
    for hours in [1, 0] {
        backup.invoke(events::scheduled(&hours_ago(hours))).await.unwrap();
    }
    all_there(&account, &ours).await;
    assert_eq!(latest(&account).await, hours_ago(2));
    assert_eq!(backup.metric("SnapshotsDoubtful", &[]), [1.0, 1.0]);
    assert!(backup.metric("PruneBacklog", &[]).iter().any(|backlog| *backlog > 0.0), "its alarm fires");
}
