//! The guard rails, with the masters of a taken-over cluster, and worse, as the attacker.

use std::collections::BTreeSet;

use scenarios::Stack;
use scenarios::stack::{Request, Role};
use scenarios::tags::{self, Tags};
use serde_json::{Value, json};

use super::asked::{ACCOUNT, SNAPSHOT, VOLUME, on, volume_of, with};
use super::masters::{administrator, masters, masters_that_tag_anything};
use super::{CLUSTER, answers, with_store};

const RULE: &str = "arn:aws:rbin:eu-central-1:123456789012:rule/0123456789a";

/// What stands in the way where there are no guard rails.
const IAM: &str = "nobody's permission";

fn policy() -> Value {
    let parameters = json!({"Targets": "ou-abcd-12345678",
        "Trusted": "arn:*:iam::*:role/etcd-volume-backup/*,arn:aws:iam::*:role/platform-*"});
    Stack::guardrails("organization", &parameters).properties("Policy")["Content"].clone()
}

/// The tags of a snapshot of ours, none of which is kops' own.
fn ours() -> Tags {
    tags::of([
        ("Name", "a.etcd-main.k8s.example.com"),
        ("etcd-backup/cluster", CLUSTER),
        ("etcd-backup/etcd-cluster", "main"),
        ("etcd-backup/member", "a/a,b,c"),
        ("etcd-backup/recovery-point", "2026-11-23T02:00:00Z"),
        ("etcd-backup/volume", "id=vol-0123456789abcdef0"),
        ("etcd-backup/trigger", "schedule"),
    ])
}

