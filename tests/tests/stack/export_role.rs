//! The function `export`: there where a store is given, and its role.

use std::collections::BTreeMap;

use scenarios::stack::Request;
use scenarios::tags::{self, Tags};
use scenarios::{Disk, Function, Kops, LocalAws, Stack, events};
use serde_json::{Value, json};

use super::asked::{SNAPSHOT, VOLUME, asked, listing, on, on_object, put_events, with};
use super::{CLUSTER, KEY, OTHER, STORE, answers, is_exactly, with_store};

/// Another account's, where the bucket is.
const STORE_KEY: &str = "arn:aws:kms:eu-west-1:210987654321:key/mrk-1234";
/// Etcd `main`'s store.
const MAIN: &str = "pre/k8s.example.com/backups/etcd/main";

/// EBS decrypts in the caller's name, and so does S3.
const UNSEEN: [(&[&str], &str); 2] = [
    (
        &["kms:Decrypt"],
        "https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-permissions.html#ebsapi-kms-permissions",
    ),
    (
        &["kms:Decrypt", "kms:GenerateDataKey"],
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions",
    ),
];

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
    let with = with_store(json!({}));
    assert_eq!((counts(&with), alarms(&with)), ([1, 1, 2], 3));
    let state = |stack: &Stack| stack.properties("ExportFunctionVerified")["State"].clone();
    assert_eq!(state(&with), "DISABLED");
    assert_eq!(state(&with_store(json!({"Export": "daily"}))), "ENABLED");
    let arn = "arn:aws:events:eu-central-1:999999999999:event-bus/central";
    for (bus, is_there, of_rule) in
        [("", "DISABLED", "default"), (arn, "DISABLED", "default"), ("ops", "ENABLED", "ops")]
    {
        let stack = with_store(json!({"Export": "all", "EventBus": bus}));
        assert_eq!(state(&stack), is_there, "{bus}");
        assert_eq!(stack.properties("ExportFunctionVerified")["EventBusName"], of_rule, "it can be made");
    }
}

/// With the events that `verify` really sends.
#[tokio::test]
async fn verifys_word_starts_an_export_and_nobody_elses() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let verify = Function::named("verify").account(&account).start().await;
    let sound = Disk::fixture("clean-3.5");
    let corrupt = Disk::fixture("clean-3.5").without_meta_pages();
    for (point, disk) in [("2026-11-23T01:00:00Z", sound), ("2026-11-23T02:00:00Z", corrupt)] {
        let snapshot = cluster.past_point("main", point).await.remove("a").unwrap();
        account.put_disk(&snapshot, &disk.bytes).await;
        verify.invoke(json!({"snapshot": snapshot})).await.unwrap();
    }
    let [verified, corrupt] = <[Value; 2]>::try_from(super::events::delivered(&account).await).unwrap();
    let mut foreign = verified.clone();
    foreign["account"] = json!("999999999999");
    let mut strange = verified.clone();
    strange["source"] = json!("aws.ec2");
    let stack = with_store(json!({"Export": "all"}));
    let pattern = &stack.properties("ExportFunctionVerified")["EventPattern"];
    let pairs = [&verified, &corrupt, &foreign, &strange].map(|event| (pattern, event));
    assert_eq!(scenarios::stack::matches(&pairs), [true, false, false, false]);

    account.bucket("state-store").await;
    let export = Function::named("export").account(&account).env("STORE", STORE).env("EXPORT", "all").start().await;
    assert_eq!(export.invoke(verified).await.unwrap()["outcome"], "exported", "as it is delivered");
}

