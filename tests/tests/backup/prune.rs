//! What goes, and above all what stays.

use scenarios::{Kops, LocalAws, RawSnapshot, events, tags};
use serde_json::json;

use super::{backup_with, hours_ago, pruned_slots, warns};

#[tokio::test]
async fn snapshots_of_others_are_left_alone_however_alike() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    let a = cluster.get("main", "a");
    let start = hours_ago(50);
    let marked = tags::snapshot(&a.tags, &start, &format!("id={} type=gp3 size=20 zone=eu-central-1a", a.id));
    let mut ours_but_for_the_mark = marked.clone();
    ours_but_for_the_mark.remove("etcd-backup/recovery-point");
    let foreign = account
        .plant_snapshots(&[
            RawSnapshot::of(&a.id, &start).tags(&a.tags),
            RawSnapshot::of(&a.id, &start).tags(&ours_but_for_the_mark),
            // A copy that AWS Backup made: all our tags, another volume.
            RawSnapshot::of("vol-ffffffff", &start).tags(&marked),
            RawSnapshot::of(&a.id, &start).tags(&marked).owned_by("999999999999"),
        ])
        .await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(pruned_slots(&result), [hours_ago(4), hours_ago(3)]);
    assert_eq!(result["kept"], json!(2), "the copies are not counted");
    for id in foreign {
        assert!(account.snapshot(&id).await.is_some(), "{id}");
    }
}

#[tokio::test]
async fn a_copy_in_the_slot_does_not_count_as_the_slots_snapshot() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    let a = cluster.get("main", "a");
    let slot = hours_ago(1);
    let marked = tags::snapshot(&a.tags, &slot, &format!("id={} type=gp3 size=20 zone=eu-central-1a", a.id));
    account.plant_snapshots(&[RawSnapshot::of("vol-ffffffff", &slot).tags(&marked)]).await;
    let backup = backup_with(&account, "PRUNE", "on").await;

    let result = backup.invoke(events::scheduled(&slot)).await.unwrap();

    assert_eq!(super::each(&result, "main", "action"), ["created"]);
}

#[tokio::test]
async fn a_doubtful_snapshot_is_left_alone_and_nothing_else_is_pruned_either() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    let point = cluster.past_point("main", &hours_ago(90)).await;
    let mut edited = account.snapshot(&point["a"]).await.unwrap().tags;
    edited.insert("etcd-backup/member".to_owned(), "a".to_owned());
    account.set_snapshot_tags(&point["a"], &edited).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert!(warns(&result, &[&point["a"], "is doubtful", "does not count and is not deleted"]), "{result}");
    assert!(account.snapshot(&point["a"]).await.is_some());
    assert_eq!(result["pruned"], json!([]));
    assert_eq!(backup.metric("SnapshotsDoubtful", &[]), [1.0]);
    assert_eq!(backup.metric("PruneBacklog", &[]), [2.0], "its alarm must fire");
}

#[tokio::test]
async fn a_pending_newest_point_does_not_push_the_last_complete_one_out() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_point("main", &hours_ago(5)).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    for hours in (1..5).rev() {
        let result = backup.invoke(events::scheduled(&hours_ago(hours))).await.unwrap();
        assert_eq!(result["pruned"], json!([]));
    }

    account.settle_snapshots().await;
    let result = backup.invoke(events::scheduled(&hours_ago(0))).await.unwrap();
    assert_eq!(pruned_slots(&result), [hours_ago(5), hours_ago(4), hours_ago(3), hours_ago(2)]);
}

#[tokio::test]
async fn a_failed_snapshot_goes_once_a_newer_point_is_complete() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_point("main", &hours_ago(4)).await;
    let failed = cluster.past_point("main", &hours_ago(3)).with_state("c", "error").await;
    account.snapshots_stay_pending().await;
    let backup = backup_with(&account, "RETENTION", "keep-last=3").await;

    let not_yet = backup.invoke(events::scheduled(&hours_ago(2))).await.unwrap();
    assert_eq!(not_yet["pruned"], json!([]));

    account.settle_snapshots().await;
    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    let pruned = result["pruned"].as_array().unwrap();
    assert_eq!((pruned.len(), pruned[0]["snapshot"].as_str()), (1, Some(failed["c"].as_str())));
    assert_eq!(pruned[0]["reason"], "ended in error, a newer point is complete");
    assert_eq!(result["kept"], json!(4), "the partial point is there for another day");
}

#[tokio::test]
async fn a_partial_point_goes_a_day_after_and_its_pending_snapshot_never() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    let old = cluster.past_point("main", &hours_ago(26)).without("c").with_state("b", "pending").await;
    cluster.past_point("main", &hours_ago(25)).without("c").await;
    cluster.past_point("main", &hours_ago(2)).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let pruned = result["pruned"].as_array().unwrap();
    assert_eq!((pruned.len(), pruned[0]["snapshot"].as_str()), (1, Some(old["a"].as_str())), "{result}");
    assert!(account.snapshot(&old["b"]).await.is_some());
}

#[tokio::test]
async fn a_run_deletes_whole_points_up_to_the_cap_oldest_first() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 6).await;
    let backup = scenarios::Function::named("backup").account(&account).env("RETENTION", "keep-last=1");
    let backup = backup.env("MAX_PRUNE", "7").start().await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(pruned_slots(&result), [hours_ago(7), hours_ago(6)]);
    assert_eq!(backup.metric("PruneBacklog", &[]), [9.0]);
}

#[tokio::test]
async fn beside_a_point_of_the_future_nothing_is_pruned_and_the_age_is_that_of_the_others() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 5).await;
    let future = cluster.past_point("main", "2096-11-23T02:00:00Z").await;
    account.change_snapshots(future.into_values().collect::<Vec<_>>()).start_time(&hours_ago(1)).await;
    let backup = backup_with(&account, "RETENTION", "keep-within=1h").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(result["pruned"], json!([]));
    assert!(
        warns(&result, &["main of k8s.example.com", "nothing is pruned while doubtful snapshots may be of it"]),
        "{result}"
    );
    assert!(backup.metric("RecoveryPointAge", &[])[0] >= 7200.0);
}

#[tokio::test]
async fn a_cap_smaller_than_a_point_says_so() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    let backup = scenarios::Function::named("backup").account(&account).env("RETENTION", "keep-last=1");
    let backup = backup.env("MAX_PRUNE", "2").start().await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(result["pruned"], json!([]));
    assert!(warns(&result, &["main of k8s.example.com", "MAX_PRUNE=2", "raise it"]), "{result}");
}
