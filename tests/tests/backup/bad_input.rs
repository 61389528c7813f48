//! Bad input is refused, says what is accepted, and changes nothing.

use scenarios::{Function, Kops, LocalAws, events};
use serde_json::{Value, json};

use super::{backup, backup_with};

#[tokio::test]
async fn an_event_that_cannot_be_meant_is_refused_with_what_is_accepted() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    let backup = backup(&account).await;
    account.forget_calls().await;
    let mut no_time = events::scheduled("2026-11-23T02:00:00Z");
    no_time.as_object_mut().unwrap().remove("time");

    for (event, says) in [
        (json!({"key1": "value1", "key2": "value2", "key3": "value3"}), "unknown field `key1`"),
        (json!({"dryrun": true}), "unknown field `dryrun`"),
        (json!({"dry_run": "true"}), "dry_run: invalid type: string \"true\", expected a boolean"),
        (json!({"keep": 1}), "keep: invalid type: integer `1`, expected a boolean"),
        (json!({"cluster": ["k8s.example.com"]}), "cluster: invalid type: sequence, expected a string"),
        (json!({"cluster": ""}), "cluster: `` is not a kops cluster name"),
        (json!({"cluster": "*"}), "cluster: `*` is not a kops cluster name"),
        (json!({"etcd_cluster": "k8s.io/etcd/main"}), "etcd_cluster: `k8s.io/etcd/main` is not an etcd cluster name"),
        (json!({"scheduled_time": "yesterday"}), "scheduled_time: "),
        (json!({"scheduled_time": "2026-11-23T02:00:00Z", "prune": false}), "unknown field `prune`"),
        (events::scheduled("tomorrow"), "time: "),
        (events::scheduled("2096-11-23T02:00:00Z"), "time: 2096-11-23T02:00:00Z lies in the future"),
        (events::from_scheduler("2096-11-23T02:00:00Z"), "scheduled_time: 2096-11-23T02:00:00Z lies in the future"),
        (no_time, "missing field `time`"),
        (json!({"source": "aws.ec2", "detail-type": "EBS Snapshot Notification"}), "unknown field"),
        (json!([]), "the event is not a JSON object"),
        (json!("backup"), "the event is not a JSON object"),
        (Value::Null, "the event is not a JSON object"),
    ] {
        let error = backup.invoke(event.clone()).await.expect_err(&event.to_string());
        assert_eq!(error.error_type, "InvalidRequest", "{event}");
        assert!(error.error_message.contains(says), "{event}: {error}");
        assert!(error.error_message.contains("Nothing was done; accepted by hand"), "{event}: {error}");
    }
    assert!(account.all_calls().await.is_empty());
    assert!(backup.logs().iter().any(|line| line.contains("unknown field `key1`")), "a refusal is logged");
}

#[tokio::test]
async fn a_cluster_that_is_not_looked_after_is_refused() {
    let account = LocalAws::account();
    Kops::cluster("other.example.com").create(&account).await;
    let backup = backup_with(&account, "CLUSTERS", "k8s.example.com").await;
    account.forget_calls().await;

    let error = backup.invoke(json!({"cluster": "other.example.com"})).await.unwrap_err();

    assert_eq!(error.error_type, "InvalidRequest");
    assert!(error.error_message.starts_with("cluster: `other.example.com` is not one of CLUSTERS (k8s.example.com)"));
    assert!(account.all_calls().await.is_empty());
}

#[tokio::test]
async fn a_bad_configuration_is_answered_to_every_invocation_and_calls_nothing() {
    let account = LocalAws::account();
    Kops::cluster("k8s.example.com").create(&account).await;
    account.forget_calls().await;

    for (name, value, says) in [
        ("RETENTION", "", "RETENTION: is empty; leave it away for its default `keep-last=3,keep-hourly=24,"),
        ("RETENTION", "keep-forever=1", "RETENTION: `keep-forever=1` is not one of keep-last=N"),
        ("RETENTION", "keep-last=0,keep-daily=0", "RETENTION: keeps nothing: at least one rule must be above 0"),
        ("RETENTION", "keep-last=unlimited", "RETENTION: `keep-last=unlimited` needs a whole number"),
        ("SLOT", "7h", "SLOT: `7h` is not a duration that divides 24 hours"),
        ("SLOT", "0s", "SLOT: `0s` is not a duration that divides 24 hours"),
        ("CLUSTERS", "", "CLUSTERS: is empty"),
        ("CONCURRENCY", "0", "CONCURRENCY: `0` is not a whole number from 1 to 256"),
    ] {
        let backup = backup_with(&account, name, value).await;
        for event in [events::scheduled("2026-11-23T02:00:00Z"), json!({}), json!({"key1": "value1"})] {
            let error = backup.invoke(event).await.unwrap_err();
            assert_eq!(error.error_type, "InvalidConfiguration", "{name}={value}");
            assert!(error.error_message.starts_with(says), "{name}={value}: {error}");
        }
        assert!(backup.logs().iter().any(|line| line.contains(says)), "{name}={value} is logged at the start");
    }
    assert!(account.all_calls().await.is_empty());
}

#[tokio::test]
async fn all_bad_values_come_in_one_message() {
    let account = LocalAws::account();
    let function = Function::named("backup").account(&account);
    let backup = function.env("SLOT", "5h").env("PRUNE", "maybe").env("MAX_SKEW", "").start().await;

    let error = backup.invoke(json!({})).await.unwrap_err();

    for says in ["SLOT: `5h`", "PRUNE: `maybe` is neither `on` nor `off`", "MAX_SKEW: is empty"] {
        assert!(error.error_message.contains(says), "{error}");
    }
}
