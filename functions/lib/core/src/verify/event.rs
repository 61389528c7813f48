//! The events, as they come: their shape is part of the public contract, or EventBridge's.

use serde::Deserialize;

/// An event by hand: a snapshot, or a recovery point of an etcd cluster. An unknown field is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented where they are read, and in the README")]
pub struct Event {
    pub snapshot: Option<String>,
    pub cluster: Option<String>,
    pub etcd_cluster: Option<String>,
    pub recovery_point: Option<String>,
    pub deep: Option<bool>,
}

/// An EventBridge event of `source` `aws.ec2` and `detail-type` `EBS Snapshot Notification`. Of its envelope nothing
/// counts. Source: the EBS user guide, "Amazon EventBridge events for Amazon EBS".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Notification {
    /// What happened.
    pub detail: NotificationDetail,
}

/// What happened to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NotificationDetail {
    /// `createSnapshot`, `copySnapshot`, `shareSnapshot`, ...
    pub event: String,
    /// `succeeded` or `failed`.
    pub result: String,
    /// The snapshot's ARN, whose account is empty: `arn:aws:ec2::us-west-2:snapshot/snap-0123456789abcdef0`. Not there
    /// where an event is of several.
    #[serde(default)]
    pub snapshot_id: Option<String>,
    /// Why it failed; empty where it did not.
    #[serde(default)]
    pub cause: Option<String>,
}
