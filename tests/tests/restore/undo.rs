//! The way back.

use scenarios::ledger::Ledger;
use scenarios::observed::Volume;
use scenarios::{Kops, LocalAws, RawVolume, tags};
use serde_json::json;

use super::*;

#[tokio::test]
async fn every_tag_of_the_old_volumes_is_as_before_and_old_and_new_never_meet() {
    let account = LocalAws::account();
    let cluster =
        Kops::cluster(CLUSTER).cloud_labels([("team", "a"), ("Ünusual +-=._:/@", "ä 1:2;3 ")]).create(&account).await;
    cluster.verified_point("main", POINT).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    let between = account.volumes().await;
    account.forget_calls().await;

    let undone = restore.invoke(result["undo"].clone()).await.unwrap();

    assert_eq!((&undone["outcome"], is_accepted(&undone)), (&json!("undone"), true), "{undone:#}");
    assert_eq!(
        steps(&undone),
        ["retire a done", "retire b done", "retire c done", "tag a done", "tag b done", "tag c done", "accept - done"]
    );
    assert_eq!(
        (each(&undone, "old_volume"), each(&undone, "new_volume")),
        (each(&result, "old_volume"), each(&result, "new_volume"))
    );
    assert!(says(&undone["warnings"], &["written to the restored volumes since the apply"]));
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)), "the old ones are exactly as before");
    for new in each(&result, "new_volume") {
        let keys = keys(&after, new);
        assert_eq!(
            keys,
            ["etcd-backup/retired-at", "etcd-backup/was/1", "team", "Ünusual +-=._:/@"],
            "retired, not deleted"
        );
    }
    for (moment, ledger) in Ledger::from(&between).moments(&account.all_calls().await) {
        for member in MEMBERS {
            assert!(ledger.claimants(CLUSTER, "main", member).len() <= 1, "{moment}");
        }
        let new = each(&result, "new_volume");
        let claimed: Vec<bool> = MEMBERS
            .iter()
            .flat_map(|member| ledger.claimants(CLUSTER, "main", member))
            .map(|id| new.contains(&id))
            .collect();
        assert!(claimed.iter().all(|is_new| *is_new == claimed[0]), "{moment}: old and new side by side");
    }
}

#[tokio::test]
async fn repeated_it_says_that_there_is_nothing_to_undo_and_the_apply_is_over() {
    let account = LocalAws::account();
    single(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    let result = restore.invoke(apply.clone()).await.unwrap();
    restore.invoke(result["undo"].clone()).await.unwrap();
    account.forget_calls().await;

    let again = restore.invoke(result["undo"].clone()).await.unwrap_err();
    assert_eq!(again.error_type, "NothingToUndo", "{again}");
    let applied_again = restore.invoke(apply).await.unwrap_err();
    assert_eq!(applied_again.error_type, "InvalidRequest");
    assert!(applied_again.error_message.contains("plan again"), "{applied_again}");
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn where_there_was_no_old_volume_the_new_one_is_retired() {
    let account = LocalAws::account();
    let mut cluster = single(&account).await;
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({}))).await;
    let result = restore.invoke(apply.clone()).await.unwrap();

    let undone = restore.invoke(result["undo"].clone()).await.unwrap();

    assert_eq!(
        (steps(&undone), each(&undone, "old_volume")),
        (vec!["retire a done".into(), "accept - done".into()], vec!["-"])
    );
    let new = each(&result, "new_volume")[0];
    assert_eq!(keys(&account.volumes().await, new), ["etcd-backup/retired-at", "etcd-backup/was/1"]);
    let again = restore.invoke(apply).await.unwrap_err();
    assert!(again.error_message.contains("plan again"), "a retired volume is not brought back by a token: {again}");
}

