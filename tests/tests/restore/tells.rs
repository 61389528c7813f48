//! What alarms and people are told.

use scenarios::LocalAws;
use serde_json::json;

use super::*;

const MAIN: [(&str, &str); 2] = [("Cluster", CLUSTER), ("EtcdCluster", "main")];

#[tokio::test]
async fn an_apply_and_an_undo_are_announced_with_their_result_and_counted() {
    let account = LocalAws::account();
    three(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.fail_next("DeleteTags").with("UnauthorizedOperation", 403).times(3).await;

    restore.invoke(apply.clone()).await.unwrap_err();
    let result = restore.invoke(apply).await.unwrap();
    let undone = restore.invoke(result["undo"].clone()).await.unwrap();

    let events = account.events().await;
    let types: Vec<&str> = events.iter().map(|event| event.detail_type.as_str()).collect();
    assert_eq!(types, ["Etcd Restore Applied", "Etcd Restore Undone"]);
    assert!(events.iter().all(|event| event.source == "etcd-volume-backup" && event.bus.as_deref() == Some("default")));
    assert_eq!((&events[0].detail, &events[1].detail), (&result, &undone));
    for name in ["RestoresInterrupted", "RestoresApplied", "RestoresUndone"] {
        assert_eq!((restore.metric(name, &MAIN), restore.metric(name, &[])), (vec![1.0], vec![1.0]), "{name}");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_published_is_a_warning() {
    let account = LocalAws::account();
    single(&account).await;
    account.fail_next("PutEvents").with("AccessDeniedException", 400).always().await;
    let restore = restore(&account).await;

    let result = applied(&restore, main(json!({"replace": true}))).await;

    assert!(says(&result["warnings"], &["`Etcd Restore Applied` was not published to default"]), "{result:#}");
}

#[tokio::test]
async fn long_work_shows_progress_and_a_run_is_one_wide_line() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let restore = Function::named("restore").account(&account).env("AWS_LAMBDA_LOG_FORMAT", "JSON").start().await;

    let result = applied(&restore, main(json!({"replace": true}))).await;

    let new = each(&result, "new_volume")[0];
    let lines: Vec<Value> = restore.logs().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let message = |line: &Value| line["fields"]["message"].as_str().unwrap_or_default().to_owned();
    for words in [
        format!("Created {new} for member a"),
        format!("Retired {}", cluster.volume("main", "a")),
        format!("Tagged {new}"),
    ] {
        assert!(lines.iter().any(|line| message(line).contains(&words)), "{words}: {lines:#?}");
    }
    let wide: Vec<&Value> = lines.iter().filter(|line| line["fields"]["done"].is_number()).collect();
    assert_eq!(wide.len(), 1, "{lines:#?}");
    assert_eq!((&wide[0]["fields"]["accepted"], &wide[0]["fields"]["done"]), (&json!(true), &json!(5)));
}
