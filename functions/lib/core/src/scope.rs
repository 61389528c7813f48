//! Which clusters a function looks after, and which of them an event is about.

use std::collections::BTreeSet;

use crate::ids::{Cluster, EtcdCluster, EtcdClusterId};

/// The kops clusters that the function looks after (`CLUSTERS`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterSet {
    /// `*`: every cluster that has etcd volumes.
    All,
    /// These.
    Named(BTreeSet<Cluster>),
}

impl ClusterSet {
    /// Whether a cluster is looked after.
    #[must_use]
    pub fn contains(&self, cluster: &Cluster) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(cluster),
        }
    }

    /// The cluster that an event names, if it is looked after.
    pub fn named(&self, name: &str) -> Result<Cluster, String> {
        let cluster = Cluster::parse(name).map_err(|error| format!("cluster: {error}"))?;
        match self {
            Self::Named(names) if !names.contains(&cluster) => {
                let names: Vec<&str> = names.iter().map(Cluster::as_str).collect();
                Err(format!("cluster: `{cluster}` is not one of CLUSTERS ({})", names.join(", ")))
            }
            Self::All | Self::Named(_) => Ok(cluster),
        }
    }

    /// What an event is about that may name a cluster and an etcd cluster.
    pub fn narrowed(&self, cluster: Option<&str>, etcd_cluster: Option<&str>) -> Result<Scope, String> {
        let cluster = cluster.map(|name| self.named(name)).transpose()?;
        let etcd_cluster =
            etcd_cluster.map(|name| EtcdCluster::parse(name).map_err(|error| format!("etcd_cluster: {error}")));
        let clusters = cluster.map_or_else(|| self.clone(), |cluster| Self::Named([cluster].into()));
        Ok(Scope { clusters, etcd_cluster: etcd_cluster.transpose()? })
    }
}

/// What one run is about: nothing outside it is listed, counted or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The clusters looked after, narrowed to the one that the event names.
    pub clusters: ClusterSet,
    /// The etcd cluster that the event names.
    pub etcd_cluster: Option<EtcdCluster>,
}

impl Scope {
    /// Whether nothing that is looked after is outside the scope, so that its figures speak for all.
    #[must_use]
    pub fn is_all_of(&self, clusters: &ClusterSet) -> bool {
        self.clusters == *clusters && self.etcd_cluster.is_none()
    }

    /// Whether an etcd cluster is within the scope.
    #[must_use]
    pub fn contains(&self, of: &EtcdClusterId) -> bool {
        self.clusters.contains(&of.cluster) && self.etcd_cluster.as_ref().is_none_or(|name| *name == of.etcd_cluster)
    }
}