#[tokio::test]
async fn what_is_attached_is_not_taken_away() {
    let account = LocalAws::account();
    single(&account).await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    let new = each(&result, "new_volume")[0];
    let instance = account.run_instance("eu-central-1a").await;
    account.attach(new, &instance, "/dev/xvdu").await;
    account.forget_calls().await;

    let error = restore.invoke(result["undo"].clone()).await.unwrap_err();

    assert_eq!(error.error_type, "VolumeAttached", "{error}");
    assert!(error.error_message.contains(&instance) && error.error_message.contains("send the undo again"), "{error}");
    assert!(account.writes().await.is_empty());
    account.detach(new).await;
    assert_eq!(restore.invoke(result["undo"].clone()).await.unwrap()["outcome"], "undone");
}

#[tokio::test]
async fn what_no_restore_made_is_not_taken_away() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).await;
    let stray = RawVolume::in_zone("eu-central-1a").tagged([("Name", "data")]).create(&account).await;
    let restore = restore(&account).await;
    let inspection = applied(&restore, main(json!({"members": ["a"], "cut_over": false}))).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    let of_a = each(&result, "new_volume")[0];
    account.forget_calls().await;

    for (volumes, error_type, says) in [
        (json!({"a": cluster.volume("events", "a")}), "NotOurs", "is not of member a of main"),
        (json!({"b": of_a}), "NotOurs", "is not of member b of main"),
        (json!({"a": stray}), "NotOurs", "is not of member a of main"),
        (json!({"a": "vol-0123456789abcdef0"}), "NotOurs", "is not of member a of main"),
        (json!({"a": each(&inspection, "new_volume")[0]}), "NothingToUndo", "was made for inspection"),
        (json!({"a": cluster.volume("main", "a")}), "NotOurs", "was not made from a snapshot"),
    ] {
        let error = restore.invoke(undo_of(&account, volumes.clone()).await).await.unwrap_err();
        assert_eq!(error.error_type, error_type, "{volumes}: {error}");
        assert!(error.error_message.contains(says), "{volumes}: {error}");
    }
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn two_volumes_that_claimed_a_member_do_so_again_with_a_warning() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let twin = cluster.duplicate("main", "a").await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    assert!(is_accepted(&result));
    assert_eq!(steps(&result).iter().filter(|step| step.starts_with("retire")).count(), 2);

    let undone = restore.invoke(result["undo"].clone()).await.unwrap();

    assert!(says(&undone["warnings"], &["all claimed member a", &twin, cluster.volume("main", "a")]), "{undone:#}");
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)));
}

#[tokio::test]
async fn nothing_is_given_back_while_another_volume_is_the_members() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    let blank = cluster.duplicate("main", "a").await;
    account.forget_calls().await;

    let error = restore.invoke(result["undo"].clone()).await.unwrap_err();

    assert_eq!(error.error_type, "MemberClaimed");
    assert!(error.error_message.contains(&blank), "{error}");
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn an_old_volume_that_is_still_attached_gets_its_tags_back() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    cluster.attach("main", "a").await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true, "allow_attached": true}))).await;

    restore.invoke(result["undo"].clone()).await.unwrap();

    let old = account.volume(cluster.volume("main", "a")).await.unwrap();
    assert_eq!((&old.tags, old.state.as_str()), (&cluster.get("main", "a").tags, "in-use"));
}

#[tokio::test]
async fn parked_tags_that_were_changed_are_noticed_before_anything_is_done() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    account.tag(cluster.volume("main", "a"), &tags::of([("etcd-backup/was/1", "6;4:5:Name")])).await;
    account.forget_calls().await;

    let error = restore.invoke(result["undo"].clone()).await.unwrap_err();

    assert_eq!(error.error_type, "NotOurs");
    assert!(error.error_message.contains("cannot be read: were they changed?"), "{error}");
    assert!(account.writes().await.is_empty());
}

fn keys<'a>(volumes: &'a [Volume], id: &str) -> Vec<&'a str> {
    let volume = volumes.iter().find(|volume| volume.id == id).unwrap();
    volume.tags.keys().map(String::as_str).collect()
}
