//! What stands in the way is said by the plan, refused by the apply, changes nothing, and, where it is a risk that one may
//! take, goes away with its `allow_…`.

use jiff::SignedDuration;
use scenarios::{Account, Kops, LocalAws, RawSnapshot, tags};
use serde_json::json;

use super::*;

/// The event is refused with that type, by plan and apply, and nothing changes; with these fields more it goes through.
pub(super) async fn refused_unless(account: &Account, event: Value, kind: &str, words: &[&str], unless: Option<Value>) {
    let restore = restore(account).await;
    let before = account.volumes().await;
    account.forget_calls().await;

    let plan = restore.invoke(event.clone()).await.unwrap();

    assert_eq!((&plan["outcome"], plan.get("apply")), (&json!("planned"), None), "{plan:#}");
    assert!(refusals(&plan).contains(&kind), "{event}: {kind} not in {:#}", plan["refusals"]);
    let messages: Vec<Value> = plan["refusals"].as_array().unwrap().iter().map(|one| one["message"].clone()).collect();
    assert!(says(&json!(messages), words), "{event}: {words:?} not in {messages:#?}");
    let error = restore.invoke(as_apply(&event)).await.unwrap_err();
    assert_eq!(error.error_type, refusals(&plan)[0], "{event}: {error}");
    assert!(error.error_message.contains(words[0]) && error.error_message.contains("Nothing was changed"), "{error}");
    assert!(account.writes().await.is_empty());
    assert_eq!(account.volumes().await, before);

    if let Some(unless) = unless {
        let mut event = event;
        event.as_object_mut().unwrap().extend(unless.as_object().unwrap().clone());
        applied(&restore, event).await;
    }
}

/// As if a plan had returned it.
fn as_apply(event: &Value) -> Value {
    let mut event = event.clone();
    event["mode"] = json!("apply");
    event["id"] = json!(fresh_id());
    let nothing_shown = json!({"snapshots": {}, "retire": [], "plan": "00000000000000000000000000000000"});
    event.as_object_mut().unwrap().extend(nothing_shown.as_object().unwrap().clone());
    if event.get("snapshot").is_none() {
        event["recovery_point"] = json!(POINT);
    }
    if event.get("members").is_some() {
        event["stages"] = json!([event["members"]]);
    }
    event
}

#[tokio::test]
async fn a_member_with_a_volume_is_claimed_unless_it_is_to_be_replaced() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let words = [cluster.volume("main", "a"), "plan again with `replace`"];
    refused_unless(&account, main(json!({})), "MemberClaimed", &words, Some(json!({"replace": true}))).await;
}

#[tokio::test]
async fn a_claim_of_either_generation_and_in_any_zone_counts() {
    for leave_away in [
        vec!["k8s.io/role/control-plane", "k8s.io/role/master", "KubernetesCluster"],
        vec!["k8s.io/role/control-plane", "kubernetes.io/cluster/k8s.example.com", "Name"],
        vec!["k8s.io/role/master", "KubernetesCluster"],
    ] {
        let account = LocalAws::account();
        let cluster = single(&account).await;
        let stray =
            scenarios::RawVolume::in_zone("eu-central-1c").tags(&cluster.get("main", "a").tags).create(&account).await;
        account.delete_volume(cluster.volume("main", "a")).await;
        account.untag(&stray, &leave_away).await;
        let claims = leave_away.len() != 3 || leave_away.contains(&"Name");
        let restore = restore(&account).await;

        let plan = restore.invoke(main(json!({}))).await.unwrap();

        assert_eq!(refusals(&plan).first(), claims.then_some(&"MemberClaimed"), "{leave_away:?}: {plan:#}");
        let lacks_cluster = leave_away.contains(&"KubernetesCluster");
        let replacing = restore.invoke(main(json!({"replace": true}))).await.unwrap();
        assert_eq!(
            replacing.get("refusals").is_some(),
            claims && lacks_cluster,
            "the role may not touch it: {replacing:#}"
        );
    }
}

#[tokio::test]
async fn an_attached_volume_is_not_retired_unless_told_so() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let instance = cluster.attach("main", "a").await;
    let words = [instance.as_str(), "`in-use`", "Auto Scaling group", "set `allow_attached`"];
    let event = main(json!({"replace": true}));
    refused_unless(&account, event, "VolumeAttached", &words, Some(json!({"allow_attached": true}))).await;
}

