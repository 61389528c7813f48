//! Whether etcd-manager's own backups go on, and are what they were.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::backup::{Backup, Maker, Store};
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId};
use crate::told;

/// In this hour of the day, in UTC, the newest backup is read whole.
const CONTENTS_AT: i64 = 3;
/// The newest backup is compared with so many before it.
const COMPARED: usize = 10;

/// The answer to a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchResult {
    /// `watched`.
    pub outcome: &'static str,
    /// Of each etcd cluster.
    pub stores: Vec<WatchedStore>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// What etcd-manager has made for an etcd cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchedStore {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// Its newest backup.
    pub newest: Option<String>,
    /// In seconds: of the newest one, or for how long at least there has been none.
    pub age_seconds: Option<i64>,
    /// The newest one's compressed size.
    pub bytes: Option<u64>,
    /// How many there are.
    pub backups: usize,
}

/// A backup whose contents are to be read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentsDue {
    /// Of which etcd cluster.
    pub of: EtcdClusterId,
    /// Its name.
    pub backup: String,
}

/// A look, and what is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchReport {
    /// For the answer.
    pub result: WatchResult,
    /// The backups whose contents are to be read.
    pub due: Vec<ContentsDue>,
    /// Why the run fails, if it does: a store could not be listed.
    pub failure: Option<String>,
}

impl WatchReport {
    /// The age of the oldest of the etcd clusters' newest backups, in seconds.
    #[must_use]
    pub fn greatest_age(&self) -> Option<i64> {
        self.result.stores.iter().filter_map(|store| store.age_seconds).max()
    }
}

/// Judges the stores, each with the time of the etcd cluster's oldest recovery point: where a store has no backup, it has had
/// none since then. `time` is when the look was scheduled.
#[must_use]
pub fn watch(
    stores: &BTreeMap<EtcdClusterId, (Result<Store, String>, Timestamp)>,
    time: Timestamp,
    now: Timestamp,
) -> WatchReport {
    let is_due = time.as_second().div_euclid(3600).rem_euclid(24) == CONTENTS_AT;
    let (mut watched, mut warnings, mut due, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (of, (store, since)) in stores {
        let store = match store {
            Ok(store) => store,
            Err(why) => {
                failed.push(format!("{of}: {why}"));
                continue;
            }
        };
        let own: Vec<&Backup> =
            store.newest_first().into_iter().filter(|backup| backup.maker == Maker::EtcdManager).collect();
        let newest = own.first().copied();
        if newest.is_none() {
            warnings.push(format!("{of}: the store has no backup that etcd-manager made"));
        }
        warnings.extend(shrunk(&own).map(|why| format!("{of}: {why}")));
        if let Some(newest) = newest.filter(|_| is_due) {
            due.push(ContentsDue { of: of.clone(), backup: newest.name.clone() });
        }
        let at = newest.and_then(|newest| newest.at).unwrap_or(*since);
        watched.push(WatchedStore {
            cluster: of.cluster.clone(),
            etcd_cluster: of.etcd_cluster.clone(),
            newest: newest.map(|newest| told::value(&newest.name).to_string()),
            age_seconds: Some(now.duration_since(at).max(SignedDuration::ZERO).as_secs()),
            bytes: newest.map(|newest| newest.bytes),
            backups: own.len(),
        });
    }
    let failure = (!failed.is_empty()).then(|| format!("stores could not be listed: {}", told::list(&failed)));
    WatchReport { result: WatchResult { outcome: "watched", stores: watched, warnings }, due, failure }
}

/// A backup of half the size of those before it may be of a new, empty etcd cluster.
fn shrunk(newest_first: &[&Backup]) -> Option<String> {
    let (newest, before) = newest_first.split_first()?;
    let mut sizes: Vec<u64> = before.iter().take(COMPARED).map(|backup| backup.bytes).collect();
    sizes.sort_unstable();
    let usual = *sizes.get(sizes.len() / 2)?;
    (newest.bytes < usual / 2).then(|| {
        format!(
            "{} has {} bytes, those before it some {usual}: is it of a new etcd cluster, or was much deleted?",
            told::value(&newest.name),
            newest.bytes
        )
    })
}
