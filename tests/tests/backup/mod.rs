//! `backup`, as Lambda runs it.

mod bad_input;
mod by_hand;
mod discovery;
mod effectively_once;
mod failures;
mod metrics_and_events;
mod prune;
mod schedule;
mod tags;

use std::sync::LazyLock;

use scenarios::{Account, Function, RunningFunction};
use serde_json::Value;

/// The function with its defaults.
async fn backup(account: &Account) -> RunningFunction {
    Function::named("backup").account(account).start().await
}

/// The function with one setting.
async fn backup_with(account: &Account, name: &str, value: &str) -> RunningFunction {
    Function::named("backup").account(account).env(name, value).start().await
}

/// The whole hour that lies this many hours before the tests began: the function judges points by its own clock.
fn hours_ago(hours: i64) -> String {
    static NOW: LazyLock<i64> = LazyLock::new(|| jiff::Timestamp::now().as_second());
    jiff::Timestamp::from_second(*NOW - *NOW % 3600 - hours * 3600).unwrap().to_string()
}

/// The recovery point of an etcd cluster in a result.
fn point<'a>(result: &'a Value, etcd_cluster: &str) -> &'a Value {
    let points = result["recovery_points"].as_array().unwrap();
    points
        .iter()
        .find(|point| point["etcd_cluster"] == etcd_cluster)
        .unwrap_or_else(|| panic!("no {etcd_cluster}: {result}"))
}

/// A field of every member of an etcd cluster in a result, in the members' order.
fn each<'a>(result: &'a Value, etcd_cluster: &str, field: &str) -> Vec<&'a str> {
    let members = point(result, etcd_cluster)["members"].as_array().unwrap();
    members.iter().map(|member| member[field].as_str().unwrap_or("null")).collect()
}

/// The recovery points of the snapshots that a result says were deleted, each once, oldest first.
fn pruned_slots(result: &Value) -> Vec<&str> {
    let mut slots: Vec<&str> =
        result["pruned"].as_array().unwrap().iter().map(|pruned| pruned["recovery_point"].as_str().unwrap()).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Whether one of the result's warnings has all these words.
fn warns(result: &Value, words: &[&str]) -> bool {
    let warnings = result["warnings"].as_array().unwrap();
    warnings.iter().any(|warning| words.iter().all(|word| warning.as_str().unwrap().contains(word)))
}