fn and(tags: &Tags, more: &Tags) -> Tags {
    tags.iter().chain(more).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn created(tags: &Tags, by: &str) -> Request {
    with(on(SNAPSHOT, "ec2:CreateTags", &Tags::new(), tags), "ec2:CreateAction", by)
}

/// What an attacker tries, who, and the statement that refuses it; nothing else does.
fn attacks() -> Vec<(&'static str, Role, &'static str, Request)> {
    let (none, kops) = (Tags::new(), tags::of([("KubernetesCluster", CLUSTER)]));
    let volume = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let restoring = and(&kops, &tags::of([("etcd-backup/restore", "20261123T021500.041Z-1a2b3c4d")]));
    let mark = |key: &str| tags::of([(key, "x")]);
    let snapshot = |action: &str, named: &Tags| on(SNAPSHOT, action, &ours(), named);
    let claimed = and(&ours(), &kops);
    let (csi, legacy, admin) = (masters(CLUSTER), masters_that_tag_anything(CLUSTER), administrator());
    let of_rule = on(RULE, "rbin:DeleteRule", &tags::of([("etcd-backup/guardrail", "recycle-bin")]), &none);
    vec![
        ("deletes a snapshot", csi.clone(), IAM, snapshot("ec2:DeleteSnapshot", &none)),
        ("removes a mark", csi.clone(), IAM, snapshot("ec2:DeleteTags", &mark("etcd-backup/recovery-point"))),
        ("moves a point", csi.clone(), IAM, snapshot("ec2:CreateTags", &mark("etcd-backup/recovery-point"))),
        ("makes it the cluster's", csi.clone(), IAM, snapshot("ec2:CreateTags", &kops)),
        ("shares it", csi.clone(), IAM, snapshot("ec2:ModifySnapshotAttribute", &none)),
        ("forges a snapshot", csi.clone(), "WriteMarks", created(&and(&kops, &ours()), "CreateSnapshot")),
        ("forges one later", csi.clone(), "WriteMarks", on(SNAPSHOT, "ec2:CreateTags", &kops, &ours())),
        (
            "retires a volume",
            csi.clone(),
            "WriteMarks",
            on(VOLUME, "ec2:CreateTags", &volume, &mark("etcd-backup/retired-at")),
        ),
        (
            "ends a restore",
            csi.clone(),
            "WriteMarks",
            on(VOLUME, "ec2:DeleteTags", &restoring, &mark("etcd-backup/restore")),
        ),
        ("ends it with all tags", csi, "RemoveAllTags", on(VOLUME, "ec2:DeleteTags", &restoring, &none)),
        ("makes a snapshot the cluster's", legacy.clone(), "TouchSnapshots", snapshot("ec2:CreateTags", &kops)),
        ("deletes it then", legacy.clone(), "TouchSnapshots", on(SNAPSHOT, "ec2:DeleteSnapshot", &claimed, &none)),
        ("labels it", legacy, "TouchSnapshots", snapshot("ec2:CreateTags", &mark("Name"))),
        ("deletes a snapshot", admin.clone(), "TouchSnapshots", snapshot("ec2:DeleteSnapshot", &none)),
        ("shares it", admin.clone(), "TouchSnapshots", snapshot("ec2:ModifySnapshotAttribute", &none)),
        ("archives it", admin.clone(), "TouchSnapshots", snapshot("ec2:ModifySnapshotTier", &none)),
        ("locks it for ever", admin.clone(), "TouchSnapshots", snapshot("ec2:LockSnapshot", &none)),
        ("unlocks it", admin.clone(), "TouchSnapshots", snapshot("ec2:UnlockSnapshot", &none)),
        ("copies it", admin.clone(), "TouchSnapshots", snapshot("ec2:CopySnapshot", &none)),
        ("makes a volume of it", admin.clone(), "TouchSnapshots", snapshot("ec2:CreateVolume", &none)),
        ("reads it", admin.clone(), "TouchSnapshots", snapshot("ebs:GetSnapshotBlock", &none)),
        ("has deleted ones gone at once", admin.clone(), "TakeDownTheRecycleBin", of_rule),
        (
            "makes snapshots public",
            admin,
            "LetSnapshotsBePublic",
            on("*", "ec2:DisableSnapshotBlockPublicAccess", &none, &none),
        ),
    ]
}

#[test]
fn each_attack_is_refused_and_would_not_be_without_its_statement() {
    let policy = policy();
    let statements = policy["Statement"].as_array().unwrap();
    let without = |sid: &str| {
        let others: Vec<&Value> = statements.iter().filter(|statement| statement["Sid"] != *sid).collect();
        json!({"Version": policy["Version"], "Statement": others})
    };
    for (what, role, refused_by, request) in attacks() {
        let allows = |role: &Role| role.allows(std::slice::from_ref(&request)) == [true];
        assert!(!allows(&role.clone().under(policy.clone())), "{what}: {request:#?}");
        let alone = if refused_by == IAM { role.clone() } else { role.clone().under(without(refused_by)) };
        assert_eq!(allows(&alone), refused_by != IAM, "{what}, without {refused_by}: {request:#?}");
    }
    let needed: BTreeSet<&str> = attacks().iter().map(|(_, _, by, _)| *by).filter(|by| *by != IAM).collect();
    let there: BTreeSet<&str> = statements.iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
    assert_eq!(needed, there, "each statement refuses an attack that nothing else does");
}

#[test]
fn the_functions_and_the_operators_are_not_bound() {
    let none = Tags::new();
    let stack = with_store(json!({}));
    let verdict = tags::of([("etcd-backup/verified", "ok at=2026-11-23T02:01:00Z")]);
    let retired = tags::of([("etcd-backup/retired-at", "2026-11-23T02:15:00Z")]);
    let volume = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let marked = ours();
    for (role, request) in [
        ("BackupRole", on(SNAPSHOT, "ec2:CreateSnapshot", &none, &marked)),
        ("BackupRole", created(&marked, "CreateSnapshot")),
        ("BackupRole", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked, &none)),
        ("RestoreRole", volume_of(ACCOUNT, &marked)),
        ("RestoreRole", on(VOLUME, "ec2:CreateTags", &volume, &retired)),
        ("RestoreRole", on(VOLUME, "ec2:DeleteTags", &and(&volume, &retired), &retired)),
        ("VerifyRole", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked, &none)),
        ("VerifyRole", on(SNAPSHOT, "ec2:CreateTags", &marked, &verdict)),
        ("ExportRole", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked, &none)),
    ] {
        let role = stack.role(role).under(policy());
        assert_eq!(role.allows(std::slice::from_ref(&request)), [true], "{request:#?}");
    }
    for (_, _, _, request) in attacks() {
        let operator = administrator().known_as("platform-oncall").under(policy());
        assert_eq!(operator.allows(std::slice::from_ref(&request)), [true], "{request:#?}");
    }
}

