//! What is asked for.

use super::event::{Event, Notification};
use super::settings::{Reads, Settings};
use crate::ids::{EtcdCluster, EtcdClusterId, SnapshotId};
use crate::scope::{ClusterSet, Scope};
use crate::slot::Slot;

/// One invocation, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// By hand: one snapshot.
    Snapshot {
        /// Which one.
        id: SnapshotId,
        /// Every page and every record, not only what a start needs.
        deep: bool,
    },
    /// By hand: the members of a recovery point.
    Point {
        /// Of this etcd cluster.
        of: EtcdClusterId,
        /// Which one.
        at: At,
        /// Every page and every record, not only what a start needs.
        deep: bool,
    },
    /// EC2 notifies that a snapshot is whole.
    Completed(SnapshotId),
    /// EC2 notifies that a snapshot failed.
    Failed {
        /// Which one.
        id: SnapshotId,
        /// EC2's word on why.
        cause: Option<String>,
    },
    /// By schedule: whatever was never judged.
    Sweep,
    /// A notification of something else, and of what: nothing to do.
    Other(String),
}

/// Which recovery point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest complete one, skewed or not, whatever it was found to be.
    Latest,
    /// That one.
    Slot(Slot),
}

/// What has to be observed for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Nothing.
    Nothing,
    /// That snapshot, if it is there.
    Snapshot(SnapshotId),
    /// That snapshot, if it is there, and if it is ours all marked ones of its recovery point.
    PointOf(SnapshotId),
    /// That snapshot, if it is there, and if it is ours all marked ones of its etcd cluster.
    PointsOf(SnapshotId),
    /// All marked snapshots of a scope.
    Marked(Scope),
}

impl Request {
    /// Checks an event by hand. The error names the field and what is accepted.
    pub fn accept(event: &Event, clusters: &ClusterSet) -> Result<Self, String> {
        let deep = event.deep.unwrap_or(false);
        if let Some(id) = &event.snapshot {
            let others = [
                ("cluster", event.cluster.is_some()),
                ("etcd_cluster", event.etcd_cluster.is_some()),
                ("recovery_point", event.recovery_point.is_some()),
            ];
            if let Some((field, _)) = others.into_iter().find(|(_, present)| *present) {
                return Err(format!("{field}: does not go with `snapshot`, whose tags say what it is of"));
            }
            return Ok(Self::Snapshot { id: snapshot("snapshot", id)?, deep });
        }
        let missing = |field: &str| format!("{field}: is missing; name a snapshot, or a cluster and an etcd cluster");
        let cluster = clusters.named(event.cluster.as_deref().ok_or_else(|| missing("cluster"))?)?;
        let etcd_cluster = event.etcd_cluster.as_deref().ok_or_else(|| missing("etcd_cluster"))?;
        let etcd_cluster = EtcdCluster::parse(etcd_cluster).map_err(|error| format!("etcd_cluster: {error}"))?;
        let at = match event.recovery_point.as_deref() {
            None | Some("latest") => At::Latest,
            Some(time) => At::Slot(Slot::parse(time).ok_or_else(|| {
                format!("recovery_point: `{time}` is neither `latest` nor a time such as `2026-11-23T02:00:00Z`")
            })?),
        };
        Ok(Self::Point { of: EtcdClusterId { cluster, etcd_cluster }, at, deep })
    }

    /// Reads a notification. The error names the field.
    pub fn notified(notification: &Notification) -> Result<Self, String> {
        let detail = &notification.detail;
        let id = || {
            let arn = detail.snapshot_id.as_deref().ok_or("detail.snapshot_id: is missing")?;
            snapshot("detail.snapshot_id", arn.rsplit_once('/').map_or(arn, |(_, id)| id))
        };
        match (detail.event.as_str(), detail.result.as_str()) {
            ("createSnapshot", "succeeded") => Ok(Self::Completed(id()?)),
            ("createSnapshot", "failed") => {
                let cause = detail.cause.as_deref().map(str::trim).filter(|cause| !cause.is_empty());
                Ok(Self::Failed { id: id()?, cause: cause.map(str::to_owned) })
            }
            (event, result) => Ok(Self::Other(format!("{event} {result} is no snapshot taken"))),
        }
    }

    /// What has to be observed.
    #[must_use]
    pub fn look(&self, settings: &Settings) -> Look {
        match self {
            Self::Snapshot { id, .. } => Look::Snapshot(id.clone()),
            Self::Completed(_) | Self::Sweep if settings.reads == Reads::Off => Look::Nothing,
            Self::Completed(id) if settings.reads == Reads::Daily => Look::PointsOf(id.clone()),
            Self::Completed(id) | Self::Failed { id, .. } => Look::PointOf(id.clone()),
            Self::Point { of, .. } => Look::Marked(Scope {
                clusters: ClusterSet::Named([of.cluster.clone()].into()),
                etcd_cluster: Some(of.etcd_cluster.clone()),
            }),
            Self::Sweep => Look::Marked(Scope { clusters: settings.clusters.clone(), etcd_cluster: None }),
            Self::Other(_) => Look::Nothing,
        }
    }
}

fn snapshot(field: &str, id: &str) -> Result<SnapshotId, String> {
    SnapshotId::parse(id).map_err(|error| format!("{field}: {error}"))
}
