//! Tags of snapshots that are there.

use scenarios::{LocalAws, events, tags};

use super::{Attacker, CLUSTER, all_there, backed_up, hours_ago, latest};

#[tokio::test]
async fn a_point_cannot_be_moved_by_a_second() {
    let account = LocalAws::account();
    let (_cluster, backup, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    for id in &ours {
        assert!(!attacker.tag(id, &[("etcd-backup/recovery-point", "2026-11-23T01:59:59Z")]).await);
        assert!(!attacker.tag(id, &[("etcd-backup/verified", "corrupt")]).await);
        assert!(!attacker.tag(id, &[("KubernetesCluster", CLUSTER)]).await);
        assert!(!attacker.untag(id, "etcd-backup/recovery-point").await);
    }

    backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    all_there(&account, &ours).await;
    assert_eq!(backup.metric("SnapshotsDoubtful", &[]), [0.0]);
}

/// Should somebody have more rights than kops gives: every kind of change is noticed, told, and costs nothing.
#[tokio::test]
async fn a_point_that_is_moved_all_the_same_costs_nothing_and_is_told() {
    for what in ["moved", "marks removed", "another cluster's", "kops' tag added"] {
        let account = LocalAws::account();
        let (_cluster, backup, ours) = backed_up(&account).await;
        for id in ours.iter().step_by(3) {
            let slot = account.snapshot(id).await.unwrap().tags["etcd-backup/recovery-point"].clone();
            let moved: jiff::Timestamp = slot.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_secs(1);
            let changed = match what {
                "moved" => tags::of([("etcd-backup/recovery-point", moved.to_string().as_str())]),
                "another cluster's" => tags::of([("etcd-backup/cluster", "other.example.com")]),
                "kops' tag added" => tags::of([("KubernetesCluster", CLUSTER)]),
                _ => {
                    account.set_snapshot_tags(id, &tags::of([("Name", "mine now")])).await;
                    continue;
                }
            };
            account.tag(id, &changed).await;
        }

        for hours in [1, 0] {
            backup.invoke(events::scheduled(&hours_ago(hours))).await.unwrap();
        }

        all_there(&account, &ours).await;
        assert!(backup.metric("SnapshotsDoubtful", &[]).iter().all(|doubtful| *doubtful >= 4.0), "{what}");
    }
}

#[tokio::test]
async fn what_counts_is_never_latest_once_it_was_changed() {
    let account = LocalAws::account();
    let (_cluster, _, ours) = backed_up(&account).await;
    assert_eq!(latest(&account).await, hours_ago(2));
    let newest = ours.iter().rev().take(3);
    for id in newest {
        account.tag(id, &tags::of([("etcd-backup/recovery-point", hours_ago(-24).as_str())])).await;
    }
    assert_eq!(latest(&account).await, hours_ago(3), "a point of the future is none");
}
