//! What is asked for.

use jiff::Timestamp;

use crate::ids::{EtcdClusterId, Member, SnapshotId};
use crate::scope::{ClusterSet, Scope};
use crate::slot::Slot;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CLUSTERS`.
    pub clusters: ClusterSet,
    /// `EXPORT`.
    pub exports: Exports,
}

/// Which points are exported without being asked for, once `verify` has found them sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exports {
    /// None.
    #[default]
    Off,
    /// The first of each day, in UTC.
    Daily,
    /// Every one.
    All,
}

/// One invocation, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// By hand: copy the db of a snapshot into the store.
    Export(ExportRequest),
    /// `verify` has found that point sound.
    Verified(EtcdClusterId, Slot),
    /// The backups and points of a scope, at most so many of each per etcd cluster.
    List(Scope, usize),
    /// What a command to restore that backup would be.
    Restore(EtcdClusterId, String),
    /// Give the command that a plan showed.
    Apply {
        /// Of which etcd cluster.
        of: EtcdClusterId,
        /// The backup's name.
        backup: String,
        /// The plan's digest.
        plan: String,
    },
    /// By schedule, at that time: look after the backups of etcd-manager.
    Watch(Timestamp),
    /// An event that is not for this function, and why.
    Other(String),
}

/// An export, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// Of which snapshot.
    pub what: What,
    /// Though the snapshot be `degraded`.
    pub allow_degraded: bool,
}

/// Which snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One of a recovery point's.
    Point {
        /// Of this etcd cluster.
        of: EtcdClusterId,
        /// Which point.
        at: At,
        /// That member's, else the best one's.
        member: Option<Member>,
    },
    /// That one.
    Snapshot(SnapshotId),
}

/// Which recovery point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest one without a flaw that has a snapshot which can be read.
    Latest,
    /// That one.
    Slot(Slot),
}

impl Request {
    /// The scope whose marked snapshots have to be listed; none where a snapshot is named, or nothing is asked of them.
    #[must_use]
    pub fn scope(&self, settings: &Settings) -> Option<Scope> {
        let named = |of: &EtcdClusterId| Scope {
            clusters: ClusterSet::Named([of.cluster.clone()].into()),
            etcd_cluster: Some(of.etcd_cluster.clone()),
        };
        match self {
            Self::Export(ExportRequest { what: What::Point { of, .. }, .. }) | Self::Verified(of, _) => Some(named(of)),
            Self::List(scope, _) => Some(scope.clone()),
            Self::Watch(_) => Some(Scope { clusters: settings.clusters.clone(), etcd_cluster: None }),
            Self::Export(_) | Self::Restore(..) | Self::Apply { .. } | Self::Other(_) => None,
        }
    }
}
