//! What the README shows is what the function takes and gives.

use std::collections::BTreeSet;

use scenarios::{Kops, LocalAws, events};
use serde_json::{Value, json};

use super::{backup_with, hours_ago};

/// The JSON blocks of the README, in order.
fn examples() -> Vec<Value> {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"))).collect()
}

/// The names of all fields, with the path to them.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(format!("{path}/{name}"));
                fields(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| fields(value, path, found)),
        _ => {}
    }
}

#[tokio::test]
async fn its_events_are_accepted_and_its_answer_has_the_fields_of_a_real_one() {
    let [by_hand, answer] = <[Value; 2]>::try_from(examples()).unwrap();
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", &hours_ago(2), 2).await;
    let backup = backup_with(&account, "RETENTION", "keep-last=1").await;

    assert_eq!(backup.invoke(by_hand).await.unwrap()["outcome"], "planned");
    let real = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let (mut shown, mut given) = (BTreeSet::new(), BTreeSet::new());
    fields(&answer, "", &mut shown);
    fields(&real, "", &mut given);
    assert_eq!(shown, given);
    assert_eq!(backup.invoke(json!({"dry_run": true, "prune": true})).await.unwrap()["outcome"], "planned");
}
