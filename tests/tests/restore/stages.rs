//! Members tagged in stages, and members that join empty: on EC2, with what comes between.

use jiff::Timestamp;
use scenarios::ledger::Ledger;
use scenarios::{Account, Kops, LocalAws, events};
use serde_json::json;

use super::*;

/// Etcd `main` with a point whose members must start in stages: c and a, then b.
async fn that_needs_stages(account: &Account) -> Kops<'_> {
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    cluster
}

pub(super) fn of_stage(result: &Value, stage: u64) -> Vec<&str> {
    let members = result["members"].as_array().unwrap().iter();
    members.filter(|member| member["stage"] == stage).map(|member| text(&member["new_volume"])).collect()
}

fn claimed(ledger: &Ledger, member: &str) -> usize {
    ledger.claimants(CLUSTER, "main", member).len()
}

#[tokio::test]
async fn a_set_is_restored_in_two_stages_and_no_member_is_found_before_its_own() {
    let account = LocalAws::account();
    let cluster = that_needs_stages(&account).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_eq!((&plan["stages"], &plan["set"]["any_order"]), (&json!([["c", "a"], ["b"]]), &json!(false)));
    account.forget_calls().await;

    let first = restore.invoke(plan["apply"].clone()).await.unwrap();

    assert_eq!((&first["stage"], &first["of_stages"]), (&json!(1), &json!(2)));
    assert!(is_accepted(&first), "of the first stage's members: {first:#}");
    let moments = Ledger::from(&before).moments(&account.all_calls().await);
    let (_, now) = moments.last().unwrap();
    assert_eq!([claimed(now, "a"), claimed(now, "b"), claimed(now, "c")], [1, 0, 1]);
    let waiting = account.volume(of_stage(&first, 2)[0]).await.unwrap();
    assert_eq!(waiting.tags["etcd-backup/stage"], "2/2");
    account.attached_for(&of_stage(&first, 1), 90).await;

    let second = restore.invoke(first["then"].clone()).await.unwrap();

    assert_eq!((&second["stage"], second.get("then"), is_accepted(&second)), (&json!(2), None, true), "{second:#}");
    let moments = Ledger::from(&before).moments(&account.all_calls().await);
    assert!(moments.iter().all(|(_, now)| !now.is_mixed(CLUSTER, "main", &MEMBERS)));
    for member in MEMBERS {
        assert!(moments.iter().all(|(_, now)| claimed(now, member) <= 1), "{member}");
        let new = each(&second, "new_volume")[MEMBERS.iter().position(|one| *one == member).unwrap()];
        assert_eq!(account.volume(new).await.unwrap().tags, cluster.get("main", member).tags);
    }
    account.forget_calls().await;
    for event in [plan["apply"].clone(), first["then"].clone()] {
        let again = restore.invoke(event).await.unwrap();
        assert!(steps(&again).iter().all(|step| step.ends_with("already")), "{again:#}");
        assert_eq!((&again["undo"], again.get("then")), (&first["undo"], None));
    }
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn the_second_stage_sent_too_early_is_refused_and_changes_nothing() {
    let account = LocalAws::account();
    that_needs_stages(&account).await;
    let restore = restore(&account).await;
    let first = applied(&restore, main(json!({"replace": true}))).await;
    let refused = async || {
        account.forget_calls().await;
        let error = restore.invoke(first["then"].clone()).await.unwrap_err();
        assert_eq!(error.error_type, "QuorumNotUp", "{error}");
        assert!(account.writes().await.is_empty());
        error
    };
    let error = refused().await;
    assert!(of_stage(&first, 1).iter().all(|volume| error.error_message.contains(volume)), "{error}");
    account.attached_for(&of_stage(&first, 1)[..1], 90).await;
    refused().await;
    account.attached_for(&of_stage(&first, 1)[1..], 20).await;
    refused().await;

    let mut then = first["then"].clone();
    then["allow_unattached"] = json!(true);
    assert!(is_accepted(&restore.invoke(then).await.unwrap()), "the operator knows better");
}

#[tokio::test]
async fn from_the_first_stage_all_is_taken_back_and_the_second_is_over() {
    let account = LocalAws::account();
    that_needs_stages(&account).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let first = applied(&restore, main(json!({"replace": true}))).await;

    let undone = restore.invoke(first["undo"].clone()).await.unwrap();

    assert_eq!(undone["outcome"], "undone");
    let after = account.volumes().await;
    assert!(before.iter().all(|old| after.contains(old)), "every tag is as it was");
    account.forget_calls().await;
    let mut then = first["then"].clone();
    then["allow_unattached"] = json!(true);
    let error = restore.invoke(then).await.unwrap_err();
    assert!(error.error_message.contains("is over for") && error.error_type == "InvalidRequest", "{error}");
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn between_the_stages_list_plan_and_backup_tell_how_to_go_on() {
    let account = LocalAws::account();
    that_needs_stages(&account).await;
    let restore = restore(&account).await;
    let first = applied(&restore, main(json!({"replace": true}))).await;
    account.attached_for(&of_stage(&first, 1), 90).await;
    let id = text(&first["then"]["id"]);
    let words = [id, "waits for the second", "\"stage\": 2"];

    assert!(says(&restore.invoke(json!({})).await.unwrap()["warnings"], &words));
    let plan = restore.invoke(main(json!({"recovery_point": POINT, "replace": true}))).await.unwrap();
    assert!(refusals(&plan).contains(&"RestoreInProgress"), "{plan:#}");
    let backup = scenarios::Function::named("backup").account(&account).env("RETENTION", "keep-last=1").start().await;
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:00:00Z").to_string();
    let error = backup.invoke(events::scheduled(&now)).await.unwrap_err();
    assert_eq!(error.error_type, "BackupIncomplete");
    assert!(error.sentence().contains(&format!("is being made by restore {id}")), "{error}");
    let result = error.result();
    assert!(says(&result["warnings"], &words), "{result:#}");
    assert_eq!(result["recovery_points"][0]["state"], "partial");

    // What is told are the events that the answer had: sent as they are, they go on, and back.
    for warnings in [&result["warnings"], &restore.invoke(json!({})).await.unwrap()["warnings"]] {
        let mut told = warnings.as_array().unwrap().iter().map(|one| one.as_str().unwrap());
        let told = told.find_map(|one| one.split_once("send: ")?.1.split_once(". Or take it back: ")).unwrap();
        let [then, undo] = [told.0, told.1].map(|event| serde_json::from_str::<Value>(event).unwrap());
        assert_eq!((&then, &undo), (&first["then"], &first["undo"]));
    }
    let second = restore.invoke(first["then"].clone()).await.unwrap();
    assert!(is_accepted(&second), "{second:#}");
    let quiet = restore.invoke(json!({})).await.unwrap();
    assert_eq!(quiet["warnings"], json!([]));
}

#[tokio::test]
async fn what_was_not_read_is_refused_with_the_event_that_has_it_read() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).await;
    let event = main(json!({"recovery_point": POINT, "replace": true}));
    let words = ["a has not been read by `verify`", "\"recovery_point\": \"2026-11-23T02:00:00Z\"}"];
    let unless = json!({"allow_unordered": true});
    super::refusals::refused_unless(&account, event, "PositionUnknown", &words, Some(unless)).await;
}

