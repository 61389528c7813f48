//! The role of `plan`: it can look, and nothing else.

use scenarios::tags::{self, Tags};
use scenarios::{Function, Kops, LocalAws, Stack};
use serde_json::json;

use super::asked::{ACCOUNT, SNAPSHOT, VOLUME, asked, listing, on, on_object, put_events, volume_of, with};
use super::{CLUSTER, KEY, answers, is_exactly, with_store};

#[tokio::test]
async fn every_call_of_a_list_and_of_plans_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    let point = cluster.verified_point("main", "2026-11-23T02:00:00Z").await;
    cluster.verified_point("events", "2026-11-23T02:00:00Z").await;
    cluster.lose("events", "b").await;
    let plan = Function::plan().account(&account).start().await;
    account.forget_calls().await;
    for event in [
        json!({}),
        json!({"cluster": CLUSTER, "etcd_cluster": "main", "replace": true}),
        json!({"cluster": CLUSTER, "etcd_cluster": "main", "cut_over": false}),
        json!({"cluster": CLUSTER, "etcd_cluster": "events"}),
        json!({"snapshot": point["a"]}),
    ] {
        plan.invoke(event.clone()).await.unwrap_or_else(|error| panic!("{event}: {error}"));
    }

    let calls = account.all_calls().await;
    assert!(calls.iter().all(|call| call.action.starts_with("Describe")), "{calls:#?}");
    let questions: Vec<_> = calls.iter().flat_map(|call| asked(call, |id| panic!("{id} is named"))).collect();
    for parameters in [json!({"KmsKeyArns": KEY}), json!({"Clusters": CLUSTER, "ForeignSnapshots": "any"})] {
        is_exactly(&Stack::with(&parameters).role("PlanRole"), &questions, &[]);
    }
}

#[test]
fn whatever_another_function_writes_it_must_not() {
    let volume = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let snapshot = tags::snapshot(&volume, "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let (none, verdict) = (Tags::new(), tags::of([("etcd-backup/verified", "ok at=2026-11-23T02:01:00Z")]));
    let retired = tags::of([("etcd-backup/retired-at", "2026-11-23T02:15:00Z")]);
    let restored = tags::of([("etcd-backup/restore", "20261123T021500.041Z-1a2b3c4d")]);
    let backup = "state-store/pre/k8s.example.com/backups/etcd/main/etcd-volume-backup-2026-11-23T02:00:01Z-730737/etcd.backup.gz";
    let through_ec2 = |action| with(on(KEY, action, &none, &none), "kms:ViaService", "ec2.eu-central-1.amazonaws.com");
    let table = vec![
        (true, "all snapshots are looked at", on("*", "ec2:DescribeSnapshots", &none, &none)),
        (false, "a snapshot is taken", on(VOLUME, "ec2:CreateSnapshot", &volume, &none)),
        (false, "a snapshot is taken", on(SNAPSHOT, "ec2:CreateSnapshot", &none, &snapshot)),
        (
            false,
            "and tagged",
            with(on(SNAPSHOT, "ec2:CreateTags", &none, &snapshot), "ec2:CreateAction", "CreateSnapshot"),
        ),
        (false, "a snapshot is deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &snapshot, &none)),
        (false, "a verdict is written", on(SNAPSHOT, "ec2:CreateTags", &snapshot, &verdict)),
        (false, "a snapshot's blocks are listed", on(SNAPSHOT, "ebs:ListSnapshotBlocks", &snapshot, &none)),
        (false, "and read", on(SNAPSHOT, "ebs:GetSnapshotBlock", &snapshot, &none)),
        (
            false,
            "a volume is made",
            with(on(VOLUME, "ec2:CreateVolume", &none, &restored), "ec2:ParentSnapshot", SNAPSHOT),
        ),
        (false, "of a snapshot", volume_of(ACCOUNT, &snapshot)),
        (false, "and tagged", with(on(VOLUME, "ec2:CreateTags", &none, &restored), "ec2:CreateAction", "CreateVolume")),
        (false, "a volume is retired", on(VOLUME, "ec2:CreateTags", &volume, &retired)),
        (false, "and loses its tags", on(VOLUME, "ec2:DeleteTags", &volume, &volume)),
        (false, "locks, which it does not ask for", on("*", "ec2:DescribeLockedSnapshots", &none, &none)),
        (false, "a key is used", through_ec2("kms:Decrypt")),
        (false, "a key is written with", through_ec2("kms:GenerateDataKeyWithoutPlaintext")),
        (false, "it is re-encrypted from", through_ec2("kms:ReEncryptFrom")),
        (false, "and to", through_ec2("kms:ReEncryptTo")),
        (false, "a key is looked at", through_ec2("kms:DescribeKey")),
        (false, "a key is let be used", with(through_ec2("kms:CreateGrant"), "kms:GrantIsForAWSResource", "true")),
        (false, "an event on the bus", put_events("default")),
        (false, "a store is listed", listing("state-store", Some("pre/k8s.example.com/backups/etcd/main/"))),
        (false, "a backup is read", on_object("s3:GetObject", backup)),
        (false, "written", on_object("s3:PutObject", backup)),
        (false, "and dropped", on_object("s3:AbortMultipartUpload", backup)),
        (false, "a data key is made", through_ec2("kms:GenerateDataKey")),
    ];
    let stack = with_store(json!({"KmsKeyArns": KEY, "StoreKmsKeyArn": KEY, "ForeignSnapshots": "any"}));
    let plan = stack.role("PlanRole");
    for role in ["BackupRole", "ExportRole", "RestoreRole", "VerifyRole"] {
        for action in stack.role(role).actions().difference(&plan.actions()) {
            assert!(
                table.iter().any(|(.., request)| request.action == *action),
                "{action} of {role} is not in the table"
            );
        }
    }
    answers(&plan, table);
}
