//! The alarms: each on a metric that there is, each saying what to do, all to one topic.

use scenarios::{Function, Kops, LocalAws, Stack, events};
use serde_json::{Value, json};

use super::{CLUSTER, STORE, with_store};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:oncall";

#[tokio::test]
async fn every_alarm_watches_what_is_emitted() {
    let account = LocalAws::account();
    Kops::cluster(CLUSTER).create(&account).await;
    let backup = Function::named("backup").account(&account).start().await;
    account.clock("2026-11-20T02:00:02Z").await;
    backup.invoke(events::scheduled("2026-11-20T02:00:00Z")).await.unwrap();
    let verify = Function::named("verify").account(&account).start().await;
    verify.invoke(json!({"cluster": CLUSTER, "etcd_cluster": "main"})).await.unwrap();
    account.bucket("state-store").await;
    let export = Function::named("export").account(&account).env("STORE", STORE).start().await;
    export.invoke(events::scheduled("2026-11-20T12:50:00Z")).await.unwrap();
    let emitted = |metric: &str| [&backup, &verify, &export].iter().any(|one| !one.metric(metric, &[]).is_empty());

    let stack = with_store(json!({}));
    let name = |resource: &str, property: &str| stack.properties(resource)[property].clone();
    let queue = stack.outputs()["FailureQueue"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let mut watched = Vec::new();
    for (alarm, properties) in stack.all("AWS::CloudWatch::Alarm") {
        let of_metric = of_metric(properties);
        let metric = of_metric["MetricName"].as_str().unwrap();
        let dimensions = &of_metric["Dimensions"];
        match of_metric["Namespace"].as_str().unwrap() {
            "EtcdVolumeBackup" => {
                assert_eq!(*dimensions, Value::Null, "{alarm} watches all");
                assert!(emitted(metric), "{alarm}: nothing emits {metric}");
            }
            "AWS/Lambda" => {
                // What plan refuses, its caller sees.
                let functions = ["BackupFunction", "ExportFunction", "RestoreFunction", "VerifyFunction"]
                    .map(|function| name(function, "FunctionName"));
                assert!(functions.contains(&dimensions[0]["Value"]), "{alarm}: {dimensions}");
                assert_eq!((metric, &dimensions[0]["Name"]), ("Errors", &json!("FunctionName")));
            }
            "AWS/SQS" => {
                assert_eq!(dimensions[0], json!({"Name": "QueueName", "Value": queue}));
                assert_eq!(metric, "ApproximateNumberOfMessagesVisible");
            }
            other => panic!("{alarm}: {other}"),
        }
        watched.push(alarm);
    }
    let all = [
        "BackupFailed",
        "ExportFailed",
        "FailureQueueNotEmpty",
        "MembersMissing",
        "PruneBacklog",
        "RecoveryPointTooOld",
        "RestoreFailed",
        "SnapshotCorrupt",
        "SnapshotUnsupported",
        "SnapshotsDoubtful",
        "StoreBackupTooOld",
        "StoreBackupUnsound",
        "VerifiedPointTooOld",
        "VerifyFailed",
    ];
    assert_eq!(watched, all);
    let of_store = ["ExportFailed", "StoreBackupTooOld", "StoreBackupUnsound"];
    let without: Vec<&str> = Stack::by_default().all("AWS::CloudWatch::Alarm").map(|(alarm, _)| alarm).collect();
    assert_eq!(without, all.into_iter().filter(|alarm| !of_store.contains(alarm)).collect::<Vec<_>>());
}

/// The metric that an alarm watches: its own, or the one that it calculates with.
fn of_metric(alarm: &Value) -> &Value {
    let with = alarm["Metrics"].as_array().into_iter().flatten().find(|one| one["MetricStat"].is_object());
    with.map_or(alarm, |one| &one["MetricStat"]["Metric"])
}

#[test]
fn every_alarm_can_be_evaluated_says_what_to_do_and_tells_the_topic() {
    let with_topic = with_store(json!({"AlarmTopicArn": TOPIC}));
    for (stack, topic) in [(&with_store(json!({})), None), (&with_topic, Some(TOPIC))] {
        let topic = topic.unwrap_or_else(|| stack.outputs()["AlarmTopic"].as_str().unwrap());
        for (alarm, properties) in stack.all("AWS::CloudWatch::Alarm") {
            assert_eq!(properties["AlarmActions"], json!([topic]), "{alarm}");
            let description = properties["AlarmDescription"].as_str().unwrap();
            assert!((100..1024).contains(&description.len()), "{alarm}: {} characters", description.len());
            assert!(description.chars().all(|c| matches!(c, ' '..='~')), "{alarm}: {description}");
            let calculated = properties["Metrics"].as_array();
            let stat =
                calculated.map(|metrics| &metrics.iter().find(|one| one["ReturnData"] == false).unwrap()["MetricStat"]);
            assert!(
                stat.map_or(&properties["Statistic"], |stat| &stat["Stat"]).is_string(),
                "{alarm} has no statistic"
            );
            for needed in ["ComparisonOperator", "TreatMissingData"] {
                assert!(properties[needed].is_string(), "{alarm} has no {needed}");
            }
            let period = stat.unwrap_or(properties)["Period"].as_u64().unwrap();
            let periods = properties["EvaluationPeriods"].as_u64().unwrap();
            // PutMetricAlarm: a day at most for periods under an hour, else seven.
            let most = if period < 3600 { 86_400 } else { 604_800 };
            assert!(period % 60 == 0 && period * periods <= most, "{alarm}: {periods} periods of {period} s");
        }
    }
}

#[test]
fn the_age_of_three_periods_alarms_and_so_does_silence_unless_nothing_is_scheduled() {
    for (slot, seconds, schedule, missing) in [("1h", 3600, "on", "breaching"), ("24h", 86_400, "off", "notBreaching")]
    {
        let stack = Stack::with(&json!({"Slot": slot, "Schedule": schedule}));
        let alarm = stack.properties("RecoveryPointTooOld");
        assert_eq!(alarm["MetricName"], "RecoveryPointAge");
        assert_eq!(
            (&alarm["Statistic"], &alarm["ComparisonOperator"]),
            (&json!("Maximum"), &json!("GreaterThanThreshold"))
        );
        assert_eq!((&alarm["Period"], &alarm["Threshold"]), (&json!(seconds), &json!(3 * seconds)));
        assert_eq!(alarm["TreatMissingData"], missing);
    }
}

#[test]
fn the_age_of_the_newest_verified_point_alarms_by_what_is_read_and_not_where_nothing_is() {
    for (verify, slot, threshold) in [("all", "1h", 10_800), ("daily", "1h", 97_200), ("daily", "12h", 216_000)] {
        let stack = Stack::with(&json!({"Verify": verify, "Slot": slot}));
        let alarm = stack.properties("VerifiedPointTooOld");
        assert_eq!((&alarm["MetricName"], &alarm["Threshold"]), (&json!("VerifiedPointAge"), &json!(threshold)));
    }
    let off = Stack::with(&json!({"Verify": "off"}));
    assert!(off.all("AWS::CloudWatch::Alarm").all(|(alarm, _)| alarm != "VerifiedPointTooOld"));
}

#[test]
fn the_age_of_etcd_managers_newest_backup_alarms_by_the_minute_and_so_does_silence() {
    for (parameters, minutes) in [(json!({}), 120), (json!({"StoreBackupMaxAgeMinutes": "45"}), 45)] {
        let stack = with_store(parameters);
        let alarm = stack.properties("StoreBackupTooOld");
        assert_eq!(of_metric(alarm), &json!({"Namespace": "EtcdVolumeBackup", "MetricName": "StoreBackupAge"}));
        let [told, age] = &alarm["Metrics"].as_array().unwrap()[..] else { panic!("{alarm:#}") };
        assert_eq!(told["Expression"], json!(format!("{} / 60", age["Id"].as_str().unwrap())), "seconds to minutes");
        assert_eq!((&age["MetricStat"]["Period"], &age["MetricStat"]["Stat"]), (&json!(3600), &json!("Maximum")));
        assert_eq!(
            (&alarm["ComparisonOperator"], &alarm["Threshold"]),
            (&json!("GreaterThanThreshold"), &json!(minutes))
        );
        assert_eq!(alarm["TreatMissingData"], "breaching");
        assert!(alarm["AlarmDescription"].as_str().unwrap().contains(&format!("older than {minutes} minutes")));
    }
    let none = with_store(json!({"StoreBackupMaxAgeMinutes": "0"}));
    assert!(none.all("AWS::CloudWatch::Alarm").all(|(alarm, _)| alarm != "StoreBackupTooOld"));
}

#[test]
fn a_backup_that_was_found_unsound_alarms_until_the_next_night() {
    let stack = with_store(json!({}));
    let alarm = stack.properties("StoreBackupUnsound");
    assert_eq!((&alarm["MetricName"], &alarm["Statistic"]), (&json!("StoreBackupsUnsound"), &json!("Maximum")));
    assert_eq!((&alarm["Period"], &alarm["Threshold"]), (&json!(86_400), &json!(1)));
}

#[test]
fn the_topic_can_be_published_to_and_mails_who_was_named() {
    let stack = Stack::with(&json!({"AlarmEmail": "oncall@example.com"}));
    let topic = &stack.outputs()["AlarmTopic"];
    // CloudWatch could not publish to a topic that is encrypted with SNS's own key.
    assert_eq!(stack.properties("Topic")["KmsMasterKeyId"], Value::Null);
    let statements = stack.properties("TopicPolicy")["PolicyDocument"]["Statement"].as_array().unwrap();
    let publishers: Vec<&Value> = statements.iter().map(|statement| &statement["Principal"]["Service"]).collect();
    // "You can't use Condition blocks in Amazon SNS topic policies for EventBridge": its user guide, "Using
    // resource-based policies". So EventBridge publishes by a role of this account.
    assert_eq!(publishers, ["cloudwatch.amazonaws.com"]);
    assert_eq!(statements[0]["Resource"], *topic);
    let of_these_alarms = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:etcd-volume-backup-*";
    let condition =
        json!({"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": of_these_alarms}});
    assert_eq!(statements[0]["Condition"], condition);
    for (alarm, properties) in stack.all("AWS::CloudWatch::Alarm") {
        assert!(properties["AlarmName"].as_str().unwrap().starts_with("etcd-volume-backup-"), "{alarm}");
    }
    let mail = json!({"Protocol": "email", "Endpoint": "oncall@example.com", "TopicArn": topic});
    assert_eq!(*stack.properties("Subscription"), mail);

    let stack = Stack::with(&json!({"AlarmEmail": "oncall@example.com", "AlarmTopicArn": TOPIC}));
    assert_eq!(stack.all("AWS::SNS::Topic").count() + stack.all("AWS::SNS::TopicPolicy").count(), 0);
    assert_eq!(stack.properties("Subscription")["TopicArn"], TOPIC);
    assert_eq!(Stack::by_default().all("AWS::SNS::Subscription").count(), 0);
}
