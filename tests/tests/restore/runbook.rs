//! The events of the runbook, from their files, each in the case that it is for.

use scenarios::{Account, Kops, LocalAws, RawSnapshot};
use serde_json::json;

use super::*;

macro_rules! event {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../events/", $name, ".json"))).unwrap()
    };
}

/// Planned by the function that looks alone, applied by the other.
async fn is_applied(account: &Account, plan: Value) -> Value {
    is_applied_by([Function::plan(), Function::named("restore")].map(|one| one.account(account)), plan).await
}

async fn is_applied_by([looking, changing]: [Function; 2], plan: Value) -> Value {
    assert_eq!(plan["mode"], "plan");
    let apply = planned(&looking.start().await, plan).await;
    let result = changing.start().await.invoke(apply.clone()).await;
    result.unwrap_or_else(|error| panic!("{apply}: {error}"))
}

async fn is_applied_and_accepted(account: &Account, plan: Value) -> Value {
    let result = is_applied(account, plan).await;
    assert!(is_accepted(&result), "{result:#}");
    result
}

/// Three masters, with the points of two hours.
async fn cluster(account: &Account) -> Kops<'_> {
    let cluster = Kops::cluster(CLUSTER).create(account).await;
    for (etcd, slot) in ["main", "events"].iter().flat_map(|etcd| [(etcd, POINT), (etcd, "2026-11-23T03:00:00Z")]) {
        cluster.verified_point(etcd, slot).await;
    }
    cluster
}

#[tokio::test]
async fn the_recovery_points_are_listed() {
    let account = LocalAws::account();
    cluster(&account).await;
    let plan = Function::plan().account(&account).start().await;
    let listed = plan.invoke(event!("plan/list")).await.unwrap();
    assert_eq!(listed["recovery_points"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_single_masters_volume_is_lost() {
    let account = LocalAws::account();
    let mut single = Kops::cluster(CLUSTER).single_master().create(&account).await;
    single.verified_point("main", POINT).await;
    single.lose("main", "a").await;
    is_applied_and_accepted(&account, event!("plan/plan-lost")).await;
}

#[tokio::test]
async fn a_whole_etcd_cluster_is_rolled_back() {
    let account = LocalAws::account();
    cluster(&account).await;
    let result = is_applied_and_accepted(&account, event!("plan/plan-roll-back")).await;
    assert_eq!(result["recovery_point"], POINT);
}

#[tokio::test]
async fn an_apply_is_sent_and_undone() {
    let account = LocalAws::account();
    cluster(&account).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    // A plan holds for a day, and the file is older.
    let mut apply = event!("restore/apply");
    let error = restore.invoke(apply.clone()).await.unwrap_err();
    assert!(error.error_message.contains("is more than a day old; plan again"), "{error}");
    let planned = planned(&Function::plan().account(&account).start().await, event!("plan/plan-roll-back")).await;
    for shown in ["id", "recovery_point", "snapshots", "retire", "plan"] {
        assert!(apply.get(shown).is_some(), "{shown}");
        apply[shown] = planned[shown].clone();
    }
    assert_eq!(apply, planned, "the file has the form of the answer's");
    let result = restore.invoke(apply).await.unwrap();
    assert!(is_accepted(&result), "{result:#}");

    let mut undo = event!("restore/undo");
    for member in MEMBERS {
        undo["volumes"][member] = result["undo"]["volumes"][member].clone();
    }
    undo["old_volumes"] = result["undo"]["old_volumes"].clone();
    assert_eq!(undo, result["undo"], "the file has the form of the answer's");
    restore.invoke(undo).await.unwrap();
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)));
}

#[tokio::test]
async fn the_second_stage_follows_the_first() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_point("main", POINT).that_needs_stages().await;
    let restore = restore(&account).await;
    let first = is_applied_and_accepted(&account, event!("plan/plan-roll-back")).await;

    let mut then = event!("restore/then");
    for shown in ["id", "snapshots", "retire"] {
        assert!(then.get(shown).is_some(), "{shown}");
        then[shown] = first["then"][shown].clone();
    }
    assert_eq!(then, first["then"], "the file has the form of the answer's");
    let early = restore.invoke(then.clone()).await.unwrap_err();
    assert_eq!(early.error_type, "QuorumNotUp", "{early}");
    account.attached_for(&super::stages::of_stage(&first, 1), 90).await;
    assert!(is_accepted(&restore.invoke(then).await.unwrap()));
}

#[tokio::test]
async fn one_snapshot_of_the_point_is_bad_and_its_member_joins_empty() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.verified_point("main", POINT).with_state("a", "error").await;
    let result = is_applied_and_accepted(&account, event!("plan/plan-others-empty")).await;
    assert!(says(&result["next_steps"], &["Let a join empty"]), "{result:#}");
    let old = account.volume(cluster.volume("main", "a")).await.unwrap();
    assert!(!old.tags.contains_key("k8s.io/etcd/main"), "it must not meet those that went back: {old:?}");
}

#[tokio::test]
async fn the_whole_cluster_is_gone() {
    let account = LocalAws::account();
    let mut cluster = cluster(&account).await;
    for (etcd, member) in ["main", "events"].iter().flat_map(|etcd| MEMBERS.map(|member| (*etcd, member))) {
        cluster.lose(etcd, member).await;
    }
    is_applied_and_accepted(&account, event!("plan/plan-lost")).await;
    is_applied_and_accepted(&account, event!("plan/plan-lost-events")).await;
    assert_eq!(account.volumes().await.len(), 6);
}

#[tokio::test]
async fn one_of_three_members_is_lost_and_the_plan_says_to_replace_it() {
    let account = LocalAws::account();
    let mut cluster = cluster(&account).await;
    cluster.lose("main", "b").await;
    let mut plan = event!("plan/plan-lost");
    plan["members"] = json!(["b"]);
    let plan = Function::plan().account(&account).start().await.invoke(plan).await.unwrap();
    assert_eq!(refusals(&plan), ["MemberRollback"]);
    assert!(plan["refusals"][0]["message"].as_str().unwrap().contains("replace the lost member instead"), "{plan:#}");
}

#[tokio::test]
async fn a_snapshot_of_another_tool_is_restored() {
    let account = LocalAws::account();
    let foreign = RawSnapshot::of("vol-00000000000000001", POINT).with_id("snap-0123456789abcdef0");
    account.plant_snapshots(&[foreign]).await;
    let letting_in = |function: Function| function.account(&account).env("FOREIGN_SNAPSHOTS", "account");
    let functions = [Function::plan(), Function::named("restore")].map(letting_in);
    let result = is_applied_by(functions, event!("plan/plan-foreign-snapshot")).await;
    assert!(is_accepted(&result), "{result:#}");
}

#[tokio::test]
async fn a_volume_for_inspection_is_made() {
    let account = LocalAws::account();
    cluster(&account).await;
    let result = is_applied(&account, event!("plan/plan-inspection")).await;
    assert!(
        says(&result["next_steps"], &["Attach each new volume to an instance in its zone", "Delete it by hand"]),
        "{result:#}"
    );
}
