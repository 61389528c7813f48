//! What goes wrong is said, and the rest goes on.

use std::time::Duration;

use scenarios::{Function, Kops, LocalAws, events};
use serde_json::json;

use super::{backup, backup_with, each, hours_ago, point, warns};

#[tokio::test]
async fn one_members_failure_leaves_the_others_backed_up_and_the_retry_does_only_that_member() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 6).await;
    cluster.past_hours("events", &hours_ago(2), 6).await;
    account
        .fail_next("CreateSnapshot")
        .on_volume(cluster.volume("main", "b"))
        .saying("Server.Odd", "as EC2 says", 400)
        .await;
    let backup = backup_with(&account, "RETENTION", "keep-last=4").await;
    let event = events::scheduled(&hours_ago(1));

    let error = backup.invoke(event.clone()).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    assert_eq!(
        error.sentence(),
        format!(
            "slot {}: 1 of 6 members without a sound snapshot: member b of main of k8s.example.com: CreateSnapshot: \
             Server.Odd: as EC2 says",
            hours_ago(1)
        )
    );
    let result = error.result();
    assert_eq!(result["outcome"], "incomplete");
    assert_eq!(each(&result, "main", "action"), ["created", "failed", "created"]);
    assert_eq!(point(&result, "main")["state"], "partial");
    assert_eq!(each(&result, "events", "action"), ["created"; 3]);
    let pruned = result["pruned"].as_array().unwrap();
    assert_eq!(pruned.len(), 6, "events is pruned");
    assert!(pruned.iter().all(|pruned| pruned["etcd_cluster"] == "events"), "main is not");

    account.forget_calls().await;
    let retried = backup.invoke(event).await.unwrap();
    assert_eq!(each(&retried, "main", "action"), ["existing", "created", "existing"]);
    let made = account.calls("CreateSnapshot").await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].param("VolumeId"), Some(cluster.volume("main", "b")));
    assert_eq!(retried["pruned"].as_array().unwrap().len(), 6, "now main is");
}

#[tokio::test]
async fn a_cluster_whose_volumes_vanished_fails_the_run_and_keeps_everything() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 6).await;
    for member in ["a", "b", "c"] {
        cluster.lose("main", member).await;
    }
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(error.sentence().contains(": 3 of 6 members without a sound snapshot: "), "{error}");
    assert!(
        error.sentence().contains("no volume of the etcd cluster was found, but it has recovery points"),
        "{error}"
    );
    assert_eq!(each(&error.result(), "events", "action"), ["created"; 3]);
    assert!(account.calls("DeleteSnapshot").await.is_empty());
}

#[tokio::test]
async fn a_cluster_gone_for_a_week_is_a_warning_unless_it_is_named() {
    let account = LocalAws::account();
    let mut gone = Kops::cluster("old.example.com").single_master().etcd(["main"]).create(&account).await;
    gone.past_hours("main", &hours_ago(7 * 24 + 1), 3).await;
    gone.lose("main", "a").await;
    Kops::cluster("k8s.example.com").create(&account).await;
    let any = backup_with(&account, "RETENTION", "keep-last=1").await;
    let named = backup_with(&account, "CLUSTERS", "old.example.com,k8s.example.com").await;

    let result = any.invoke(events::scheduled(&hours_ago(1))).await.unwrap();
    assert!(warns(&result, &["main of old.example.com has no volumes any more; its 3 recovery points"]), "{result}");
    assert_eq!((&result["kept"], result["recovery_points"].as_array().unwrap().len()), (&json!(5), 2));

    let error = named.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();
    assert!(error.sentence().contains("member a of main of old.example.com"), "{error}");
    assert!(account.calls("DeleteSnapshot").await.is_empty());
}

#[tokio::test]
async fn a_named_cluster_that_does_not_exist_fails_the_run_after_the_others_are_done() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    Kops::cluster("other.example.com").create(&account).await;
    let backup = backup_with(&account, "CLUSTERS", "k8s.example.com,k8s.exmaple.com").await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(error.sentence().contains("cluster k8s.exmaple.com has no etcd volumes"), "{error}");
    assert_eq!(each(&error.result(), "main", "action"), ["created"; 3]);
    assert_eq!(account.snapshots().await.len(), 6, "other.example.com is not in CLUSTERS");
}

