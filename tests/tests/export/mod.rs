//! `export`, as Lambda runs it: from snapshots of real etcds into a store as etcd-manager has it.

mod automatic;
mod by_hand;
mod failures;
mod restore;
mod store;

use scenarios::bucket::Bucket;
use scenarios::{Account, Function, RunningFunction};
use serde_json::{Value, json};

use crate::etcds::{CLUSTER, POINT, one, three};

const STORE: &str = "s3://backups/{cluster}/backups/etcd/{etcd_cluster}";
/// What all keys of etcd `main`'s store begin with.
const MAIN: &str = "k8s.example.com/backups/etcd/main";
const SPEC: &str = "{\n  \"memberCount\": 3,\n  \"etcdVersion\": \"3.5.16\"\n}";

fn function(account: &Account) -> Function {
    Function::named("export").account(account).env("STORE", STORE)
}

async fn export(account: &Account) -> RunningFunction {
    function(account).start().await
}

/// The bucket, with what etcd-manager keeps in the store of etcd `main`.
async fn store(account: &Account) -> Bucket {
    let bucket = account.bucket("backups").await;
    bucket.put(&format!("{MAIN}/control/etcd-cluster-spec"), SPEC).await;
    bucket.put(&format!("{MAIN}/control/etcd-cluster-created"), "{\"timestamp\":1795686087022186962}").await;
    bucket
}

fn main(more: Value) -> Value {
    let mut event = json!({"cluster": CLUSTER, "etcd_cluster": "main"});
    let Value::Object(more) = more else { panic!("{more}") };
    event.as_object_mut().unwrap().extend(more);
    event
}

/// The objects of backups, whole or not.
async fn of_backups(bucket: &Bucket) -> Vec<String> {
    bucket.keys().await.into_iter().filter(|key| !key.contains("/control/")).collect()
}

fn says(list: &Value, words: &[&str]) -> bool {
    let mut list = list.as_array().unwrap().iter().filter_map(Value::as_str);
    list.any(|text| words.iter().all(|word| text.contains(word)))
}
