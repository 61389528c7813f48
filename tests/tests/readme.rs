//! What the README shows is what the functions take and give, and what SEMANTICS.md names is there.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::stack::{Request, Role};
use scenarios::{Disk, Function, Kops, LocalAws, Stack, events};
use serde_json::{Value, json};

/// The JSON blocks of the README, in order.
fn blocks() -> Vec<Value> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"))).collect()
}

/// Those that are events and answers: two of `backup`, two of `restore`, two of `verify`, five of `export`.
fn examples() -> [Value; 11] {
    let examples: Vec<Value> = blocks().into_iter().filter(|block| block["Statement"].is_null()).collect();
    examples.try_into().unwrap()
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

/// The fields of an example are those of a real answer.
fn is_like(shown: &Value, given: &Value) {
    let (mut of_shown, mut of_given) = (BTreeSet::new(), BTreeSet::new());
    fields(shown, "", &mut of_shown);
    fields(given, "", &mut of_given);
    assert_eq!(of_shown, of_given);
}

#[tokio::test]
async fn the_backups_events_are_accepted_and_its_answer_is_like_a_real_one() {
    let [by_hand, answer, ..] = examples();
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    cluster.past_hours("main", "2026-11-20T02:00:00Z", 2).await;
    let backup = Function::named("backup").account(&account).env("RETENTION", "keep-last=1").start().await;

    account.clock("2026-11-20T03:00:02Z").await;
    assert_eq!(backup.invoke(by_hand).await.unwrap()["outcome"], "planned");
    is_like(&answer, &backup.invoke(events::scheduled("2026-11-20T03:00:00Z")).await.unwrap());
    assert_eq!(backup.invoke(json!({"dry_run": true, "prune": true})).await.unwrap()["outcome"], "planned");
}

#[tokio::test]
async fn the_restores_event_is_accepted_and_its_answer_is_like_a_real_one() {
    let [_, _, mut event, answer, ..] = examples();
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().create(&account).await;
    cluster.past_point("main", "2026-11-23T02:00:00Z").await;
    let restore = Function::named("restore").account(&account).start().await;

    assert_eq!(restore.invoke(event.clone()).await.unwrap()["outcome"], "planned");
    event["replace"] = json!(true);
    let plan = restore.invoke(event).await.unwrap();
    is_like(&answer, &restore.invoke(plan["apply"].clone()).await.unwrap());
}

/// The words of each command of the runbook, without the comment behind it.
fn commands() -> Vec<Vec<&'static str>> {
    let readme = include_str!("../../README.md");
    let block = readme.split("  invoke() {").nth(1).unwrap().split("```").next().unwrap();
    let commands = block.lines().map(|line| line.split('#').next().unwrap().split_whitespace().collect::<Vec<_>>());
    commands.filter(|words| matches!(words[..], ["plan" | "restore" | "jq", _, ..])).collect()
}

#[tokio::test]
async fn the_commands_of_the_runbook_restore_a_lost_etcd_cluster_in_stages() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster("k8s.example.com").etcd(["main"]).create(&account).await;
    cluster.past_point("main", "2026-11-23T02:00:00Z").that_needs_stages().await;
    for member in ["a", "b", "c"] {
        cluster.lose("main", member).await;
    }
    let plan = Function::plan().account(&account).start().await;
    let restore = Function::named("restore").account(&account).start().await;
    let mut files = BTreeMap::new();
    for file in ["events/plan/list.json", "events/plan/plan-lost.json"] {
        let text = std::fs::read_to_string(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        files.insert(file, serde_json::from_str::<Value>(&text).unwrap());
    }
    for command in commands() {
        match command[..] {
            [name @ ("plan" | "restore"), event, ref to @ ..] => {
                if event == "then.json" {
                    let members = files["applied.json"]["members"].as_array().unwrap().iter();
                    let first = members.filter(|member| member["stage"] == 1);
                    let first: Vec<&str> = first.map(|member| member["new_volume"].as_str().unwrap()).collect();
                    account.attached_for(&first, 90).await;
                }
                let function = if name == "plan" { &plan } else { &restore };
                let answer = function.invoke(files[event].clone()).await;
                let answer = answer.unwrap_or_else(|error| panic!("{command:?}: {error}"));
                if let [">", to] = to {
                    files.insert(to, answer);
                }
            }
            ["jq", field, from, ">", to] => {
                let value = files[from][field.trim_start_matches('.')].clone();
                files.insert(to, value);
            }
            // What it reads is the error of a run that was interrupted.
            ["jq", "-r", ".errorMessage", ..] => {}
            _ => panic!("{command:?}"),
        }
    }
    // An instance's own volume was made of no snapshot.
    for volume in account.volumes().await.into_iter().filter(|volume| volume.snapshot.is_some()) {
        assert!(volume.tags.contains_key("k8s.io/etcd/main"), "all are the members' now: {volume:?}");
        if volume.instance.is_some() {
            account.detach(&volume.id).await;
        }
    }
    assert_eq!(restore.invoke(files["undo.json"].clone()).await.unwrap()["outcome"], "undone");
}