#[tokio::test]
async fn of_two_clusters_the_broken_one_does_not_hold_up_the_other() {
    let account = LocalAws::account();
    let sound = Kops::cluster("a.example.com").create(&account).await;
    let mut broken = Kops::cluster("b.example.com").create(&account).await;
    sound.past_hours("main", &hours_ago(2), 3).await;
    broken.past_hours("main", &hours_ago(2), 3).await;
    broken.lose("main", "c").await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    assert!(error.sentence().contains("1 of 12 members"), "{error}");
    assert!(
        error.sentence().contains("member c of main of b.example.com: no volume bears this member's tag"),
        "{error}"
    );
    let result = error.result();
    let of_broken = |pruned: &serde_json::Value| pruned["cluster"] == "b.example.com";
    assert!(!result["pruned"].as_array().unwrap().iter().any(of_broken));
    assert_eq!(account.snapshots().await.len(), 18 - 6 + 11);
}

#[tokio::test]
async fn when_ec2_cannot_be_asked_nothing_is_done() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    account.fail_next("DescribeSnapshots").with("UnauthorizedOperation", 403).always().await;
    let backup = backup(&account).await;
    account.forget_calls().await;

    let error = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    let sentence = format!("slot {}: nothing was backed up: DescribeSnapshots: UnauthorizedOperation", hours_ago(1));
    assert!(error.sentence().starts_with(&sentence), "{error}");
    assert!(account.writes().await.is_empty());
    assert_eq!(account.events().await[0].detail_type, "Etcd Backup Failed");
}

#[tokio::test]
async fn a_listing_is_retried_through_throttling_and_a_cut_page() {
    let account = LocalAws::account();
    account.pages_of(2).await;
    Kops::cluster("k8s.example.com").create(&account).await;
    account.fail_next("DescribeVolumes").with("RequestLimitExceeded", 503).await;
    account.fail_next("DescribeVolumes").after(1).losing_the_answer().await;
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(
        (each(&result, "main", "action"), each(&result, "events", "action")),
        (vec!["created"; 3], vec!["created"; 3])
    );
}

#[tokio::test]
async fn near_the_deadline_nothing_new_is_started_and_the_rest_is_reported() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    // Answered after the run must stop starting (4.8 s), and before it must stop waiting (5.4 s).
    account.on_next("CreateSnapshot").answered_after(Duration::from_millis(4800)).always().await;
    let function = Function::named("backup").account(&account);
    let backup = function.env("CONCURRENCY", "3").env("RETENTION", "keep-last=1").start().await;

    let error = backup.invoke_within(Duration::from_secs(6), events::scheduled(&hours_ago(1))).await.unwrap_err();

    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(error.sentence().contains("not started: the deadline is near"), "{error}");
    assert_eq!(account.calls("CreateSnapshot").await.len(), 3);
    assert!(account.calls("DeleteSnapshot").await.is_empty());
    assert!(backup.run_time() < Duration::from_secs(6));
}

#[tokio::test]
async fn near_the_deadline_no_deletion_is_started() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 3).await;
    // Answered after the run must stop starting (4.8 s), and before it must stop waiting (5.4 s).
    account.on_next("CreateSnapshot").answered_after(Duration::from_millis(4800)).always().await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    let result = backup.invoke_within(Duration::from_secs(6), events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!((each(&result, "main", "action"), &result["pruned"]), (vec!["created"; 3], &json!([])));
    assert!(account.calls("DeleteSnapshot").await.is_empty());
    assert_eq!(backup.metric("PruneBacklog", &[]), [6.0]);
}

#[tokio::test]
async fn a_member_that_waits_for_its_snapshot_does_not_queue_behind_the_deletions_of_others() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    cluster.past_hours("events", &hours_ago(2), 41).await;
    let waiting = cluster.volume("main", "a");
    account.fail_next("CreateSnapshot").on_volume(waiting).with("SnapshotCreationPerVolumeRateExceeded", 400).await;
    account.on_next("DeleteSnapshot").answered_after(Duration::from_millis(100)).always().await;
    let function = Function::named("backup").account(&account);
    let function = function.env("CONCURRENCY", "2").env("RETENTION", "keep-last=1").env("MAX_PRUNE", "100");
    let backup = function.start().await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!((each(&result, "main", "action"), result["pruned"].as_array().unwrap().len()), (vec!["created"], 40));
    let calls = account.all_calls().await;
    let taken = calls.iter().rposition(|call| call.action == "CreateSnapshot").unwrap();
    let before = calls[..taken].iter().filter(|call| call.action == "DeleteSnapshot").count();
    assert!(before <= 20, "{before} of 40 deletions came first");
}

