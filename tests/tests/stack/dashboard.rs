//! The dashboard: every widget shows something that there is.

use std::collections::BTreeSet;

use regex_lite::Regex;
use scenarios::{Disk, Function, Kops, LocalAws, RunningFunction, Stack, events};
use serde_json::{Value, json};

use super::{CLUSTER, STORE, with_store};

/// A backup that failed, a restore that was applied and undone, a look at a point, and an export that was refused, logging as
/// Lambda makes them in the stack.
async fn runs() -> [RunningFunction; 4] {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", "2026-11-20T01:00:00Z").await;
    let start = |name| Function::named(name).account(&account).env("AWS_LAMBDA_LOG_FORMAT", "JSON").start();
    let (backup, restore) = (start("backup").await, start("restore").await);
    cluster.lose("events", "b").await;
    account.clock("2026-11-20T02:00:02Z").await;
    backup.invoke(events::scheduled("2026-11-20T02:00:00Z")).await.unwrap_err();
    let event =
        json!({"cluster": CLUSTER, "etcd_cluster": "main", "replace": true, "recovery_point": "2026-11-20T01:00:00Z"});
    account.real_clock().await;
    let plan = restore.invoke(event).await.unwrap();
    account.fail_next("CreateVolume").with("UnauthorizedOperation", 403).await;
    restore.invoke(plan["apply"].clone()).await.unwrap_err();
    let applied = restore.invoke(plan["apply"].clone()).await.unwrap();
    restore.invoke(applied["undo"].clone()).await.unwrap();
    let verify = start("verify").await;
    verify.invoke(json!({"cluster": CLUSTER, "etcd_cluster": "main"})).await.unwrap();
    account.fail_next("ListSnapshotBlocks").with("AccessDeniedException", 403).await;
    verify.invoke(json!({"cluster": CLUSTER, "etcd_cluster": "main"})).await.unwrap_err();
    [backup, restore, verify, export().await]
}

async fn export() -> RunningFunction {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let snapshot = cluster.past_point("main", "2026-11-20T01:00:00Z").await.remove("a").unwrap();
    account.put_disk(&snapshot, &Disk::fixture("clean-3.5").bytes).await;
    account.bucket("state-store").await;
    let export = Function::named("export").account(&account).env("STORE", STORE);
    let export = export.env("AWS_LAMBDA_LOG_FORMAT", "JSON").start().await;
    export.invoke(json!({"snapshot": snapshot})).await.unwrap();
    export.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
    export.invoke(events::scheduled("2026-11-20T02:50:00Z")).await.unwrap();
    export
}

fn widgets(stack: &Stack) -> Vec<Value> {
    let body = stack.properties("Board")["DashboardBody"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    body["widgets"].as_array().unwrap().clone()
}

fn of_type(widgets: &[Value], kind: &str) -> Vec<Value> {
    widgets.iter().filter(|widget| widget["type"] == kind).map(|widget| widget["properties"].clone()).collect()
}

#[tokio::test]
async fn every_widget_shows_what_there_is() {
    let stack = &with_store(json!({}));
    let widgets = widgets(stack);
    let runs = runs().await;
    let functions = ["BackupFunction", "ExportFunction", "PlanFunction", "RestoreFunction", "VerifyFunction"]
        .map(|name| stack.properties(name)["FunctionName"].clone());
    let emitted =
        |name: &str, dimensions: &[(&str, &str)]| runs.iter().any(|run| !run.metric(name, dimensions).is_empty());

    let (mut shown, mut timed) = (BTreeSet::new(), BTreeSet::new());
    for metric in of_type(&widgets, "metric").iter().flat_map(|widget| widget["metrics"].as_array().unwrap()) {
        match metric.as_array().unwrap().iter().map(|part| part.as_str().unwrap_or_default()).collect::<Vec<_>>()[..] {
            ["EtcdVolumeBackup", name, ""] => {
                assert!(emitted(name, &[]), "nothing emits {metric}");
                shown.insert(name.to_owned());
            }
            ["AWS/Lambda", "Duration", "FunctionName", function, ""] => {
                assert!(functions.contains(&json!(function)));
                timed.insert(function.to_owned());
            }
            [""] => {
                let search = metric[0]["expression"].as_str().unwrap();
                let form = Regex::new(
                    r#"^SEARCH\('\{EtcdVolumeBackup,Cluster,EtcdCluster\} MetricName="(\w+)"', '\w+', \d+\)$"#,
                )
                .unwrap();
                let name = &form.captures(search).unwrap_or_else(|| panic!("{search}"))[1];
                assert!(emitted(name, &[("Cluster", CLUSTER), ("EtcdCluster", "main")]), "nothing emits {name}");
                shown.insert(name.to_owned());
            }
            _ => panic!("{metric}"),
        }
    }
    let metrics = runs.iter().flat_map(RunningFunction::metrics);
    let names = metrics.flat_map(|document| {
        let metrics = document["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
        metrics.into_iter().map(|metric| metric["Name"].as_str().unwrap().to_owned())
    });
    assert_eq!(shown, names.collect(), "every metric is shown");

    assert_eq!(timed.len(), functions.len(), "every function's duration is shown");

    shows_all_alarms(stack);
    shows_all_alarms(Stack::by_default());
    shows_all_alarms(&Stack::with(&json!({"Verify": "off"})));
    shows_all_alarms(&with_store(json!({"Verify": "off", "StoreBackupMaxAgeMinutes": "0"})));
}

fn shows_all_alarms(stack: &Stack) {
    let alarms: BTreeSet<String> = stack
        .all("AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| {
            format!("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{}", alarm["AlarmName"].as_str().unwrap())
        })
        .collect();
    let [shown] = <[Value; 1]>::try_from(of_type(&widgets(stack), "alarm")).unwrap();
    assert_eq!(serde_json::from_value::<BTreeSet<String>>(shown["alarms"].clone()).unwrap(), alarms);
}

#[tokio::test]
async fn the_query_for_the_last_errors_reads_fields_that_the_logs_have() {
    let stack = &with_store(json!({}));
    let [log] = <[Value; 1]>::try_from(of_type(&widgets(stack), "log")).unwrap();
    let query = log["query"].as_str().unwrap();
    let sources: Vec<&str> = query.split("SOURCE '").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    let groups = ["BackupLog", "ExportLog", "PlanLog", "RestoreLog", "VerifyLog"]
        .map(|name| stack.properties(name)["LogGroupName"].clone());
    assert_eq!(sources, groups);
    assert!(query.contains("filter level in ['ERROR', 'WARN']") && query.contains("`fields.message` as message"));

    for run in runs().await {
        let lines: Vec<Value> = run
            .logs()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect();
        let errors: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
        assert!(!errors.is_empty());
        assert!(
            errors.iter().all(|line| line["fields"]["message"].as_str().is_some_and(|message| !message.is_empty()))
        );
    }
}

#[test]
fn without_a_store_nothing_is_shown_of_it() {
    let body = Stack::by_default().properties("Board")["DashboardBody"].as_str().unwrap();
    assert!(!body.contains("store-backup") && !body.contains("StoreBackup") && !body.contains("export"), "{body}");
    assert!(!widgets(Stack::by_default()).is_empty(), "it is JSON all the same");
}

#[test]
fn no_widget_lies_on_another() {
    let mut taken = BTreeSet::new();
    for widget in widgets(&with_store(json!({}))) {
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| widget[name].as_u64().unwrap());
        assert!(x + width <= 24, "{widget}");
        for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{widget}");
        }
    }
}
