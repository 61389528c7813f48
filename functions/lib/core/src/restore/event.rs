//! The event by hand, as it comes and as a plan or a result gives it back: its shape is part of the public contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An event. A field that is absent takes its default; an unknown one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented where they are read, and in the README")]
pub struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etcd_cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_over: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_partial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_attached: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_rollback: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_unordered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_unattached: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_foreign: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_corrupt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initialization_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_volumes: Option<Vec<String>>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The recovery points that there are.
    List,
    /// What would be done.
    Plan,
    /// Do it.
    Apply,
    /// Take it back.
    Undo,
}

impl Mode {
    /// Its name in an event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Undo => "undo",
        }
    }
}

impl Event {
    /// The fields that are there, but for `mode`.
    pub(super) fn present(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("cluster", self.cluster.is_some()),
            ("etcd_cluster", self.etcd_cluster.is_some()),
            ("recovery_point", self.recovery_point.is_some()),
            ("members", self.members.is_some()),
            ("snapshot", self.snapshot.is_some()),
            ("member", self.member.is_some()),
            ("zone", self.zone.is_some()),
            ("replace", self.replace.is_some()),
            ("cut_over", self.cut_over.is_some()),
            ("allow_partial", self.allow_partial.is_some()),
            ("allow_attached", self.allow_attached.is_some()),
            ("allow_rollback", self.allow_rollback.is_some()),
            ("allow_unordered", self.allow_unordered.is_some()),
            ("allow_unattached", self.allow_unattached.is_some()),
            ("allow_foreign", self.allow_foreign.is_some()),
            ("others", self.others.is_some()),
            ("verified", self.verified.is_some()),
            ("allow_corrupt", self.allow_corrupt.is_some()),
            ("volume_type", self.volume_type.is_some()),
            ("iops", self.iops.is_some()),
            ("throughput", self.throughput.is_some()),
            ("kms_key", self.kms_key.is_some()),
            ("initialization_rate", self.initialization_rate.is_some()),
            ("limit", self.limit.is_some()),
            ("snapshots", self.snapshots.is_some()),
            ("retire", self.retire.is_some()),
            ("stages", self.stages.is_some()),
            ("stage", self.stage.is_some()),
            ("plan", self.plan.is_some()),
            ("id", self.id.is_some()),
            ("volumes", self.volumes.is_some()),
            ("old_volumes", self.old_volumes.is_some()),
        ];
        fields.into_iter().filter(|(_, present)| *present).map(|(name, _)| name)
    }
}