#[tokio::test]
async fn two_claimants_are_both_named_and_both_retired() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let twin = cluster.duplicate("main", "a").await;
    refused_unless(&account, main(json!({})), "MemberClaimed", &[&twin], None).await;
    let words = [cluster.volume("main", "a")];
    refused_unless(&account, main(json!({})), "MemberClaimed", &words, Some(json!({"replace": true}))).await;
}

#[tokio::test]
async fn some_members_of_several_are_not_rolled_back_unless_told_so() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    cluster.lose("main", "b").await;
    let words = ["a, b, c", "replace the lost member instead", "set `allow_rollback`"];
    let by_snapshot = json!({"snapshot": point["b"]});
    refused_unless(&account, by_snapshot, "MemberRollback", &words, None).await;
    let by_member = main(json!({"members": ["b"]}));
    refused_unless(&account, by_member, "MemberRollback", &words, Some(json!({"allow_rollback": true}))).await;
}

#[tokio::test]
async fn a_point_of_another_membership_is_not_restored_unless_told_so() {
    let account = LocalAws::account();
    let single = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(&account).await;
    single.verified_point("main", POINT).await;
    account.delete_volume(single.volume("main", "a")).await;
    let grown = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    account.delete_volume(grown.volume("main", "a")).await;
    let words = ["had the members a at this point", "a, b, c", "set `allow_rollback`"];
    refused_unless(&account, main(json!({})), "MemberRollback", &words, Some(json!({"allow_rollback": true}))).await;
}

#[tokio::test]
async fn a_partial_point_is_not_restored_unless_told_so() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).without("b").await;
    let words = ["member b's snapshot is not there", "set `allow_partial`"];
    let event = main(json!({"recovery_point": POINT, "replace": true}));
    let unless = json!({"allow_partial": true, "allow_rollback": true});
    refused_unless(&account, event, "IncompleteRecoveryPoint", &words, Some(unless)).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_make_a_volume_is_refused() {
    for (state, words) in [("pending", "is still pending"), ("error", "failed: no key")] {
        let account = LocalAws::account();
        let mut cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
        let point = cluster.verified_point("main", POINT).with_state("a", state).await;
        account.change_snapshots(&point["a"]).state_message("no key").await;
        cluster.lose("main", "a").await;
        refused_unless(&account, json!({"snapshot": point["a"]}), "SnapshotNotCompleted", &[words], None).await;
    }
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    account.change_snapshots(&point["a"]).storage_tier("archive").await;
    cluster.lose("main", "a").await;
    refused_unless(&account, main(json!({})), "SnapshotArchived", &["lies in the archive tier"], None).await;
}

#[tokio::test]
async fn a_pending_member_is_waited_for() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).with_state("c", "pending").await;
    let event = main(json!({"recovery_point": POINT, "replace": true}));
    refused_unless(&account, event, "SnapshotNotCompleted", &["member c's snapshot is still pending"], None).await;
}

#[tokio::test]
async fn a_corrupt_snapshot_is_not_restored_unless_told_so() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let verdict = "corrupt at=2026-11-23T02:10:00Z reason=both meta pages";
    cluster.verified_point("main", POINT).tagged("etcd-backup/verified", verdict).await;
    cluster.lose("main", "a").await;
    let words = [verdict, "set `allow_corrupt`"];
    let event = main(json!({"recovery_point": POINT}));
    refused_unless(&account, event, "CorruptSnapshot", &words, Some(json!({"allow_corrupt": true}))).await;
}

