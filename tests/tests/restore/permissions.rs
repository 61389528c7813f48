//! The function's role: every call that it makes is allowed, and what it must never do is not.

use std::collections::BTreeSet;

use scenarios::ledger::Ledger;
use scenarios::observed::Call;
use scenarios::policy::{Context, Request, actions, allows};
use scenarios::tags::Tags;
use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::*;

const VOLUME: &str = "arn:aws:ec2:eu-central-1:111122223333:volume/vol-0123456789abcdef0";

fn policy() -> Value {
    serde_json::from_str(include_str!("../../../infra/policies/restore.json")).unwrap()
}

/// What IAM knows of a call that tags a volume: the tags that it has, and those that the call names.
fn context(of_volume: &Tags, named: &Tags) -> Context {
    let one = |value: &String| BTreeSet::from([value.clone()]);
    let mut context: Context =
        of_volume.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), one(value))).collect();
    context.extend(named.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), one(value))));
    context.insert("aws:TagKeys".into(), named.keys().cloned().collect());
    context
}

/// What EC2 asks IAM about a call that changes something.
fn questions(call: &Call, before: &Ledger) -> Vec<(&'static str, &'static str, Context)> {
    let named = call.tags();
    match call.action.as_str() {
        "CreateVolume" => {
            let mut of_volume = context(&Tags::new(), &named);
            let mut tagging = of_volume.clone();
            if let Some(snapshot) = call.param("SnapshotId") {
                of_volume.insert("ec2:ParentSnapshot".into(), [snapshot.to_owned()].into());
            }
            tagging.insert("ec2:CreateAction".into(), ["CreateVolume".to_owned()].into());
            vec![
                ("ec2:CreateVolume", VOLUME, of_volume),
                ("ec2:CreateVolume", "arn:aws:ec2:eu-central-1::snapshot/snap-0123456789abcdef0", Context::new()),
                ("ec2:CreateTags", VOLUME, tagging),
            ]
        }
        action => {
            let tags = before.tags(call.param("ResourceId.1").unwrap()).unwrap();
            let action = if action == "CreateTags" { "ec2:CreateTags" } else { "ec2:DeleteTags" };
            vec![(action, VOLUME, context(tags, &named))]
        }
    }
}

#[tokio::test]
async fn every_call_of_an_apply_a_withdrawal_and_an_undo_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.past_point("main", POINT).await;
    cluster.past_point("events", POINT).await;
    cluster.lose("events", "b").await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    account.forget_calls().await;
    restore.invoke(json!({})).await.unwrap();
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.fail_next("DeleteTags").after(2).with("InternalError", 500).times(9).await;
    restore.invoke(apply.clone()).await.unwrap_err();
    account.clear_faults().await;
    let result = restore.invoke(apply).await.unwrap();
    restore.invoke(result["undo"].clone()).await.unwrap();
    let lost = applied(&restore, json!({"cluster": CLUSTER, "etcd_cluster": "events", "replace": true})).await;
    restore.invoke(lost["undo"].clone()).await.unwrap();
    applied(&restore, main(json!({"cut_over": false}))).await;

    let policy = policy();
    let calls = account.all_calls().await;
    let mut asked = BTreeSet::from(["ec2:CreateTags".to_owned()]);
    let mut before = Ledger::from(&before);
    let mut moments = before.clone().moments(&calls).into_iter();
    for call in &calls {
        asked.insert(format!("{}:{}", if call.action == "PutEvents" { "events" } else { "ec2" }, call.action));
        if call.action.starts_with("Describe") || call.action == "PutEvents" {
            continue;
        }
        for (action, resource, context) in questions(call, &before) {
            let request = Request { action, resource, context };
            assert!(allows(&policy, &request), "{request:#?}");
        }
        if call.performed && call.error.is_none() {
            before = moments.next().unwrap().1;
        }
    }
    // EC2 uses the key in the caller's name: no call of the function's shows it. See "Required AWS KMS key policy" and
    // "How Amazon EBS encryption works" in the EBS user guide.
    let through_ec2 =
        ["Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "CreateGrant"];
    asked.extend(through_ec2.map(|action| format!("kms:{action}")));
    assert_eq!(actions(&policy), asked.iter().map(String::as_str).collect());
}

#[tokio::test]
async fn what_the_role_must_never_do_is_not_allowed() {
    let policy = policy();
    let kops = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let marked = tags::of([("etcd-backup/restore", "20261123T021500.041Z-1a2b3c4d")]);
    let strange = tags::of([("Name", "a database")]);
    let parked = tags::of([("etcd-backup/retired-at", "2026-11-23T02:15:00Z")]);
    let request = |action, resource, context| Request { action, resource, context };
    let with = |mut context: Context, key: &str, value: &str| {
        context.insert(key.to_owned(), [value.to_owned()].into());
        context
    };
    let none = Tags::new();
    for (allowed, what, request) in [
        (false, "a blank volume", request("ec2:CreateVolume", VOLUME, context(&none, &marked))),
        (
            false,
            "an unmarked volume",
            request("ec2:CreateVolume", VOLUME, with(context(&none, &kops), "ec2:ParentSnapshot", "snap-1")),
        ),
        (
            true,
            "a marked volume of a snapshot",
            request("ec2:CreateVolume", VOLUME, with(context(&none, &marked), "ec2:ParentSnapshot", "snap-1")),
        ),
        (false, "a stranger's volume is made kops'", request("ec2:CreateTags", VOLUME, context(&strange, &kops))),
        (false, "a stranger's volume loses tags", request("ec2:DeleteTags", VOLUME, context(&strange, &strange))),
        (
            false,
            "a stranger's volume is marked as retired",
            request("ec2:CreateTags", VOLUME, context(&strange, &parked)),
        ),
        (
            false,
            "so in a create call of another kind",
            request("ec2:CreateTags", VOLUME, with(context(&none, &kops), "ec2:CreateAction", "RunInstances")),
        ),
        (true, "a kops volume is parked", request("ec2:CreateTags", VOLUME, context(&kops, &parked))),
        (true, "a retired one is given back", request("ec2:CreateTags", VOLUME, context(&parked, &kops))),
        (
            false,
            "a snapshot is tagged",
            request("ec2:CreateTags", "arn:aws:ec2:eu-central-1::snapshot/snap-1", context(&kops, &kops)),
        ),
        (
            false,
            "a snapshot is deleted",
            request("ec2:DeleteSnapshot", "arn:aws:ec2:eu-central-1::snapshot/snap-1", Context::new()),
        ),
        (false, "a volume is deleted", request("ec2:DeleteVolume", VOLUME, context(&kops, &none))),
        (
            false,
            "a key used not through EC2",
            request("kms:Decrypt", "arn:aws:kms:eu-central-1:111122223333:key/1", Context::new()),
        ),
    ] {
        assert_eq!(allows(&policy, &request), allowed, "{what}");
    }
}
