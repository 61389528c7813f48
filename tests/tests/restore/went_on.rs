//! Members that went on after the point, while others go back to it: what is said of them, and that they never meet.

use scenarios::ledger::Ledger;
use scenarios::observed::Volume;
use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::stages::of_stage;
use super::*;

/// At no moment could a member of before and one of the restore be found side by side.
async fn check_they_never_meet(account: &Account, before: &[Volume]) {
    for (moment, now) in Ledger::from(before).moments(&account.all_calls().await) {
        assert!(!now.is_mixed(CLUSTER, "main", &MEMBERS), "{moment}");
    }
}

/// The masters have held the volumes of the first stage for a minute and a half.
async fn first_stage_runs(account: &Account, first: &Value) {
    account.attached_for(&of_stage(first, 1), 90).await;
}

/// Refused with that type and these words, and nothing changed.
async fn refused(restore: &RunningFunction, account: &Account, event: &Value, kind: &str, words: &[&str]) {
    account.forget_calls().await;
    let error = restore.invoke(event.clone()).await.unwrap_err();
    assert_eq!(error.error_type, kind, "{error}");
    assert!(words.iter().all(|word| error.error_message.contains(word)), "{words:?}: {error}");
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn a_master_that_runs_on_is_in_the_way_of_either_stage() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let master = cluster.attach("main", "b").await;
    let old = cluster.volume("main", "b");
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let event = main(json!({"recovery_point": POINT, "replace": true}));
    let plan = restore.invoke(event.clone()).await.unwrap();
    assert_eq!(refusals(&plan), ["VolumeAttached"]);
    assert!(text(&plan["refusals"][0]["message"]).contains(&format!("{old}, which claims")), "{plan:#}");
    assert!(says(&plan["next_steps"], &[&master]) && says(&plan["next_steps"], &["are `available`", old]), "{plan:#}");

    let mut allowed = event;
    allowed["allow_attached"] = json!(true);
    account.forget_calls().await;
    let first = applied(&restore, allowed).await;
    assert!(says(&first["warnings"], &["allowed all the same", old, &master, "it must have ended"]), "{first:#}");
    check_they_never_meet(&account, &before).await;

    first_stage_runs(&account, &first).await;
    let words = [old, &master, "has gone on after the point"];
    refused(&restore, &account, &first["then"], "VolumeAttached", &words).await;
    account.detach(old).await;
    assert!(is_accepted(&restore.invoke(first["then"].clone()).await.unwrap()));
}

#[tokio::test]
async fn an_old_volume_that_has_its_tags_back_between_the_stages_is_in_the_way_of_the_second() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let restore = restore(&account).await;
    let first = applied(&restore, main(json!({"recovery_point": POINT, "replace": true}))).await;
    first_stage_runs(&account, &first).await;

    // Somebody means well: b's master found no volume.
    let old = cluster.volume("main", "b");
    let marks = account.volume(old).await.unwrap().tags;
    let marks: Vec<&str> = marks.keys().map(String::as_str).filter(|key| key.starts_with("etcd-backup/")).collect();
    account.untag(old, &marks).await;
    account.tag(old, &cluster.get("main", "b").tags).await;

    let words = [old, "This stage retires none: take its etcd tag and `Name` away, and send this event again"];
    refused(&restore, &account, &first["then"], "MemberClaimed", &words).await;
    account.untag(old, &["k8s.io/etcd/main", "Name"]).await;
    assert!(is_accepted(&restore.invoke(first["then"].clone()).await.unwrap()));
}

#[tokio::test]
async fn what_claims_a_member_while_the_second_stage_runs_ends_that_stage_alone() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let restore = restore(&account).await;
    let first = applied(&restore, main(json!({"recovery_point": POINT, "replace": true}))).await;
    first_stage_runs(&account, &first).await;
    account.on_next("CreateTags").answered_after(std::time::Duration::from_secs(2)).await;
    account.forget_calls().await;

    let (answer, twin) = tokio::join!(restore.invoke(first["then"].clone()), async {
        account.until_called("CreateTags", 1).await;
        cluster.duplicate("main", "b").await
    });

    let error = answer.unwrap_err();
    assert!(error.sentence().contains(&format!("{twin} claims member b")), "{error}");
    assert!(error.sentence().contains("the members of the first stage run on: let the others join empty"), "{error}");
    let after = account.volumes().await;
    for (member, volume) in MEMBERS.iter().zip(each(&first, "new_volume")) {
        let tags = &after.iter().find(|one| one.id == volume).unwrap().tags;
        assert_eq!(tags.contains_key("k8s.io/etcd/main"), *member != "b", "{member}: {tags:?}");
    }
}

#[tokio::test]
async fn over_a_member_that_went_back_alone_the_whole_set_goes_back_and_forth_again() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let restore = restore(&account).await;
    let alone = main(json!({"recovery_point": POINT, "members": ["b"], "replace": true}));
    let plan = restore.invoke(alone.clone()).await.unwrap();
    assert_eq!(refusals(&plan), ["MemberRollback"]);
    assert!(text(&plan["refusals"][0]["message"]).contains("only b would go back in time"), "{plan:#}");
    let mut allowed = alone;
    allowed["allow_rollback"] = json!(true);
    let alone = applied(&restore, allowed).await;
    assert!(says(&alone["warnings"], &["allowed all the same", "only b would go back in time"]), "{alone:#}");

    // Now a and c have gone on without it. The whole set goes back: all three are retired first.
    let before = account.volumes().await;
    account.forget_calls().await;
    let first = applied(&restore, main(json!({"recovery_point": POINT, "replace": true}))).await;
    let old = [cluster.volume("main", "a"), each(&alone, "new_volume")[0], cluster.volume("main", "c")];
    assert_eq!(each(&first, "old_volume"), old);
    first_stage_runs(&account, &first).await;
    let second = restore.invoke(first["then"].clone()).await.unwrap();
    assert!(is_accepted(&second), "{second:#}");
    check_they_never_meet(&account, &before).await;

    for volume in &each(&second, "new_volume")[..] {
        if account.volume(volume).await.unwrap().instance.is_some() {
            account.detach(volume).await;
        }
    }
    let undone = restore.invoke(second["undo"].clone()).await.unwrap();
    assert_eq!(undone["outcome"], "undone");
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)), "the one that went back alone, too");
}
