//! What a person sends and sees: the saved test events, and the outputs.

use std::path::{Path, PathBuf};

use scenarios::{Disk, Function, Kops, LocalAws, Stack};
use serde_json::{Value, json};

use super::{CLUSTER, with_store};

fn files(function: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(function);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_saved_event_of_backup_is_taken() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.past_hours("main", "2026-11-20T02:00:00Z", 4).await;
    let backup = Function::named("backup").account(&account).start().await;
    let files = files("backup");
    assert_eq!(files.len(), 4);
    for file in files {
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let outcome = if event["dry_run"] == true { "planned" } else { "succeeded" };
        let result = backup.invoke(event).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(result["outcome"], outcome);
    }
}

#[tokio::test]
async fn every_saved_event_of_verify_is_taken() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    let snapshots = cluster.past_point("main", "2026-11-23T02:00:00Z").await;
    let verify = Function::named("verify").account(&account).start().await;
    let files = files("verify");
    assert_eq!(files.len(), 3);
    for file in files {
        let mut event: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        if event["snapshot"].is_string() {
            event["snapshot"] = snapshots["a"].clone().into();
        }
        let result = verify.invoke(event).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(result["outcome"], "verified", "{}", file.display());
    }
}

#[tokio::test]
async fn every_saved_event_of_export_is_taken() {
    let account = LocalAws::account();
    account.bucket("state-store").await;
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let snapshot = cluster.past_point("main", "2026-11-23T02:00:00Z").await.remove("a").unwrap();
    account.put_disk(&snapshot, &Disk::fixture("clean-3.5").bytes).await;
    let store = "s3://state-store/{cluster}/backups/etcd/{etcd_cluster}";
    let export = Function::named("export").account(&account).env("STORE", store).start().await;
    let mut said = Vec::new();
    for file in files("export") {
        let mut event: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        if event["snapshot"].is_string() {
            event["snapshot"] = snapshot.clone().into();
        }
        said.push(match export.invoke(event).await {
            Ok(answer) => answer["outcome"].as_str().unwrap().to_owned(),
            Err(refused) => refused.error_type,
        });
    }
    // Of latest, list, restore and snapshot: the second export is of the same snapshot.
    assert_eq!(said, ["exported", "listed", "planned", "AlreadyExported"]);
}

#[test]
fn every_saved_event_of_plan_and_restore_is_one_of_the_runbook() {
    let runbook = include_str!("../restore/runbook.rs");
    let readme = include_str!("../../../README.md");
    for (function, modes) in [("plan", ["list", "plan"]), ("restore", ["apply", "undo"])] {
        for file in files(function) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(runbook.contains(&format!("event!(\"{function}/{name}\")")), "{name} is run by no test");
            assert!(readme.contains(&format!("{name}.json")), "{name} is not in the README");
            let event: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            assert!(modes.contains(&event["mode"].as_str().unwrap()), "{name} is not for {function}");
        }
    }
}

#[test]
fn the_outputs_name_what_was_made() {
    let stack = &with_store(json!({}));
    let outputs = stack.outputs();
    for (output, function) in [
        ("BackupFunctionName", "BackupFunction"),
        ("ExportFunctionName", "ExportFunction"),
        ("PlanFunctionName", "PlanFunction"),
        ("RestoreFunctionName", "RestoreFunction"),
        ("VerifyFunctionName", "VerifyFunction"),
    ] {
        assert_eq!(outputs[output], stack.properties(function)["FunctionName"]);
    }
    for (output, function) in [("FirstBackup", "BackupFunctionName"), ("ListRecoveryPoints", "PlanFunctionName")] {
        let command = outputs[output].as_str().unwrap();
        let name = outputs[function].as_str().unwrap();
        assert!(command.starts_with("AWS_MAX_ATTEMPTS=1 "), "a second try of the client's would be a second backup");
        assert!(command.contains(&format!("--function-name {name} --cli-read-timeout 0 ")) && command.contains("'{}'"));
    }
    for role in ["ExportRole", "RestoreRole", "VerifyRole"] {
        assert!(outputs[format!("{role}Arn")].as_str().unwrap().contains(role));
    }
    let without = Stack::by_default().outputs().as_object().unwrap();
    assert!(without.keys().all(|output| !output.contains("Export")), "{without:?}");
    let board = stack.properties("Board")["DashboardName"].as_str().unwrap();
    assert!(outputs["DashboardUrl"].as_str().unwrap().ends_with(&format!("#dashboards/dashboard/{board}")));
}
