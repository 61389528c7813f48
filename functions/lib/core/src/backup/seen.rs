//! What the marked snapshots are: ours within the scope, and what is doubtful about the others.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Observed;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, VolumeId};
use crate::provenance::{Doubtful, sorted};
use crate::scope::Scope;
use crate::snapshot::{OurSnapshot, SnapshotState};
use crate::tags;
use crate::told;

/// How many doubtful snapshots are told one by one.
const TOLD: usize = 10;

/// The snapshots, sorted by whose they are.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) ours: Vec<OurSnapshot>,
    /// How many are doubtful.
    pub(super) doubtful: usize,
    /// The etcd clusters of which snapshots of ours may have been changed.
    touched: BTreeSet<EtcdClusterId>,
    /// Whether one was changed so that it cannot be told of which etcd cluster it was.
    touched_unknown: bool,
    pub(super) warnings: Vec<String>,
}

impl Seen {
    pub(super) fn of(observed: &Observed, scope: &Scope) -> Self {
        let mut seen = Self { warnings: observed.unreadable.clone(), ..Self::default() };
        let (mut all, doubtful) = sorted(&observed.snapshots);
        let volumes = whose(observed, &all);
        for one in &doubtful {
            seen.doubt(one, &volumes, scope);
        }
        if seen.doubtful > TOLD {
            seen.warnings.push(format!("{} more snapshots are doubtful", seen.doubtful - TOLD));
        }
        all.retain(|ours| scope.contains(&ours.lineage.of));
        seen.warnings.extend(all.iter().filter_map(failed));
        seen.ours = all;
        seen
    }

    /// Whether snapshots of that etcd cluster may have been changed: then nothing of it is pruned.
    pub(super) fn is_touched(&self, of: &EtcdClusterId) -> bool {
        self.touched_unknown || self.touched.contains(of)
    }

    fn doubt(&mut self, one: &Doubtful, volumes: &BTreeMap<&VolumeId, BTreeSet<EtcdClusterId>>, scope: &Scope) {
        // The tags may have been changed, so the volume speaks beside them.
        let mut of: BTreeSet<&EtcdClusterId> = volumes.get(&one.volume).into_iter().flatten().collect();
        of.extend(&one.of);
        let unknown = of.is_empty();
        of.retain(|of| scope.contains(of));
        if of.is_empty() && !unknown {
            return;
        }
        self.doubtful += 1;
        if one.was_ours {
            self.touched.extend(of.into_iter().cloned());
            self.touched_unknown |= unknown;
        }
        if self.doubtful <= TOLD {
            self.warnings.push(format!(
                "{one}. Look who changed or made it (CloudTrail: CreateSnapshot, CreateTags, DeleteTags)"
            ));
        }
    }
}

/// The etcd clusters that each volume is known of, by what is ours and by the volumes' own tags.
fn whose<'a>(observed: &'a Observed, ours: &'a [OurSnapshot]) -> BTreeMap<&'a VolumeId, BTreeSet<EtcdClusterId>> {
    let mut whose: BTreeMap<&VolumeId, BTreeSet<EtcdClusterId>> = BTreeMap::new();
    for one in ours {
        whose.entry(&one.volume.id).or_default().insert(one.lineage.of.clone());
    }
    for volume in &observed.volumes {
        let cluster = volume.tags.get(tags::CLUSTER).and_then(|cluster| Cluster::parse(cluster).ok());
        let names = tags::etcd_tags(&volume.tags).filter_map(|(name, _)| EtcdCluster::parse(name).ok());
        for (cluster, etcd_cluster) in names.filter_map(|name| Some((cluster.clone()?, name))) {
            whose.entry(&volume.id).or_default().insert(EtcdClusterId { cluster, etcd_cluster });
        }
    }
    whose
}

fn failed(snapshot: &OurSnapshot) -> Option<String> {
    (snapshot.state == SnapshotState::Error).then(|| {
        format!(
            "snapshot {} ({}, {}) ended in error: {}. It counts against EC2's limit on concurrent snapshots of the volume: if \
             that refuses new ones, delete it",
            snapshot.id,
            snapshot.lineage,
            snapshot.slot,
            told::sentence(snapshot.state_message.as_deref().unwrap_or("EC2 does not say why"))
        )
    })
}
