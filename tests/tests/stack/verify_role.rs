//! The role of `verify`.

use scenarios::tags::{self, Tags};
use scenarios::{Disk, Function, Kops, LocalAws, Stack};
use serde_json::{Value, json};

use super::asked::{SNAPSHOT, VOLUME, asked, from_source, on, put_events, with};
use super::{CLUSTER, KEY, OTHER, answers, is_exactly};

/// EBS decrypts in the caller's name.
const UNSEEN: [(&[&str], &str); 1] = [(
    &["kms:Decrypt"],
    "https://docs.aws.amazon.com/ebs/latest/userguide/ebsapi-permissions.html#ebsapi-kms-permissions",
)];

#[tokio::test]
async fn every_call_of_a_look_and_a_sweep_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let snapshot = cluster.past_point("main", "2026-11-23T02:00:00Z").await.remove("a").unwrap();
    account.put_disk(&snapshot, &Disk::fixture("clean-3.4").bytes).await;
    let tags = account.snapshot(&snapshot).await.unwrap().tags;
    let verify = Function::named("verify").account(&account).start().await;
    account.forget_calls().await;
    let sweep = verify.invoke(scenarios::events::scheduled("2026-11-23T03:30:00Z")).await.unwrap();
    assert_eq!(sweep["recovery_points"][0]["members"][0]["verdict"], "ok", "{sweep}");
    verify.invoke(json!({"snapshot": snapshot, "deep": true})).await.unwrap();

    let calls = account.all_calls().await;
    let questions: Vec<_> = calls.iter().flat_map(|call| asked(call, |_| tags.clone())).collect();
    for clusters in ["*", CLUSTER] {
        let stack = Stack::with(&json!({"Clusters": clusters, "KmsKeyArns": KEY}));
        is_exactly(&stack.role("VerifyRole"), &questions, &UNSEEN);
    }
}

#[test]
fn what_the_role_must_never_do_is_not_allowed() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let marked = |cluster: &str| tags::snapshot(&of(cluster), "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let none = Tags::new();
    let verdict = tags::of([("etcd-backup/verified", "ok at=2026-11-23T02:01:00Z")]);
    let pin = tags::of([("etcd-backup/verified", "ok"), ("etcd-backup/keep", "false")]);
    let role = Stack::with(&json!({"Clusters": CLUSTER})).role("VerifyRole");
    answers(
        &role,
        vec![
            (true, "a snapshot of ours is read", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(CLUSTER), &none)),
            (false, "another cluster's", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(OTHER), &none)),
            (false, "an unmarked one", on(SNAPSHOT, "ebs:ListSnapshotBlocks", &of(CLUSTER), &none)),
            (true, "the verdict is written", on(SNAPSHOT, "ec2:CreateTags", &marked(CLUSTER), &verdict)),
            (false, "another tag with it", on(SNAPSHOT, "ec2:CreateTags", &marked(CLUSTER), &pin)),
            (false, "a mark on a stranger's", on(SNAPSHOT, "ec2:CreateTags", &of(CLUSTER), &verdict)),
            (false, "a verdict on another cluster's", on(SNAPSHOT, "ec2:CreateTags", &marked(OTHER), &verdict)),
            (false, "a verdict is taken away", on(SNAPSHOT, "ec2:DeleteTags", &marked(CLUSTER), &verdict)),
            (false, "a snapshot is written", on(SNAPSHOT, "ebs:PutSnapshotBlock", &marked(CLUSTER), &none)),
            (false, "deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked(CLUSTER), &none)),
            (false, "made a volume", on(VOLUME, "ec2:CreateVolume", &none, &of(CLUSTER))),
            (true, "an event on the bus", put_events("default")),
            (false, "an event of another source", from_source("payments")),
        ],
    );
    let decrypt = |service: &str| with(on(KEY, "kms:Decrypt", &none, &none), "kms:ViaService", service);
    answers(
        &Stack::with(&json!({"KmsKeyArns": KEY})).role("VerifyRole"),
        vec![
            (true, "a key through EBS", decrypt("ebs.eu-central-1.amazonaws.com")),
            (false, "through another service", decrypt("s3.eu-central-1.amazonaws.com")),
        ],
    );
    assert_eq!(role.allows(&[decrypt("ebs.eu-central-1.amazonaws.com")]), [false], "no key was given");
}

/// The pattern of the rule that tells it of snapshots.
#[test]
fn it_is_told_of_snapshots_that_were_taken_or_failed_and_of_nothing_else() {
    let stack = Stack::by_default();
    let pattern = &stack.properties("VerifyFunctionSnapshots")["EventPattern"];
    let event = |event: &str, result: &str| {
        json!({"source": "aws.ec2", "detail-type": "EBS Snapshot Notification",
            "detail": {"event": event, "result": result}})
    };
    let events: [Value; 4] = [
        event("createSnapshot", "succeeded"),
        event("createSnapshot", "failed"),
        event("copySnapshot", "succeeded"),
        json!({"source": "aws.ec2", "detail-type": "EBS Volume Notification", "detail": {"event": "createVolume"}}),
    ];
    let pairs: Vec<(&Value, &Value)> = events.iter().map(|event| (pattern, event)).collect();
    assert_eq!(scenarios::stack::matches(&pairs), [true, true, false, false]);
}
