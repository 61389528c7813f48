//! `restore`, as Lambda runs it.

mod apply;
mod bad_input;
mod cut;
mod cut_stages;
mod faults;
mod foreign;
mod looking;
mod new_volume;
mod pins;
mod plan;
mod refusals;
mod rivals;
mod runbook;
mod stages;
mod tells;
mod undo;
mod verdicts;
mod went_on;

use scenarios::{Account, Function, Kops, RunningFunction, tags};
use serde_json::{Value, json};

const CLUSTER: &str = "k8s.example.com";
/// A recovery point of the past.
const POINT: &str = "2026-11-23T02:00:00Z";

const MEMBERS: [&str; 3] = ["a", "b", "c"];

/// A single master's cluster, with one point of etcd `main`.
async fn single(account: &Account) -> Kops<'_> {
    let cluster = Kops::cluster(CLUSTER).single_master().create(account).await;
    cluster.verified_point("main", POINT).await;
    cluster
}

/// Etcd `main` with three members, and one point of it.
async fn three(account: &Account) -> Kops<'_> {
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(account).await;
    cluster.verified_point("main", POINT).await;
    cluster
}

/// The function with its defaults.
async fn restore(account: &Account) -> RunningFunction {
    Function::named("restore").account(account).start().await
}

/// An event about etcd `main`, with these fields.
fn main(fields: Value) -> Value {
    let mut event = json!({"cluster": CLUSTER, "etcd_cluster": "main"});
    let Value::Object(fields) = fields else { panic!("no fields: {fields}") };
    event.as_object_mut().unwrap().extend(fields);
    event
}

/// An id as a plan of now would give it.
fn fresh_id() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ-1a2b3c4d").to_string()
}

/// Plans, and gives the event that applies the plan.
async fn planned(restore: &RunningFunction, event: Value) -> Value {
    let plan = restore.invoke(event.clone()).await.unwrap_or_else(|error| panic!("{event}: {error}"));
    assert_eq!(plan["outcome"], "planned");
    assert!(plan["apply"].is_object(), "{event} is refused: {}", plan["refusals"]);
    plan["apply"].clone()
}

/// The event that takes back these volumes, naming every volume that bears the marks of a retired one.
async fn undo_of(account: &Account, made: Value) -> Value {
    let volumes = account.volumes().await.into_iter();
    let old = volumes.filter(|volume| volume.tags.contains_key("etcd-backup/replaced-by")).map(|volume| volume.id);
    main(json!({"mode": "undo", "volumes": made, "old_volumes": old.collect::<Vec<_>>()}))
}

/// What an apply names of its plan: the snapshots and the volumes to retire, by member, and a digest.
fn shown(event: &mut Value, plan: &Value) {
    let snapshots = plan["members"].as_array().unwrap().iter().filter(|member| member["snapshot"].is_string());
    let snapshots = snapshots.map(|member| (member["member"].as_str().unwrap().to_owned(), member["snapshot"].clone()));
    event["snapshots"] = Value::Object(snapshots.collect());
    let mut retired: Vec<&str> = each(plan, "old_volume").into_iter().filter(|volume| *volume != "-").collect();
    retired.sort_unstable();
    event["retire"] = json!(retired);
    event["plan"] = plan["apply"]["plan"].clone();
    event["id"] = plan["apply"]["id"].clone();
}

/// Plans and applies.
async fn applied(restore: &RunningFunction, event: Value) -> Value {
    let apply = planned(restore, event).await;
    let result = restore.invoke(apply.clone()).await.unwrap_or_else(|error| panic!("{apply}: {error}"));
    assert_eq!(result["outcome"], "applied");
    result
}

/// The types of what stands in a plan's way.
fn refusals(plan: &Value) -> Vec<&str> {
    plan["refusals"].as_array().into_iter().flatten().map(|refusal| refusal["type"].as_str().unwrap()).collect()
}

fn is_accepted(result: &Value) -> bool {
    result["acceptance"] == json!({"protokube": "ok", "etcd_manager": "ok", "kops": "ok"})
}

/// The steps of a result: name, member, state.
fn steps(result: &Value) -> Vec<String> {
    let steps = result["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {} {}", text(&step["step"]), text(&step["member"]), text(&step["state"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// A field of every member of a result.
fn each<'a>(result: &'a Value, field: &str) -> Vec<&'a str> {
    result["members"].as_array().unwrap().iter().map(|member| text(&member[field])).collect()
}

/// Whether one of a list's texts has all these words.
fn says(list: &Value, words: &[&str]) -> bool {
    let texts = list.as_array().unwrap().iter();
    texts.into_iter().any(|one| words.iter().all(|word| one.as_str().unwrap().contains(word)))
}