#[tokio::test]
async fn a_run_that_dies_in_the_middle_is_finished_by_its_retry() {
    let account = LocalAws::account();
    account.snapshots_stay_pending().await;
    Kops::cluster("k8s.example.com").create(&account).await;
    account.on_next("CreateSnapshot").after(3).answered_after(Duration::from_secs(5)).always().await;
    let dying = backup_with(&account, "CONCURRENCY", "3").await;
    let event = events::scheduled(&hours_ago(1));

    let (died, ()) = tokio::join!(dying.invoke(event.clone()), async {
        account.until_called("CreateSnapshot", 5).await;
        dying.kill(&account).await;
    });
    assert_eq!(died.unwrap_err().error_type, "Runtime.ExitError");
    account.clear_faults().await;
    let retried = backup(&account).await.invoke(event).await.unwrap();

    assert_eq!(each(&retried, "events", "action"), ["existing"; 3]);
    assert_eq!(account.snapshots().await.len(), 6);
}

#[tokio::test]
async fn locked_snapshots_are_neither_due_nor_backlog_and_keep_no_others_from_going() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).single_master().create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 8).await;
    let snapshots = account.snapshots().await;
    // The oldest are locked: as many as a run may delete.
    for snapshot in &snapshots[..2] {
        account.lock_snapshot(&snapshot.id).await;
    }
    account.pages_of(5).await;
    let limited = [("RETENTION", "keep-last=2"), ("MAX_PRUNE", "2")];
    let backup = limited
        .into_iter()
        .fold(Function::named("backup").account(&account), |one, (name, value)| one.env(name, value));
    let backup = backup.start().await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let gone: Vec<&str> =
        result["pruned"].as_array().unwrap().iter().map(|one| one["snapshot"].as_str().unwrap()).collect();
    assert_eq!(gone, [&snapshots[2].id, &snapshots[3].id], "{result:#}");
    assert_eq!(account.calls("DeleteSnapshot").await.len(), 2);
    assert_eq!(backup.metric("PruneBacklog", &[]), [2.0], "what is locked is none");
}

#[tokio::test]
async fn where_locks_cannot_be_listed_the_backup_is_taken_and_nothing_is_pruned_in_silence() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).single_master().create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 4).await;
    account.fail_next("DescribeLockedSnapshots").with("UnauthorizedOperation", 403).always().await;
    let backup = backup_with(&account, "RETENTION", "keep-last=2").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert_eq!(result["outcome"], "succeeded");
    assert!(
        warns(&result, &["the locked snapshots could not be listed: DescribeLockedSnapshots: UnauthorizedOperation"]),
        "{result}"
    );
    assert!(account.calls("DeleteSnapshot").await.is_empty());
    assert_eq!(backup.metric("PruneBacklog", &[]), [2.0], "so that its alarm fires");
}

#[tokio::test]
async fn a_refused_deletion_is_a_warning_and_a_vanished_snapshot_is_none() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").etcd(["main"]).single_master().create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 5).await;
    let snapshots = account.snapshots().await;
    account.fail_next("DeleteSnapshot").on_snapshot(&snapshots[0].id).with("InvalidSnapshot.InUse", 400).await;
    account.fail_next("DeleteSnapshot").on_snapshot(&snapshots[1].id).with("InvalidSnapshot.NotFound", 400).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=2").await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    assert!(warns(&result, &[&snapshots[0].id, "was not deleted: DeleteSnapshot: InvalidSnapshot.InUse"]), "{result}");
    assert_eq!((result["pruned"].as_array().unwrap().len(), &result["kept"]), (2, &json!(4)));
    assert_eq!(backup.metric("PruneBacklog", &[]), [1.0]);
}