#[tokio::test]
async fn tags_that_would_not_fit_at_some_step_are_refused_with_how_many_must_go() {
    // kops' six, and so many labels. Parking takes four more: three of bookkeeping, and the originals in one.
    for (labels, over) in [(38, 0), (40, 0), (41, 1), (44, 4)] {
        let account = LocalAws::account();
        let names: Vec<String> = (0..labels).map(|n| format!("label-{n:02}")).collect();
        let labelled = names.iter().map(|name| (name.as_str(), "x"));
        let cluster =
            Kops::cluster(CLUSTER).single_master().etcd(["main"]).cloud_labels(labelled).create(&account).await;
        let old = cluster.volume("main", "a");
        // What a backup can put on a snapshot of such a volume.
        let mut on_snapshot = cluster.get("main", "a").tags.clone();
        on_snapshot.retain(|key, _| !key.starts_with("label-") || *key < format!("label-{:02}", labels.min(39)));
        let described = format!("id={old} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true");
        let snapshot = RawSnapshot::of(old, POINT).tags(&tags::snapshot(&on_snapshot, POINT, &described)).taken_by("x");
        account.plant_snapshots(&[snapshot]).await;
        let event = main(json!({"replace": true}));
        if over > 0 {
            let words = ["the old volume", &format!("{over} of its cost labels must go first")];
            refused_unless(&account, event.clone(), "TooManyTags", &words, None).await;
            let too_many: Vec<&str> = names[..over].iter().map(String::as_str).collect();
            account.untag(old, &too_many).await;
        }
        let before = account.volume(old).await.unwrap();
        let restore = restore(&account).await;
        let result = applied(&restore, event).await;
        assert!(is_accepted(&result), "{labels}: {result:#}");
        restore.invoke(result["undo"].clone()).await.unwrap();
        assert_eq!(account.volume(old).await.unwrap(), before, "{labels}");
    }
}

#[tokio::test]
async fn a_new_volume_that_could_not_bear_its_tags_is_refused() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(&account).await;
    let old = cluster.volume("main", "a");
    let mut many = cluster.get("main", "a").tags.clone();
    // One that kops' newer versions need, and that this old volume lacked.
    many.remove("k8s.io/role/control-plane").unwrap();
    many.extend((many.len()..48).map(|n| (format!("label-{n:02}"), "x".to_owned())));
    let described = format!("id={old} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true");
    let mut of_snapshot = tags::snapshot(&many, POINT, &described);
    // As a backup does where they do not all fit.
    of_snapshot.retain(|key, _| !key.starts_with("label-"));
    account.plant_snapshots(&[RawSnapshot::of(old, POINT).tags(&of_snapshot).taken_by("of-the-past")]).await;
    let words = ["the new volume of member a", "3 of its cost labels must go first"];
    refused_unless(&account, main(json!({"replace": true})), "TooManyTags", &words, None).await;
}

#[tokio::test]
async fn a_volume_of_another_restore_is_named_with_its_id_and_what_to_send() {
    let account = LocalAws::account();
    single(&account).await;
    account.fail_next("CreateTags").with("UnauthorizedOperation", 403).always().await;
    let first = restore(&account).await;
    let apply = planned(&first, main(json!({"replace": true}))).await;
    first.invoke(apply.clone()).await.unwrap_err();
    account.clear_faults().await;
    let made = account.calls("CreateVolume").await.pop().unwrap().made.unwrap();
    let words = [apply["id"].as_str().unwrap(), &made, "send its `apply` event again", "{\"mode\": \"undo\""];
    refused_unless(&account, main(json!({"replace": true})), "RestoreInProgress", &words, None).await;

    let undo = undo_of(&account, json!({"a": made})).await;
    assert_eq!(first.invoke(undo).await.unwrap()["outcome"], "undone");
    assert!(is_accepted(&applied(&first, main(json!({"replace": true}))).await));
}

#[tokio::test]
async fn all_that_stands_in_the_way_is_said_at_once() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).without("c").late("b", SignedDuration::from_secs(9)).await;
    cluster.attach("main", "a").await;
    let restore = restore(&account).await;

    let plan = restore.invoke(main(json!({"recovery_point": POINT}))).await.unwrap();

    let mut kinds = refusals(&plan);
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["IncompleteRecoveryPoint", "MemberClaimed", "MemberRollback", "VolumeAttached"]);
}

#[tokio::test]
async fn for_inspection_neither_claims_nor_a_rollback_stand_in_the_way() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).late("c", SignedDuration::from_secs(6)).await;
    cluster.attach("main", "a").await;
    let restore = restore(&account).await;

    let result = applied(&restore, main(json!({"recovery_point": POINT, "cut_over": false}))).await;

    assert_eq!(result["skew_ms"], 6000);
    assert_eq!(each(&result, "new_volume").len(), 3);
}