#[tokio::test]
async fn a_set_that_contradicts_itself_is_refused() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    let of_another = "ok at=2026-11-23T02:10:00Z term=2 last=2.9 commit=9 cluster=c2";
    account.change_snapshots(&point["c"]).tags(&tags::of([("etcd-backup/verified", of_another)])).await;
    let event = main(json!({"recovery_point": POINT, "replace": true, "allow_unordered": true}));
    super::refusals::refused_unless(&account, event, "SetContradicts", &["are not of one etcd cluster"], None).await;
}

#[tokio::test]
async fn of_a_point_with_a_corrupt_snapshot_the_others_are_restored_and_that_one_joins_empty() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    account.change_snapshots(&point["a"]).tags(&tags::of([("etcd-backup/verified", "corrupt reason=crc")])).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let fields = json!({"recovery_point": POINT, "replace": true, "members": ["b", "c"], "others": "empty"});
    let apply = planned(&restore, main(fields)).await;

    let result = restore.invoke(apply.clone()).await.unwrap();

    assert!(is_accepted(&result) && result.get("then").is_none(), "{result:#}");
    let old = account.volume(cluster.volume("main", "a")).await.unwrap();
    assert_eq!((old.tags.get("k8s.io/etcd/main"), old.tags["etcd-backup/joins-empty"].as_str()), (None, "true"));
    assert!(says(&result["next_steps"], &["Let a join empty", "v3.0.20260531"]), "{result:#}");

    // kops has made a blank one since, and etcd runs on it: that is left alone.
    let blank = {
        let tags = cluster.get("main", "a").tags.clone();
        scenarios::RawVolume::in_zone("eu-central-1a").tags(&tags).create(&account).await
    };
    account.attached_for(&[&blank], 0).await;
    account.forget_calls().await;
    let again = restore.invoke(apply).await.unwrap();
    assert!(steps(&again).iter().all(|step| step.ends_with("already")), "{again:#}");
    assert!(account.writes().await.is_empty());

    let error = restore.invoke(result["undo"].clone()).await.unwrap_err();
    assert!(error.error_type == "MemberClaimed" && error.error_message.contains(&blank), "{error}");
    account.change_volumes(&blank).state("deleting").await;
    assert_eq!(restore.invoke(result["undo"].clone()).await.unwrap()["outcome"], "undone");
    let after = account.volumes().await;
    assert!(before.iter().all(|old| after.contains(old)), "every tag is as it was, a's too");
}

#[tokio::test]
async fn of_five_members_three_start_first() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).members(["a", "b", "c", "d", "e"]).etcd(["main"]).create(&account).await;
    let point = cluster.past_point("main", POINT).stood("a", 10, 10).stood("b", 20, 20).stood("c", 30, 30);
    point.stood("d", 40, 40).stood("e", 50, 50).await;
    let restore = restore(&account).await;

    let first = applied(&restore, main(json!({"replace": true}))).await;

    assert_eq!((of_stage(&first, 1).len(), of_stage(&first, 2).len()), (3, 2));
    account.attached_for(&of_stage(&first, 1), 60).await;
    assert!(is_accepted(&restore.invoke(first["then"].clone()).await.unwrap()));
}

#[tokio::test]
async fn two_etcd_clusters_on_the_same_masters_each_have_their_own_order() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let events = cluster.past_point("events", POINT).stood("a", 500, 500).stood("b", 400, 400);
    events.stood("c", 100, 100).await;
    let restore = restore(&account).await;
    let mut firsts = Vec::new();
    for etcd in ["main", "events"] {
        let event = json!({"cluster": CLUSTER, "etcd_cluster": etcd, "replace": true});
        firsts.push(applied(&restore, event).await);
    }
    assert_eq!(firsts[0]["then"]["stages"], json!([["a", "c"], ["b"]]));
    assert_eq!(firsts[1]["then"]["stages"], json!([["a", "b"], ["c"]]));
    for first in &firsts {
        account.attached_for(&of_stage(first, 1), 90).await;
    }
    for first in &firsts {
        assert!(is_accepted(&restore.invoke(first["then"].clone()).await.unwrap()));
    }
}
