//! Whoever else is at the same members: another restore, kops, a person. In the end, and at every moment, one volume is a
//! member's.

use std::time::Duration;

use scenarios::ledger::{Ledger, claims};
use scenarios::observed::Volume;
use scenarios::{Account, FunctionError, Kops, LocalAws};
use serde_json::json;

use super::*;

/// The volumes that claim member a of `main`.
async fn claimants(account: &Account) -> Vec<String> {
    let volumes = account.volumes().await;
    volumes.into_iter().filter(|one| claims(&one.tags, CLUSTER, "main", "a")).map(|one| one.id).collect()
}

async fn check_every_moment(account: &Account, before: &[Volume]) {
    for (moment, ledger) in Ledger::from(before).moments(&account.all_calls().await) {
        let claimants = ledger.claimants(CLUSTER, "main", "a");
        assert!(claimants.len() <= 1, "{moment}: {claimants:?}");
    }
}

/// Two restores, planned one after the other, applied at once.
async fn both(account: &Account, event: &Value) -> [Result<Value, FunctionError>; 2] {
    let (first, second) = (restore(account).await, restore(account).await);
    let older = planned(&first, event.clone()).await;
    let younger = planned(&second, event.clone()).await;
    assert!(older["id"].as_str() < younger["id"].as_str());
    account.forget_calls().await;
    let (older, younger) = tokio::join!(first.invoke(older), second.invoke(younger));
    [older, younger]
}

/// Exactly one went through, and its volume is the member's. Gives the error of the other.
async fn check_one_won(
    account: &Account,
    before: &[Volume],
    answers: &[Result<Value, FunctionError>; 2],
) -> FunctionError {
    let won: Vec<&Value> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let lost: Vec<&FunctionError> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!((won.len(), lost.len()), (1, 1), "{answers:#?}");
    assert!(is_accepted(won[0]), "{:#}", won[0]);
    assert_eq!(claimants(account).await, each(won[0], "new_volume"));
    check_every_moment(account, before).await;
    lost[0].clone()
}

#[tokio::test]
async fn of_two_applies_at_once_one_gives_way() {
    for (replace, delay) in [(false, 0), (true, 0), (false, 50), (true, 50), (true, 150)] {
        let account = LocalAws::account();
        let mut cluster = single(&account).await;
        if !replace {
            cluster.lose("main", "a").await;
        }
        let before = account.volumes().await;
        account.on_next("CreateVolume").answered_after(Duration::from_millis(delay)).times(2).await;

        let answers = both(&account, &main(json!({"replace": replace}))).await;

        let lost = check_one_won(&account, &before, &answers).await;
        let expected = ["RestoreInterrupted", "RestoreInProgress", "MemberClaimed", "InvalidRequest"];
        assert!(expected.contains(&lost.error_type.as_str()), "{replace} {delay}: {lost}");
    }
}

#[tokio::test]
async fn of_two_applies_that_see_each_other_the_one_planned_first_goes_on() {
    for replace in [false, true] {
        let account = LocalAws::account();
        let mut cluster = single(&account).await;
        if !replace {
            cluster.lose("main", "a").await;
        }
        let before = account.volumes().await;
        // Neither volume is there when the other restore begins, and both are when it looks again.
        account.volumes_stay_creating().await;
        account.on_next("CreateVolume").done_after(Duration::from_millis(700)).times(2).await;

        let event = main(json!({"replace": replace}));
        account.forget_calls().await;
        let (answers, ()) = tokio::join!(both(&account, &event), async {
            account.until_made(2).await;
            account.settle_volumes().await;
        });

        let lost = check_one_won(&account, &before, &answers).await;
        assert!(answers[0].is_ok(), "{answers:#?}");
        assert_eq!(lost.error_type, "RestoreInterrupted");
        assert!(lost.sentence().contains("has withdrawn"), "{lost}");
    }
}