#[tokio::test]
async fn every_call_of_exports_lists_commands_and_looks_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let mut tags = BTreeMap::new();
    for point in ["2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"] {
        let snapshot = cluster.past_point("main", point).await.remove("a").unwrap();
        account.put_disk(&snapshot, &Disk::fixture("clean-3.5").bytes).await;
        tags.insert(snapshot.clone(), account.snapshot(&snapshot).await.unwrap().tags);
    }
    let bucket = account.bucket("state-store").await;
    let spec = format!("{MAIN}/control/etcd-cluster-spec");
    let own = format!("{MAIN}/2026-11-23T01:45:00Z-000001");
    for (key, bytes) in [
        (spec.clone(), "{\"memberCount\": 1, \"etcdVersion\": \"3.5.16\"}"),
        (format!("{own}/etcd.backup.gz"), "no gzip"),
        (format!("{own}/_etcd_backup.meta"), "{\"etcdVersion\": \"3.5.16\"}"),
    ] {
        bucket.put(&key, bytes).await;
    }
    account.forget_calls().await;
    let export = Function::named("export").account(&account).env("STORE", STORE).env("EXPORT", "all").start().await;
    let of_main = |mode: &str, backup: &Value| json!({"mode": mode, "cluster": CLUSTER, "etcd_cluster": "main", "backup": backup});

    let verified = json!({"source": "etcd-volume-backup", "detail-type": "Etcd Snapshot Verified",
        "detail": {"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": "2026-11-23T02:00:00Z"}});
    account.fail_next("PutObject").losing_the_answer().await;
    let exported = export.invoke(verified).await.unwrap();
    assert_eq!(exported["outcome"], "exported", "{exported:#}");
    export.invoke(json!({})).await.unwrap();
    let plan = export.invoke(of_main("restore", &exported["backup"])).await.unwrap();
    account.fail_next("PutObject").losing_the_answer().await;
    assert_eq!(export.invoke(plan["apply"].clone()).await.unwrap()["outcome"], "commanded");
    let missing = export.invoke(of_main("restore", &json!("2026-01-01T00:00:00Z-000001"))).await.unwrap();
    assert_eq!(missing["refusals"][0]["type"], "CommandPending", "{missing:#}");
    let looked = export.invoke(events::scheduled("2026-11-23T03:15:00Z")).await.unwrap();
    assert!(looked["warnings"].to_string().contains("no whole gzip"), "{looked:#}");
    let by_hand = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": "2026-11-23T01:00:00Z"});
    account.fail_next("UploadPart").with("AccessDenied", 403).always().await;
    export.invoke(by_hand.clone()).await.unwrap_err();
    account.clear_faults().await;
    let calls = account.all_calls().await;
    bucket.delete(&spec).await;
    account.forget_calls().await;
    export.invoke(by_hand).await.unwrap();

    let calls = calls.into_iter().chain(account.all_calls().await);
    let questions: Vec<_> = calls.flat_map(|call| asked(&call, |id| tags[id].clone())).collect();
    let asks = |action: &str, what: &str| {
        let is_it = |one: &&Request| one.resource.ends_with(what) || one.context["s3:prefix"] == *what;
        questions.iter().filter(|one| one.action == action).any(|one| is_it(&one))
    };
    assert!(asks("s3:GetObject", "/_command.json"), "whether a command was written after all");
    assert!(asks("s3:ListBucket", &spec), "whether there is a spec");
    assert!(asks("s3:AbortMultipartUpload", "/etcd.backup.gz"));
    for clusters in ["*", CLUSTER] {
        let stack = with_store(json!({"Clusters": clusters, "KmsKeyArns": KEY, "StoreKmsKeyArn": STORE_KEY}));
        is_exactly(&stack.role("ExportRole"), &questions, &UNSEEN);
    }
}

