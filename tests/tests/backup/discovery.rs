//! Volumes that are not as kops left them: a finding per member, never a crash, never silence.

use scenarios::{Kops, LocalAws, RawVolume, events, tags};

use super::{backup, each, hours_ago, point, warns};

#[tokio::test]
async fn tags_that_cannot_be_read_are_findings_and_the_others_are_backed_up() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let unreadable = cluster.volume("main", "b").to_owned();
    account.change_volumes(&unreadable).tags(&tags::of([("k8s.io/etcd/main", "b/a/c")])).await;
    let double = cluster.volume("events", "c").to_owned();
    account.change_volumes(&double).tags(&tags::of([("k8s.io/etcd/leases", "c/c")])).await;
    let backup = backup(&account).await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let result = error.result();
    assert_eq!(each(&result, "main", "member"), ["a", "b", "c", "null"]);
    assert_eq!(each(&result, "main", "action"), ["created", "failed", "created", "failed"]);
    let errors = each(&result, "main", "error");
    assert!(errors[1].starts_with("no volume bears this member's tag"), "{errors:?}");
    let says = format!("volume {unreadable}: tag `k8s.io/etcd/main`: `b/a/c` has more than one `/`; kops writes");
    assert!(errors[3].starts_with(&says), "{errors:?}");
    let events = each(&result, "events", "error");
    let says = format!("volume {double} bears several etcd tags (k8s.io/etcd/events, k8s.io/etcd/leases)");
    assert!(events[2].starts_with(&says), "{events:?}");
    assert_eq!(each(&result, "events", "action"), ["created", "created", "failed"]);
    assert_eq!(each(&result, "leases", "action"), ["failed"]);
    let of_double = account.snapshots().await.into_iter().filter(|snapshot| snapshot.volume == double);
    assert_eq!(of_double.count(), 2, "one for each etcd cluster that it claims");
}

#[tokio::test]
async fn all_volumes_that_claim_one_member_are_snapshotted_and_the_run_fails() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    let spare = cluster.duplicate("main", "a").await;
    cluster.attach("main", "a").await;
    let loose = cluster.duplicate("events", "b").await;
    let backup = backup(&account).await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let attached = cluster.volume("main", "a");
    let result = error.result();
    assert_eq!(each(&result, "main", "action"), ["failed", "failed", "created", "created"]);
    assert!(each(&result, "main", "error")[0].contains("all claim this member, each is snapshotted"));
    assert_eq!(each(&result, "events", "action"), ["created", "failed", "failed", "created"]);
    assert!(error.error_message.contains("2 of 6 members without a sound snapshot"), "{error}");
    let snapshots = account.snapshots().await;
    for volume in [attached, &spare, cluster.volume("events", "b"), &loose] {
        assert_eq!(snapshots.iter().filter(|snapshot| snapshot.volume == volume).count(), 1, "{volume}");
    }

    let again = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();
    assert_eq!(account.snapshots().await.len(), snapshots.len(), "nothing is taken twice: {again}");
}

#[tokio::test]
async fn a_volume_that_is_not_ready_is_not_snapshotted_and_says_so() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    for (member, state) in [("a", "creating"), ("b", "error"), ("c", "deleting")] {
        account.change_volumes(cluster.volume("main", member)).state(state).await;
    }
    let backup = backup(&account).await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let errors = error.result();
    let errors = each(&errors, "main", "error");
    for (error, state) in errors.iter().zip(["creating", "error", "deleting"]) {
        assert!(error.contains(&format!("is `{state}`")), "{errors:?}");
    }
    assert_eq!(account.snapshots().await.len(), 3);
}

#[tokio::test]
async fn members_that_the_volumes_disagree_on_are_all_expected() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    account.change_volumes(cluster.volume("main", "a")).tags(&tags::of([("k8s.io/etcd/main", "a/a,b,c,d")])).await;
    let backup = backup(&account).await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    let result = error.result();
    assert_eq!(each(&result, "main", "action"), ["created", "created", "created", "failed"]);
    assert!(warns(&result, &["disagree on the members", "(a, b, c / a, b, c, d)"]), "{result}");
}

#[tokio::test]
async fn a_replaced_volume_goes_on_in_its_lineage_and_the_last_point_before_it_stays() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    let last = cluster.past_point("main", &hours_ago(9)).await;
    let old = cluster.volume("main", "b").to_owned();
    let new = cluster.replace("main", "b").await;
    let backup = super::backup_with(&account, "RETENTION", "keep-last=1").await;

    account.clock(&hours_ago(8)).await;
    let changed = backup.invoke(events::scheduled(&hours_ago(8))).await.unwrap();
    assert!(warns(&changed, &["member b of main", &old, &new, "blank", "kept for 30 days"]), "{changed}");

    for hours in (2..8).rev() {
        account.clock(&hours_ago(hours)).await;
        backup.invoke(events::scheduled(&hours_ago(hours))).await.unwrap();
    }
    account.clock(&hours_ago(1)).await;
    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    assert!(!warns(&result, &["replaced"]), "said while no complete point has the new volume: {result}");
    assert_eq!(point(&result, "main")["state"], "pending");
    let slots: std::collections::BTreeSet<String> =
        account.snapshots().await.iter().map(|snapshot| snapshot.tags["etcd-backup/recovery-point"].clone()).collect();
    let expected = [hours_ago(9), hours_ago(8), hours_ago(2), hours_ago(1)];
    assert_eq!(slots, expected.into());
    assert!(account.snapshot(&last["b"]).await.is_some());
}

#[tokio::test]
async fn what_is_no_etcd_volume_is_left_alone() {
    let account = LocalAws::account();
    RawVolume::in_zone("eu-central-1a").tagged([("k8s.io/etcd/main", "a/a")]).create(&account).await;
    RawVolume::in_zone("eu-central-1a").tagged([("KubernetesCluster", "k8s.example.com")]).create(&account).await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert!(account.snapshots().await.is_empty());
    assert!(warns(&result, &["nothing to back up"]), "{result}");
}