#[test]
fn who_has_the_readmes_policy_may_look_and_not_restore() {
    let policies = blocks().into_iter().filter(|block| block["Statement"].is_array());
    let [policy] = <[Value; 1]>::try_from(policies.collect::<Vec<_>>()).unwrap();
    let looker = Role::named("on-call", policy);
    for (function, properties) in Stack::by_default().all("AWS::Lambda::Function") {
        let name = properties["FunctionName"].as_str().unwrap();
        let resource = format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
        let request = Request { action: "lambda:InvokeFunction".to_owned(), resource, context: json!({}) };
        assert_eq!(looker.allows(&[request]), [function == "PlanFunction"], "{name}");
    }
    assert_eq!(looker.actions(), ["lambda:InvokeFunction".to_owned()].into());
}

#[tokio::test]
async fn verifys_event_is_accepted_and_its_answer_is_like_a_real_one() {
    let [_, _, _, _, event, answer, ..] = examples();
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    for (member, snapshot) in &cluster.past_point("main", "2026-11-23T02:00:00Z").await {
        account.put_disk(snapshot, &Disk::fixture(&format!("member-{member}")).bytes).await;
    }
    let verify = Function::named("verify").account(&account).start().await;
    is_like(&answer, &verify.invoke(event).await.unwrap());
}

#[tokio::test]
async fn the_exports_events_are_accepted_and_its_answers_are_like_real_ones() {
    let [.., event, exported, listed, mut restore, planned] = examples();
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").create(&account).await;
    for (member, snapshot) in &cluster.past_point("main", "2026-11-23T02:00:00Z").await {
        account.put_disk(snapshot, &Disk::fixture(&format!("member-{member}")).bytes).await;
    }
    let bucket = account.bucket("state-store").await;
    let control = "k8s.example.com/backups/etcd/main/control";
    bucket.put(&format!("{control}/etcd-cluster-spec"), "{\"memberCount\": 3, \"etcdVersion\": \"3.5.16\"}").await;
    bucket.put(&format!("{control}/etcd-cluster-created"), "{\"timestamp\":1795686087022186962}").await;
    let store = "s3://state-store/{cluster}/backups/etcd/{etcd_cluster}";
    let export = Function::named("export").account(&account).env("STORE", store).start().await;

    let answer = export.invoke(event).await.unwrap();
    is_like(&exported, &answer);
    is_like(&listed, &export.invoke(json!({})).await.unwrap());
    restore["backup"] = answer["backup"].clone();
    let plan = export.invoke(restore).await.unwrap();
    is_like(&planned, &plan);
    assert_eq!(export.invoke(plan["apply"].clone()).await.unwrap()["outcome"], "commanded");
}

/// The types of refusals in the table of `export`.
#[test]
fn every_refusal_of_the_exports_table_is_one() {
    let readme = include_str!("../../README.md");
    let section = readme.split("## The `export` function").nth(1).unwrap().split("\n## ").next().unwrap();
    let table = section.split("| type |").nth(1).unwrap().split("\n\n").next().unwrap();
    let refusals = include_str!("../../functions/lib/core/src/restore/refusal.rs");
    let named: Vec<&str> =
        table.lines().skip(2).flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(refusals.contains(&format!("=> \"{name}\"")), "{name} is no refusal");
    }
}

#[test]
fn every_parameter_is_in_the_readme_with_its_default() {
    let readme = include_str!("../../README.md");
    let table = readme.split("| parameter |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split('|').map(str::trim).collect()).collect();
    for (name, parameter) in Stack::by_default().template("Parameters").as_object().unwrap() {
        let row = rows.iter().find(|row| row.get(1).is_some_and(|names| names.contains(&format!("`{name}`"))));
        let shown = row.unwrap_or_else(|| panic!("{name} is not in the README"))[2];
        let default = parameter["Default"].as_str().map_or_else(|| parameter["Default"].to_string(), str::to_owned);
        let expected = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        assert!(shown == expected || shown.starts_with("see "), "{name}: {shown}, not {expected}");
    }
}

#[test]
fn every_scenario_that_semantics_names_is_there() {
    let text = include_str!("../../SEMANTICS.md");
    let mut named = 0;
    for span in text.split('`').skip(1).step_by(2) {
        let [area @ ("backup" | "export" | "restore" | "stack" | "verify"), module, tests] =
            span.splitn(3, "::").collect::<Vec<_>>()[..]
        else {
            continue;
        };
        let path = format!("{}/tests/{area}/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{span}: {path}: {error}"));
        for name in tests.trim_matches(['{', '}']).split(", ") {
            let start = format!("fn {}", name.trim_end_matches(['…', '*']));
            assert!(source.contains(&start), "`{span}`: {path} has no `{start}…`");
            named += 1;
        }
    }
    assert!(named > 50, "{named} names found: is that all of SEMANTICS.md?");
}