#[test]
fn what_the_role_must_never_do_is_not_allowed() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let marked = |cluster: &str| tags::snapshot(&of(cluster), "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let (none, verdict) = (Tags::new(), tags::of([("etcd-backup/verified", "ok at=2026-11-23T02:01:00Z")]));
    let s3 = |action: &str, rest: &str| on_object(action, &format!("state-store/{MAIN}/{rest}"));
    let ours = "etcd-volume-backup-2026-11-23T02:00:01Z-730737";
    let own = "2026-11-23T01:45:00Z-000001";
    let data = |backup: &str| format!("{backup}/etcd.backup.gz");
    let meta = |backup: &str| format!("{backup}/_etcd_backup.meta");
    let of_bucket = |action: &str| on_object(action, "state-store");
    answers(
        &with_store(json!({"Clusters": CLUSTER})).role("ExportRole"),
        vec![
            (true, "a snapshot of ours is read", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(CLUSTER), &none)),
            (false, "another cluster's", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(OTHER), &none)),
            (false, "an unmarked one", on(SNAPSHOT, "ebs:ListSnapshotBlocks", &of(CLUSTER), &none)),
            (false, "a verdict is written", on(SNAPSHOT, "ec2:CreateTags", &marked(CLUSTER), &verdict)),
            (false, "a snapshot is deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked(CLUSTER), &none)),
            (false, "taken", on(VOLUME, "ec2:CreateSnapshot", &of(CLUSTER), &none)),
            (false, "made a volume", on(VOLUME, "ec2:CreateVolume", &none, &of(CLUSTER))),
            (false, "an event on the bus", put_events("default")),
            (true, "an export is written", s3("s3:PutObject", &data(ours))),
            (true, "and its meta", s3("s3:PutObject", &meta(ours))),
            (true, "its parts are dropped", s3("s3:AbortMultipartUpload", &data(ours))),
            (true, "a command is given", s3("s3:PutObject", "control/2026-11-23T03:00:00Z-000000/_command.json")),
            (false, "etcd-manager's backup is written over", s3("s3:PutObject", &data(own))),
            (false, "or its meta", s3("s3:PutObject", &meta(own))),
            (false, "another file", s3("s3:PutObject", &format!("{ours}/other"))),
            (false, "the cluster's spec", s3("s3:PutObject", "control/etcd-cluster-spec")),
            (false, "the marker of a cluster", s3("s3:PutObject", "control/etcd-cluster-created")),
            (
                false,
                "a command is taken back",
                s3("s3:DeleteObject", "control/2026-11-23T03:00:00Z-000000/_command.json"),
            ),
            (false, "an export is deleted", s3("s3:DeleteObject", &data(ours))),
            (false, "or a version of it", s3("s3:DeleteObjectVersion", &data(ours))),
            (false, "its lock is got round", s3("s3:BypassGovernanceRetention", &data(ours))),
            (false, "or changed", s3("s3:PutObjectRetention", &data(ours))),
            (false, "it is given away", s3("s3:PutObjectAcl", &data(ours))),
            (false, "its upload is another's", s3("s3:AbortMultipartUpload", &data(own))),
            (true, "a backup of etcd-manager's is read", s3("s3:GetObject", &data(own))),
            (true, "the cluster's spec", s3("s3:GetObject", "control/etcd-cluster-spec")),
            (
                false,
                "a key of kops' is read",
                on_object("s3:GetObject", "state-store/pre/k8s.example.com/pki/private/ca/key.pem"),
            ),
            (
                false,
                "or one beside the store",
                on_object("s3:GetObject", "state-store/pre/k8s.example.com/backups/other/x/etcd.backup.gz"),
            ),
            (false, "another bucket's", on_object("s3:GetObject", &format!("payments/{MAIN}/{}", data(own)))),
            (
                false,
                "or one of a longer name",
                on_object("s3:PutObject", &format!("state-store-2/{MAIN}/{}", data(ours))),
            ),
            (true, "a store is listed", listing("state-store", Some(&format!("{MAIN}/")))),
            (false, "all of the bucket", listing("state-store", None)),
            (false, "all of it", listing("state-store", Some(""))),
            (false, "keys of kops'", listing("state-store", Some("pre/k8s.example.com/pki/"))),
            (false, "another bucket", listing("payments", Some(&format!("{MAIN}/")))),
            (false, "the bucket's policy", of_bucket("s3:PutBucketPolicy")),
            (false, "its rules", of_bucket("s3:PutLifecycleConfiguration")),
            (false, "its versions", of_bucket("s3:PutBucketVersioning")),
            (false, "its lock", of_bucket("s3:PutBucketObjectLockConfiguration")),
        ],
    );
}

