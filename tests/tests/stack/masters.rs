//! The role of a cluster's masters, as kops makes it (`pkg/model/iam/iam_builder.go`): what an attacker has who has taken over a
//! cluster. Statements about what is neither a volume, a snapshot nor a tag are left away.

use scenarios::stack::Role;
use serde_json::{Value, json};

/// Of kops from 1.22 on, with the EBS CSI driver and the snapshot controller: `addEtcdManagerPermissions`,
/// `AddAWSEBSCSIDriverPermissions` and `addSnapshotPersmissions`, as `AsJSON` writes them.
pub(crate) fn masters(cluster: &str) -> Role {
    let volumes_and_snapshots = json!(["arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*"]);
    let statements = json!([
        {
            "Action": "ec2:AttachVolume", "Effect": "Allow", "Resource": "*",
            "Condition": {"StringEquals": {
                "aws:ResourceTag/KubernetesCluster": cluster, "aws:ResourceTag/k8s.io/role/master": "1"}},
        },
        {
            "Action": "ec2:CreateTags", "Effect": "Allow", "Resource": volumes_and_snapshots,
            "Condition": {"StringEquals": {
                "aws:RequestTag/KubernetesCluster": cluster, "ec2:CreateAction": ["CreateVolume", "CreateSnapshot"]}},
        },
        {
            "Action": ["ec2:CreateTags", "ec2:DeleteTags"], "Effect": "Allow", "Resource": volumes_and_snapshots,
            "Condition": {
                "Null": {"aws:RequestTag/KubernetesCluster": "true"},
                "StringEquals": {"aws:ResourceTag/KubernetesCluster": cluster},
            },
        },
        {
            "Action": ["ec2:CreateSnapshot", "ec2:DescribeSnapshots", "ec2:DescribeTags", "ec2:DescribeVolumes"],
            "Effect": "Allow", "Resource": "*",
        },
        {
            "Action": [
                "ec2:AttachVolume", "ec2:DeleteSnapshot", "ec2:DeleteVolume", "ec2:DetachVolume", "ec2:ModifyVolume"],
            "Effect": "Allow", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/KubernetesCluster": cluster}},
        },
        {
            "Action": ["ec2:CreateSnapshot", "ec2:CreateVolume"], "Effect": "Allow", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/KubernetesCluster": cluster}},
        },
    ]);
    Role::named("masters.k8s.example.com", policy(&statements))
}

/// With the cloud provider in the tree (`AddLegacyCCMPermissions`, and kops up to 1.21): any tag on anything.
pub(crate) fn masters_that_tag_anything(cluster: &str) -> Role {
    let actions = ["ec2:AttachVolume", "ec2:CreateTags", "ec2:DeleteVolume", "ec2:DetachVolume", "ec2:ModifyVolume"];
    masters(cluster).and(policy(&json!([{"Action": actions, "Effect": "Allow", "Resource": "*"}])))
}

/// Somebody in the account who may do everything.
pub(crate) fn administrator() -> Role {
    Role::named("administrator", policy(&json!([{"Action": "*", "Effect": "Allow", "Resource": "*"}])))
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
