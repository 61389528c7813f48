//! The function `export`: there where a store is given, and its role.

use scenarios::tags::{self, Tags};
use scenarios::{Disk, Function, Kops, LocalAws, Stack};
use serde_json::{Value, json};

use super::asked::{SNAPSHOT, VOLUME, asked, on, with};
use super::{CLUSTER, KEY, OTHER, answers, is_exactly};

const STORE: &str = "s3://state-store/pre/{cluster}/backups/etcd/{etcd_cluster}";
/// Etcd `main`'s store.
const MAIN: &str = "arn:aws:s3:::state-store/pre/k8s.example.com/backups/etcd/main";

/// EBS decrypts in the caller's name, and so does S3; what failed is dropped.
const UNSEEN: [(&[&str], &str); 2] = [
    (
        &["kms:Decrypt", "kms:GenerateDataKey"],
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions",
    ),
    (&["s3:AbortMultipartUpload"], "https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html"),
];

fn stack(more: &Value) -> Stack {
    let mut parameters = json!({"Store": STORE});
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Stack::with(&parameters)
}

#[test]
fn without_a_store_there_is_no_export() {
    let without = Stack::by_default();
    let of_kind = |stack: &Stack, kind: &str| stack.all(kind).filter(|(name, _)| name.contains("Export")).count();
    let counts = |stack: &Stack| {
        ["AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule"].map(|kind| of_kind(stack, kind))
    };
    let alarms = |stack: &Stack| {
        let names = stack.all("AWS::CloudWatch::Alarm").filter_map(|(_, alarm)| alarm["AlarmName"].as_str());
        names.filter(|name| name.contains("-export-") || name.contains("-store-")).count()
    };
    assert_eq!((counts(without), alarms(without)), ([0; 3], 0));
    let with = stack(&json!({}));
    assert_eq!((counts(&with), alarms(&with)), ([1, 1, 2], 3));
    let state = |stack: &Stack| stack.properties("ExportFunctionVerified")["State"].clone();
    assert_eq!(state(&with), "DISABLED");
    assert_eq!(state(&stack(&json!({"Export": "daily"}))), "ENABLED");
    assert_eq!(state(&stack(&json!({"Export": "all", "EventBus": ""}))), "DISABLED", "nothing is announced");
}

#[test]
fn verifys_word_starts_an_export_and_nobody_elses() {
    let stack = stack(&json!({"Export": "all"}));
    let pattern = &stack.properties("ExportFunctionVerified")["EventPattern"];
    let event = |source: &str, kind: &str| json!({"source": source, "detail-type": kind, "detail": {}});
    let events = [
        event("etcd-volume-backup", "Etcd Snapshot Verified"),
        event("etcd-volume-backup", "Etcd Snapshot Corrupt"),
        event("aws.ec2", "Etcd Snapshot Verified"),
    ];
    let pairs: Vec<(&Value, &Value)> = events.iter().map(|event| (pattern, event)).collect();
    assert_eq!(scenarios::stack::matches(&pairs), [true, false, false]);
}