/// In a listing folders after the first, where no name is in them, can be anything; reading and writing is of the whole place.
#[test]
fn wherever_the_names_are_in_the_place_the_role_is_limited_to_it() {
    for (store, inside, outside) in [
        ("s3://bucket/{cluster}/{etcd_cluster}", "k8s.example.com/main", "main"),
        ("s3://bucket/x-{etcd_cluster}-y/of/{cluster}-y", "x-main-y/of/k8s.example.com-y", "x-main/of/k8s"),
        (
            "s3://bucket/a/b/c/{cluster}/{etcd_cluster}/d",
            "a/b/c/k8s.example.com/main/d",
            "x/b/c/k8s.example.com/main/d",
        ),
    ] {
        let role = Stack::with(&json!({"Store": store})).role("ExportRole");
        let of_kops = ["k8s.example.com/pki/private/ca/key.pem", "k8s.example.com/config", "a/b/c/k8s/pki/main/d/x/y"];
        assert_eq!(role.allows(&of_kops.map(|key| on_object("s3:GetObject", &format!("bucket/{key}")))), [false; 3]);
        let meta = format!("{inside}/2026-11-23T01:45:00Z-000001/_etcd_backup.meta");
        assert_eq!(role.allows(&[listing("bucket", Some(&meta))]), [true], "{store}: {meta} is not there");
        let written = "etcd-volume-backup-2026-11-23T02:00:01Z-730737/etcd.backup.gz";
        for (place, is_inside) in [(inside, true), (outside, false)] {
            let key = format!("bucket/{place}/{written}");
            let requests = [
                on_object("s3:PutObject", &key),
                on_object("s3:GetObject", &key),
                on_object("s3:GetObject", &format!("bucket/{place}/control/etcd-cluster-spec")),
                listing("bucket", Some(&format!("{place}/"))),
            ];
            assert_eq!(role.allows(&requests), [is_inside; 4], "{store}: {place}");
        }
    }
}

#[test]
fn keys_are_used_through_their_service_and_region_alone() {
    let none = Tags::new();
    let used = |key: &str, action: &str, service: &str| with(on(key, action, &none, &none), "kms:ViaService", service);
    let (ebs, here, there) =
        ("ebs.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com", "s3.eu-west-1.amazonaws.com");
    let both = json!({"KmsKeyArns": KEY, "StoreKmsKeyArn": STORE_KEY});
    let mut elsewhere = both.clone();
    elsewhere["StoreRegion"] = json!("eu-west-1");
    for (parameters, is_here, is_there) in [(both, true, false), (elsewhere, false, true)] {
        answers(
            &with_store(parameters).role("ExportRole"),
            vec![
                (true, "a snapshot's key through EBS", used(KEY, "kms:Decrypt", ebs)),
                (false, "through S3", used(KEY, "kms:Decrypt", here)),
                (false, "written with", used(KEY, "kms:GenerateDataKey", ebs)),
                (is_here, "the store's key through S3", used(STORE_KEY, "kms:Decrypt", here)),
                (is_here, "written with", used(STORE_KEY, "kms:GenerateDataKey", here)),
                (is_there, "through S3 of the bucket's region", used(STORE_KEY, "kms:Decrypt", there)),
                (is_there, "written with there", used(STORE_KEY, "kms:GenerateDataKey", there)),
                (false, "through EBS", used(STORE_KEY, "kms:Decrypt", ebs)),
            ],
        );
    }
    let without = with_store(json!({})).role("ExportRole");
    assert_eq!(without.allows(&[used(KEY, "kms:Decrypt", ebs), used(STORE_KEY, "kms:Decrypt", here)]), [false; 2]);
}
