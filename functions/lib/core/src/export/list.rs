//! The backups of a store beside the recovery points.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::backup::{Backup, Maker, Store};
use super::choose::Observed;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Member};
use crate::provenance::sorted;
use crate::recovery_point::{PointState, RecoveryPoint, group};
use crate::scope::Scope;
use crate::slot::Slot;
use crate::told;

/// The answer to `list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListResult {
    /// `listed`.
    pub outcome: &'static str,
    /// Per etcd cluster, newest first.
    pub backups: Vec<Listed>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Something that can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Listed {
    /// A backup in the store.
    Backup(ListedBackup),
    /// A recovery point.
    RecoveryPoint(ListedPoint),
}

/// A backup in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedBackup {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// Its name.
    pub backup: String,
    /// Of which moment, by its name.
    pub at: Option<Timestamp>,
    /// In seconds.
    pub age_seconds: Option<i64>,
    /// Who made it, by its name.
    pub made_by: Maker,
    /// The compressed db's size in bytes.
    pub bytes: u64,
}

/// A recovery point; `restore`'s `list` says more of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedPoint {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// Its time.
    pub recovery_point: Slot,
    /// In seconds.
    pub age_seconds: i64,
    /// How far it is.
    pub state: PointState,
    /// The worst of the members' verdicts.
    pub verified: Option<String>,
    /// The members that have a completed snapshot.
    pub members: Vec<Member>,
}

/// Lists both kinds, of each etcd cluster the `limit` newest of each.
#[must_use]
pub fn list(
    observed: &Observed,
    stores: &BTreeMap<EtcdClusterId, Result<Store, String>>,
    scope: &Scope,
    limit: usize,
    now: Timestamp,
) -> ListResult {
    let (mut ours, doubtful) = sorted(&observed.snapshots);
    ours.retain(|one| scope.contains(&one.lineage.of));
    let mut warnings = observed.unreadable.clone();
    warnings.extend(doubtful.iter().map(ToString::to_string));
    let mut points = group(ours);
    let mut listed = Vec::new();
    for (of, store) in stores {
        let mut all: Vec<(Option<Timestamp>, Listed)> = Vec::new();
        match store {
            Ok(store) => {
                let newest = store.newest_first().into_iter().take(limit);
                all.extend(newest.map(|backup| (backup.at, Listed::Backup(of_store(of, backup, now)))));
                warnings.extend(unfinished(of, store));
            }
            Err(why) => warnings.push(format!("{of}: the store could not be listed: {why}")),
        }
        let points = points.remove(of).unwrap_or_default();
        let of_point =
            |point: &RecoveryPoint| (Some(point.slot.time()), Listed::RecoveryPoint(listed_point(of, point, now)));
        all.extend(points.iter().take(limit).map(of_point));
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        listed.extend(all.into_iter().map(|(_, listed)| listed));
    }
    ListResult { outcome: "listed", backups: listed, warnings }
}

fn of_store(of: &EtcdClusterId, backup: &Backup, now: Timestamp) -> ListedBackup {
    ListedBackup {
        cluster: of.cluster.clone(),
        etcd_cluster: of.etcd_cluster.clone(),
        backup: told::value(&backup.name).to_string(),
        at: backup.at,
        age_seconds: backup.at.map(|at| now.duration_since(at).max(SignedDuration::ZERO).as_secs()),
        made_by: backup.maker,
        bytes: backup.bytes,
    }
}

fn listed_point(of: &EtcdClusterId, point: &RecoveryPoint, now: Timestamp) -> ListedPoint {
    ListedPoint {
        cluster: of.cluster.clone(),
        etcd_cluster: of.etcd_cluster.clone(),
        recovery_point: point.slot,
        age_seconds: now.duration_since(point.slot.time()).max(SignedDuration::ZERO).as_secs(),
        state: point.state(),
        verified: point.verdict().map(|verdict| verdict.word().to_owned()),
        members: point.chosen().into_keys().cloned().collect(),
    }
}

fn unfinished(of: &EtcdClusterId, store: &Store) -> Option<String> {
    let names = store.backups.iter().filter(|backup| !backup.is_whole).map(|backup| backup.name.clone());
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| format!("{of}: not whole, so no backups to etcd-manager: {}", told::list(&names)))
}