#[tokio::test]
async fn a_restore_whose_volume_was_not_seen_finds_the_other_one_live_and_withdraws() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(&account).await;
    cluster.verified_point("main", POINT).await;
    cluster.lose("main", "a").await;
    let (first, second) = (restore(&account).await, restore(&account).await);
    let older = planned(&first, main(json!({}))).await;
    let younger = planned(&second, main(json!({}))).await;
    let before = account.volumes().await;
    account.on_next("CreateVolume").seen_only_after(Duration::from_secs(6)).await;
    account.forget_calls().await;

    let (lost, won) = tokio::join!(first.invoke(older), async {
        account.until_made(1).await;
        second.invoke(younger).await.unwrap()
    });

    let lost = lost.unwrap_err();
    assert_eq!(lost.error_type, "RestoreInterrupted");
    assert!(lost.sentence().contains("claims member a") && lost.sentence().contains("has withdrawn"), "{lost}");
    assert_eq!(claimants(&account).await, each(&won, "new_volume"));
    check_every_moment(&account, &before).await;
}

#[tokio::test]
async fn the_same_apply_twice_at_once_makes_one_volume() {
    let account = LocalAws::account();
    three(&account).await;
    let before = account.volumes().await;
    let (first, second) = (restore(&account).await, restore(&account).await);
    let apply = planned(&first, main(json!({"replace": true}))).await;
    account.forget_calls().await;

    let (one, other) = tokio::join!(first.invoke(apply.clone()), second.invoke(apply.clone()));

    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    let result = restore(&account).await.invoke(apply).await.unwrap();
    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(account.volumes().await.len(), 6);
    check_every_moment(&account, &before).await;
    first.invoke(result["undo"].clone()).await.unwrap();
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)));
}

#[tokio::test]
async fn a_claimant_that_appears_between_plan_and_apply_is_refused_and_may_be_replaced_by_another_plan() {
    let account = LocalAws::account();
    let mut cluster = single(&account).await;
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;
    let strict = planned(&restore, main(json!({}))).await;
    let replacing = planned(&restore, main(json!({"replace": true}))).await;
    // kops found no volume, and made a blank one.
    let blank = scenarios::RawVolume::in_zone("eu-central-1a")
        .tags(&tags::kops(CLUSTER, "main", "a", &["a".to_owned()]))
        .create(&account)
        .await;
    account.forget_calls().await;

    let error = restore.invoke(strict).await.unwrap_err();
    assert_eq!(error.error_type, "MemberClaimed");
    assert!(error.error_message.contains(&blank), "{error}");
    assert!(account.writes().await.is_empty());

    let error = restore.invoke(replacing).await.unwrap_err();
    assert_eq!(error.error_type, "PlanChanged");
    assert!(error.error_message.contains(&blank), "{error}");
    assert!(account.writes().await.is_empty());

    let result = applied(&restore, main(json!({"replace": true}))).await;
    assert_eq!(each(&result, "old_volume"), [blank.as_str()]);
    assert!(is_accepted(&result));
    assert!(says(&result["warnings"], &[&blank, "was made blank after this snapshot"]), "{result:#}");
}

#[tokio::test]
async fn a_claimant_that_appears_while_volumes_are_made_makes_the_restore_withdraw() {
    let account = LocalAws::account();
    let cluster = three(&account).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.volumes_stay_creating().await;
    let created = account.calls("CreateVolume").await.len();

    let (answer, twin) = tokio::join!(restore.invoke(apply.clone()), async {
        account.until_made(created + 3).await;
        let twin = cluster.duplicate("main", "b").await;
        account.settle_volumes().await;
        twin
    });

    let error = answer.unwrap_err();
    assert_eq!(error.error_type, "RestoreInterrupted");
    assert!(error.sentence().contains(&format!("{twin} claims member b")), "{error}");
    assert!(error.sentence().contains("has withdrawn, its volumes are retired: plan again"), "{error}");
    let volumes = account.volumes().await;
    assert!(before.iter().all(|volume| volumes.contains(volume)), "nothing was retired");
    let result = error.result();
    for volume in each(&result, "new_volume") {
        let tags = &volumes.iter().find(|one| one.id == volume).unwrap().tags;
        assert!(tags.contains_key("etcd-backup/retired-at") && !tags.contains_key("Name"), "{tags:?}");
    }
    let over = restore.invoke(apply).await.unwrap_err();
    assert!(
        over.error_message.contains("was undone or withdrawn") && over.error_message.contains("plan again"),
        "{over}"
    );
    planned(&restore, main(json!({"replace": true}))).await;
}