#[test]
fn the_plan_function_is_bound_like_anybody_and_looks_all_the_same() {
    let everything = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    });
    let plan = Stack::by_default().role("PlanRole").and(everything).under(policy());
    for (what, _, refused_by, request) in attacks() {
        let allowed = plan.allows(std::slice::from_ref(&request));
        assert!(refused_by == IAM || allowed == [false], "{what}: {request:#?}");
    }
    let plan = Stack::by_default().role("PlanRole").under(policy());
    for looking in ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"] {
        assert_eq!(plan.allows(&[on("*", looking, &Tags::new(), &Tags::new())]), [true], "{looking}");
    }
}

#[test]
fn what_else_a_cluster_does_goes_on() {
    let none = Tags::new();
    let persistent = tags::of([("KubernetesCluster", CLUSTER), ("Name", "k8s.example.com-dynamic-pvc-1")]);
    let label = tags::of([("team", "payments")]);
    let through = |request| with(request, "ec2:CreateAction", "CreateVolume");
    answers(
        &masters(CLUSTER).under(policy()),
        vec![
            (true, "a volume is made", on(VOLUME, "ec2:CreateVolume", &none, &persistent)),
            (true, "and tagged", through(on(VOLUME, "ec2:CreateTags", &none, &persistent))),
            (true, "it is attached", on(VOLUME, "ec2:AttachVolume", &persistent, &none)),
            (true, "it is labelled", on(VOLUME, "ec2:CreateTags", &persistent, &label)),
            (true, "a label is removed", on(VOLUME, "ec2:DeleteTags", &persistent, &label)),
            (true, "its snapshot is taken", on(SNAPSHOT, "ec2:CreateSnapshot", &none, &persistent)),
            (true, "and tagged", created(&persistent, "CreateSnapshot")),
            (true, "and deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &persistent, &none)),
            (true, "all are looked at", on("*", "ec2:DescribeSnapshots", &none, &none)),
            (true, "it is deleted", on(VOLUME, "ec2:DeleteVolume", &persistent, &none)),
        ],
    );
}

#[test]
fn the_policy_is_short_enough_for_an_organisation() {
    // "Quotas and service limits for AWS Organizations": 5,120 characters.
    let characters = policy().to_string().len();
    assert!(characters <= 5120, "{characters}");
}

#[test]
fn deleted_snapshots_can_be_got_back_and_none_is_public() {
    let stack = Stack::guardrails("account", &json!({}));
    let rule = stack.properties("RecycleBin");
    let of_trigger = |value: &str| json!({"ResourceTagKey": "etcd-backup/trigger", "ResourceTagValue": value});
    assert_eq!(rule["ResourceTags"], json!([of_trigger("schedule"), of_trigger("manual")]));
    assert_eq!(rule["LockConfiguration"], Value::Null);
    assert_eq!(rule["Tags"], json!([{"Key": "etcd-backup/guardrail", "Value": "recycle-bin"}]));
    assert_eq!(stack.properties("NoPublicSnapshots")["State"], "block-all-sharing");
}

#[test]
fn a_locked_rule_is_for_the_whole_region() {
    let stack = Stack::guardrails("account", &json!({"RecycleBinDays": "30", "UnlockDays": "7"}));
    let rule = stack.properties("RecycleBin");
    assert_eq!(rule["RetentionPeriod"], json!({"RetentionPeriodUnit": "DAYS", "RetentionPeriodValue": 30}));
    // "You can't lock tag-level retention rules": the Recycle Bin's user guide.
    assert_eq!(rule["ResourceTags"], Value::Null);
    assert_eq!(rule["LockConfiguration"], json!({"UnlockDelayUnit": "DAYS", "UnlockDelayValue": 7}));
}
