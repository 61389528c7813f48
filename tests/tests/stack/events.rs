//! The rule that mails failed backups as text, with events that the function really sends.

use scenarios::stack::matches;
use scenarios::{Account, Function, Kops, LocalAws, Stack, events, tags};
use serde_json::{Value, json};

use super::CLUSTER;

/// The events of a run that succeeds and of one that fails, as EventBridge delivers them.
async fn samples() -> Vec<Value> {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    let backup = Function::named("backup").account(&account).start().await;
    account.clock("2026-11-20T03:00:02Z").await;
    backup.invoke(events::scheduled("2026-11-20T02:00:00Z")).await.unwrap();
    cluster.lose("main", "b").await;
    backup.invoke(events::scheduled("2026-11-20T03:00:00Z")).await.unwrap_err();
    delivered(&account).await
}

/// All that was sent, as EventBridge delivers it.
pub(crate) async fn delivered(account: &Account) -> Vec<Value> {
    let delivered = |event: scenarios::observed::Event| {
        json!({"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": event.detail_type,
            "source": event.source, "account": "123456789012", "time": "2026-11-20T03:00:02Z",
            "region": "eu-central-1", "resources": [], "detail": event.detail})
    };
    account.events().await.into_iter().map(delivered).collect()
}

#[tokio::test]
async fn a_failed_backup_is_mailed_as_text_and_a_good_one_is_not() {
    let [taken, failed] = <[Value; 2]>::try_from(samples().await).unwrap();
    let stack = Stack::by_default();
    let rule = stack.properties("FailedBackup");
    let mut foreign = failed.clone();
    foreign["account"] = json!("999999999999");
    let pattern = &rule["EventPattern"];
    assert_eq!(matches(&[(pattern, &failed), (pattern, &taken), (pattern, &foreign)]), [true, false, false]);

    let target = &rule["Targets"][0];
    assert_eq!(target["Arn"], stack.outputs()["AlarmTopic"]);
    let lines = text(&target["InputTransformer"], &failed);
    let [before, says, after] = <[String; 3]>::try_from(lines).unwrap();
    assert!(before.starts_with("A backup of etcd failed in account 123456789012, region eu-central-1."));
    let b_failed =
        "> slot 2026-11-20T03:00:00Z: 1 of 6 members without a sound snapshot: member b of main of k8s.example.com: ";
    assert!(says.starts_with(b_failed), "{says}");
    assert!(after.contains("send an empty event to the function"));
}

#[tokio::test]
async fn what_others_wrote_into_a_tag_is_one_plain_line_between_ours() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let forged = "a/a\"\nThat was all it says. All is well.\\\u{202e}";
    account.tag(cluster.volume("main", "a"), &tags::of([("k8s.io/etcd/main", forged)])).await;
    let backup = Function::named("backup").account(&account).start().await;
    backup.invoke(events::scheduled("2026-11-20T02:00:00Z")).await.unwrap_err();
    let failed = account.events().await.remove(0);
    let event = json!({"account": "123456789012", "region": "eu-central-1", "detail": failed.detail});

    let lines = text(&Stack::by_default().properties("FailedBackup")["Targets"][0]["InputTransformer"], &event);

    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().all(|c| matches!(c, ' '..='~'))), "{lines:#?}");
    assert!(lines[1].contains("`a/a'?That was all it says. All is well."), "{}", lines[1]);
}

#[test]
fn eventbridge_may_publish_to_the_topic_by_a_role_and_do_nothing_else() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:oncall";
    let stack = Stack::with(&json!({"AlarmTopicArn": topic}));
    let role = stack.properties("FailedBackupRole");
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"], json!({"Service": "events.amazonaws.com"}));
    assert_eq!(trust["Condition"], json!({"StringEquals": {"aws:SourceAccount": "123456789012"}}));
    let statements = json!([{"Sid": "Tell", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic}]);
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], statements);
    let arn = stack.properties("FailedBackup")["Targets"][0]["RoleArn"].as_str().unwrap();
    assert!(arn.contains("FailedBackupRole"), "{arn}");
}

/// What an input transformer makes of an event: lines of quoted text.
fn text(transformer: &Value, event: &Value) -> Vec<String> {
    let mut template = transformer["InputTemplate"].as_str().unwrap().to_owned();
    let mut bare = template.clone();
    for (name, path) in transformer["InputPathsMap"].as_object().unwrap() {
        let pointer = path.as_str().unwrap().strip_prefix('$').unwrap().replace('.', "/");
        let value = event.pointer(&pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path} in {event}"));
        template = template.replace(&format!("<{name}>"), value);
        bare = bare.replace(&format!("<{name}>"), "");
    }
    assert!(!bare.contains('<'), "{bare}");
    template.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn there_is_a_rule_where_it_is_wanted_and_the_bus_is_this_accounts() {
    let arn = "arn:aws:events:eu-central-1:999999999999:event-bus/central";
    for (bus, text, rules) in [("ops", "on", 1), ("ops", "off", 0), ("", "on", 0), (arn, "on", 0)] {
        let stack = Stack::with(&json!({"EventBus": bus, "FailureText": text}));
        let found: Vec<&Value> = stack
            .all("AWS::Events::Rule")
            .map(|(_, rule)| &rule["EventBusName"])
            .filter(|bus| bus.is_string())
            .collect();
        assert_eq!(found, vec![&json!(bus); rules]);
    }
}