#[tokio::test]
async fn a_claimant_that_appears_while_tags_are_written_makes_the_restore_withdraw() {
    let account = LocalAws::account();
    let mut cluster = single(&account).await;
    let blank_tags = cluster.get("main", "a").tags.clone();
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({}))).await;
    account.on_next("CreateTags").answered_after(Duration::from_secs(2)).await;
    account.forget_calls().await;

    let (answer, blank) = tokio::join!(restore.invoke(apply), async {
        account.until_called("CreateTags", 1).await;
        scenarios::RawVolume::in_zone("eu-central-1a").tags(&blank_tags).create(&account).await
    });

    let error = answer.unwrap_err();
    assert!(error.sentence().contains(&format!("{blank} claims member a")), "{error}");
    assert_eq!(claimants(&account).await, [blank]);
}

#[tokio::test]
async fn a_volume_that_is_attached_meanwhile_is_not_made_anyones() {
    let account = LocalAws::account();
    let mut cluster = single(&account).await;
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({}))).await;
    account.forget_calls().await;
    account.on_next("CreateVolume").answered_after(Duration::from_secs(2)).await;
    let instance = account.run_instance("eu-central-1a").await;

    let (answer, ()) = tokio::join!(restore.invoke(apply.clone()), async {
        let made = account.until_made(1).await.remove(0);
        account.attach(&made, &instance, "/dev/xvdu").await;
    });

    let error = answer.unwrap_err();
    assert!(error.sentence().contains("not `available`: detach it"), "{error}");
    assert!(claimants(&account).await.is_empty());
    account.detach(error.result()["members"][0]["new_volume"].as_str().unwrap()).await;
    assert!(is_accepted(&restore.invoke(apply).await.unwrap()), "the same event goes on");
}

/// An apply whose call of that number hangs, and an undo of it meanwhile, by somebody who thinks that it is lost.
async fn undone_while_it_hangs(call: u32) -> (Account, Vec<Volume>, Result<Value, FunctionError>) {
    let account = LocalAws::account();
    single(&account).await;
    let before = account.volumes().await;
    let (first, second) = (restore(&account).await, restore(&account).await);
    let apply = planned(&first, main(json!({"replace": true}))).await;
    account.forget_calls().await;
    account.on_next("CreateTags").after(call).done_after(Duration::from_secs(4)).await;

    let (applied, ()) = tokio::join!(first.invoke(apply), async {
        account.until_called("CreateTags", 1 + call as usize).await;
        let made = account.until_made(1).await.remove(0);
        second.invoke(undo_of(&account, json!({"a": made})).await).await.unwrap();
    });
    (account, before, applied)
}

#[tokio::test]
async fn an_apply_that_is_undone_before_it_parks_takes_nothing() {
    let (account, before, applied) = undone_while_it_hangs(0).await;
    let error = applied.unwrap_err();
    assert!(error.sentence().contains("was undone meanwhile"), "{error}");
    assert_eq!(claimants(&account).await.len(), 1, "{error}");
    // What was parked too late goes with the same undo, sent again as the error says.
    let undo = error.result()["undo"].clone();
    restore(&account).await.invoke(undo).await.unwrap();
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)), "{after:#?}");
}

#[tokio::test]
async fn an_apply_that_is_undone_before_it_tags_takes_its_tags_back() {
    let (account, before, applied) = undone_while_it_hangs(1).await;
    let error = applied.unwrap_err();
    assert!(error.sentence().contains("was undone meanwhile"), "{error}");
    let old = before.iter().find(|volume| claims(&volume.tags, CLUSTER, "main", "a")).unwrap();
    assert_eq!(claimants(&account).await, [old.id.as_str()], "{error}");
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)));
}
