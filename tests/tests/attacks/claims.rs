//! Tags of the cluster's volumes, which masters may change.

use scenarios::{LocalAws, RawVolume, events, tags};

use super::{Attacker, CLUSTER, all_there, backed_up, hours_ago, latest};

#[tokio::test]
async fn members_that_no_tag_names_any_more_fail_the_run_and_cost_nothing() {
    let account = LocalAws::account();
    let (cluster, backup, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    for member in ["b", "c"] {
        assert!(attacker.untag(cluster.volume("main", member), "k8s.io/etcd/main").await);
    }
    assert!(attacker.tag(cluster.volume("main", "a"), &[("k8s.io/etcd/main", "a/a")]).await);

    for hours in [1, 0] {
        let error = backup.invoke(events::scheduled(&hours_ago(hours))).await.unwrap_err();
        assert_eq!(error.error_type, "BackupIncomplete");
        assert!(
            error.error_message.contains("2 of 3 members") && error.error_message.contains("MembersShrunk"),
            "{error}"
        );
    }

    all_there(&account, &ours).await;
    assert_eq!(latest(&account).await, hours_ago(2), "no point of one member");
    assert_eq!(backup.metric("MembersMissing", &[]), [2.0, 2.0]);

    // An operator says that they are gone on purpose.
    let accepted = serde_json::json!({"cluster": CLUSTER, "accept_members": true});
    backup.invoke(accepted).await.unwrap();
    assert_eq!(backup.invoke(serde_json::json!({})).await.unwrap()["outcome"], "succeeded");
}

#[tokio::test]
async fn one_more_etcd_tag_does_not_hide_a_volume() {
    let account = LocalAws::account();
    let (cluster, backup, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    let genuine = cluster.volume("main", "a").to_owned();
    assert!(attacker.tag(&genuine, &[("k8s.io/etcd/x", "a/a")]).await);

    backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap_err();

    let new = account.snapshots().await.into_iter().filter(|snapshot| !ours.contains(&snapshot.id));
    let of_genuine = new.filter(|snapshot| snapshot.volume == genuine).map(|snapshot| snapshot.tags);
    assert!(of_genuine.into_iter().any(|tags| tags["etcd-backup/etcd-cluster"] == "main"));
    all_there(&account, &ours).await;
}

#[tokio::test]
async fn an_attached_stranger_does_not_keep_the_genuine_volume_from_being_snapshotted() {
    let account = LocalAws::account();
    let (cluster, backup, ours) = backed_up(&account).await;
    let genuine = cluster.volume("main", "a").to_owned();
    let stranger = cluster.duplicate("main", "a").await;
    let master = cluster.master("eu-central-1a").await;
    account.attach(&stranger, &master, "/dev/xvdz").await;

    backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap_err();

    let snapshots = account.snapshots().await;
    assert!(snapshots.iter().any(|snapshot| snapshot.volume == genuine && !ours.contains(&snapshot.id)));
    all_there(&account, &ours).await;
    assert_eq!(latest(&account).await, hours_ago(2));
}

#[tokio::test]
async fn a_lost_member_is_told_before_whatever_bad_tags_bring_about() {
    let account = LocalAws::account();
    let (mut cluster, backup, ours) = backed_up(&account).await;
    let bad = tags::of([
        ("KubernetesCluster", "a.example.com"),
        ("k8s.io/etcd/a", "?"),
        ("k8s.io/etcd/b", "x/y"),
        ("k8s.io/etcd/c", "z"),
        ("k8s.io/etcd/d", "m/m,n"),
    ]);
    RawVolume::in_zone("eu-central-1a").tags(&bad).create(&account).await;
    cluster.lose("main", "b").await;

    let error = backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap_err();

    let first = error.sentence().split(": ").nth(2).unwrap_or_default().to_owned();
    assert_eq!(first, "member b of main of k8s.example.com", "{error}");
    all_there(&account, &ours).await;
}