#[tokio::test]
async fn every_call_of_an_export_a_list_a_command_and_a_look_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let bucket = account.bucket("state-store").await;
    let prefix = "pre/k8s.example.com/backups/etcd/main";
    bucket
        .put(&format!("{prefix}/control/etcd-cluster-spec"), "{\"memberCount\": 1, \"etcdVersion\": \"3.5.16\"}")
        .await;
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let snapshot = cluster.past_point("main", "2026-11-23T02:00:00Z").await.remove("a").unwrap();
    account.put_disk(&snapshot, &Disk::fixture("clean-3.5").bytes).await;
    let tags = account.snapshot(&snapshot).await.unwrap().tags;
    let export = Function::named("export").account(&account).env("STORE", STORE).start().await;
    account.forget_calls().await;
    let made = export.invoke(json!({"snapshot": snapshot})).await.unwrap();
    let of_main = |more: Value| {
        let mut event = json!({"cluster": CLUSTER, "etcd_cluster": "main"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    export.invoke(of_main(json!({"mode": "list"}))).await.unwrap();
    let plan = export.invoke(of_main(json!({"mode": "restore", "backup": made["backup"]}))).await.unwrap();
    export.invoke(plan["apply"].clone()).await.unwrap();
    export.invoke(scenarios::events::scheduled("2026-11-23T03:00:00Z")).await.unwrap();

    let calls = account.all_calls().await;
    let questions: Vec<_> = calls.iter().flat_map(|call| asked(call, |_| tags.clone())).collect();
    for clusters in ["*", CLUSTER] {
        let stack = stack(&json!({"Clusters": clusters, "KmsKeyArns": KEY, "StoreKmsKeyArn": KEY}));
        is_exactly(&stack.role("ExportRole"), &questions, &UNSEEN);
    }
}

#[test]
fn what_the_role_must_never_do_is_not_allowed() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let marked = |cluster: &str| tags::snapshot(&of(cluster), "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let none = Tags::new();
    let object = |action: &str, key: &str| on(key, action, &none, &none);
    let exported = format!("{MAIN}/etcd-volume-backup-2026-11-23T02:00:01Z-730737/etcd.backup.gz");
    let own = format!("{MAIN}/2026-11-23T01:45:00Z-000001/etcd.backup.gz");
    let list = |prefix: &str| with(object("s3:ListBucket", "arn:aws:s3:::state-store"), "s3:prefix", prefix);
    let role = stack(&json!({"Clusters": CLUSTER})).role("ExportRole");
    answers(
        &role,
        vec![
            (true, "a snapshot of ours is read", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(CLUSTER), &none)),
            (false, "another cluster's", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(OTHER), &none)),
            (false, "an unmarked one", on(SNAPSHOT, "ebs:ListSnapshotBlocks", &of(CLUSTER), &none)),
            (false, "a verdict is written", on(SNAPSHOT, "ec2:CreateTags", &marked(CLUSTER), &none)),
            (false, "a snapshot is deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked(CLUSTER), &none)),
            (false, "a volume is made", on(VOLUME, "ec2:CreateVolume", &none, &of(CLUSTER))),
            (true, "an export is written", object("s3:PutObject", &exported)),
            (
                true,
                "a command",
                object("s3:PutObject", &format!("{MAIN}/control/2026-11-23T03:00:00Z-000000/_command.json")),
            ),
            (false, "a backup of etcd-manager's", object("s3:PutObject", &own)),
            (false, "its spec", object("s3:PutObject", &format!("{MAIN}/control/etcd-cluster-spec"))),
            (false, "its marker", object("s3:PutObject", &format!("{MAIN}/control/etcd-cluster-created"))),
            (
                false,
                "the cluster's spec of kops",
                object("s3:PutObject", "arn:aws:s3:::state-store/pre/k8s.example.com/config"),
            ),
            (true, "a backup is read", object("s3:GetObject", &own)),
            (
                false,
                "the cluster's keys",
                object("s3:GetObject", "arn:aws:s3:::state-store/pre/k8s.example.com/pki/private/ca"),
            ),
            (
                false,
                "another bucket's",
                object("s3:GetObject", "arn:aws:s3:::other/pre/k8s.example.com/backups/etcd/main/x"),
            ),
            (false, "an export is deleted", object("s3:DeleteObject", &exported)),
            (false, "a version of it", object("s3:DeleteObjectVersion", &exported)),
            (false, "its lock is taken", object("s3:PutObjectRetention", &exported)),
            (true, "a store is listed", list("pre/k8s.example.com/backups/etcd/main/")),
            (false, "the bucket", list("")),
            (false, "the cluster's keys are", list("pre/k8s.example.com/pki/")),
        ],
    );
    let key = |service: &str, action: &str| with(on(KEY, action, &none, &none), "kms:ViaService", service);
    answers(
        &stack(&json!({"StoreKmsKeyArn": KEY, "StoreRegion": "eu-west-1"})).role("ExportRole"),
        vec![
            (true, "the bucket's key through S3", key("s3.eu-west-1.amazonaws.com", "kms:GenerateDataKey")),
            (false, "in another region", key("s3.eu-central-1.amazonaws.com", "kms:GenerateDataKey")),
            (false, "through EBS", key("ebs.eu-central-1.amazonaws.com", "kms:Decrypt")),
        ],
    );
}
