//! The event by hand: its shape is part of the public contract.

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
    pub member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_degraded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Copy a db into the store.
    Export,
    /// The store's backups beside the recovery points.
    List,
    /// What a command to restore a backup would be, and whether it may be given.
    Restore,
    /// Give it.
    Apply,
}

impl Mode {
    /// Its name in an event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::List => "list",
            Self::Restore => "restore",
            Self::Apply => "apply",
        }
    }

    /// The fields that go with it.
    pub(super) fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Export => &["cluster", "etcd_cluster", "recovery_point", "member", "snapshot", "allow_degraded"],
            Self::List => &["cluster", "etcd_cluster", "limit"],
            Self::Restore => &["cluster", "etcd_cluster", "backup"],
            Self::Apply => &["cluster", "etcd_cluster", "backup", "plan"],
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
            ("member", self.member.is_some()),
            ("snapshot", self.snapshot.is_some()),
            ("allow_degraded", self.allow_degraded.is_some()),
            ("limit", self.limit.is_some()),
            ("backup", self.backup.is_some()),
            ("plan", self.plan.is_some()),
        ];
        fields.into_iter().filter(|(_, present)| *present).map(|(name, _)| name)
    }
}
