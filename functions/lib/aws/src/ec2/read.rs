//! What is observed: all pages, always.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Filter, Reservation};
use etcd_backup_core::backup::NewSnapshot;
use etcd_backup_core::ids::{Cluster, EtcdClusterId, SnapshotId};
use etcd_backup_core::marks::{Description, Marks};
use etcd_backup_core::restore::Master;
use etcd_backup_core::scope::{ClusterSet, Scope};
use etcd_backup_core::slot::Slot;
use etcd_backup_core::snapshot::{OurSnapshot, Snapshot};
use etcd_backup_core::tags;
use etcd_backup_core::volume::Volume;

use super::{Ec2, Permit, convert};
use crate::failure::Failure;

/// Most values that an EC2 filter takes. With more, the filter is left away and the plan alone keeps to the scope.
const MOST_FILTER_VALUES: usize = 200;

impl Ec2 {
    /// The volumes of the scope's clusters that bear an etcd tag or are marked by a restore, and what could not be read as
    /// one. While a restore waits, the retired volumes of all clusters are listed too: they bear no cluster's tag, and
    /// their own tags say which restore replaced each of them, and by which volume.
    pub async fn etcd_volumes(&self, scope: &Scope, _permit: &Permit) -> Result<(Vec<Volume>, Vec<String>), Failure> {
        let mut filters = cluster_filter(tags::CLUSTER, scope);
        filters.push(tag_key([etcd_key(scope), tags::LINEAGE.to_owned()]));
        let (mut volumes, mut unreadable) = self.volumes(filters).await?;
        if volumes.iter().any(|volume| volume.tags.contains_key(tags::RESTORE)) {
            match self.volumes(vec![tag_key([tags::REPLACED_BY.to_owned()])]).await {
                Ok((retired, unreadable_retired)) => {
                    volumes.extend(retired);
                    unreadable.extend(unreadable_retired);
                }
                Err(failure) => unreadable.push(format!(
                    "the retired volumes could not be listed, so that the `undo` of a restore that waits lacks them: {failure}"
                )),
            }
        }
        Ok((unique(volumes), unreadable))
    }

    /// All volumes that a restore of that etcd cluster has to know of, and what could not be read as one: those that bear
    /// its etcd tag, of whatever cluster, since etcd-manager does not ask for `KubernetesCluster`; those that bear a tag
    /// of ours; and those that kops finds by their `Name`.
    pub async fn volumes_around(&self, of: &EtcdClusterId) -> Result<(Vec<Volume>, Vec<String>), Failure> {
        let by_key = vec![tag_key([of.etcd_key(), format!("{}*", tags::OURS_PREFIX)])];
        let by_name = vec![
            filter(&format!("tag:{}", tags::CLUSTER), [of.cluster.to_string()]),
            filter(&format!("tag:{}", tags::NAME), [of.volume_name("*")]),
        ];
        let list = |filters| {
            Box::pin(async move {
                let _permit = self.permit().await;
                self.volumes(filters).await
            })
        };
        let ((mut volumes, mut unreadable), (named, unreadable_named)) = tokio::try_join!(list(by_key), list(by_name))?;
        volumes.extend(named);
        unreadable.extend(unreadable_named);
        unreadable.sort();
        unreadable.dedup();
        Ok((unique(volumes), unreadable))
    }

    async fn volumes(&self, filters: Vec<Filter>) -> Result<(Vec<Volume>, Vec<String>), Failure> {
        let mut volumes = Vec::new();
        let mut unreadable = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.describe_volumes().set_filters(Some(filters.clone()));
            let page = call.max_results(500).set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of("DescribeVolumes", &error))?;
            for volume in page.volumes() {
                match convert::volume(volume) {
                    Ok(volume) => volumes.push(volume),
                    Err(what) => unreadable.push(format!("{what} is passed over")),
                }
            }
            token = next(page.next_token());
            if token.is_none() {
                return Ok((volumes, unreadable));
            }
        }
    }

    /// The masters of a cluster, running or not; EC2 lists one for about an hour after it is terminated.
    pub async fn masters(&self, cluster: &Cluster, _permit: &Permit) -> Result<Vec<Master>, Failure> {
        let filters = vec![
            filter(&format!("tag:{}", tags::CLUSTER), [cluster.to_string()]),
            tag_key([tags::ROLE_CONTROL_PLANE.to_owned(), tags::ROLE_MASTER.to_owned()]),
        ];
        let mut masters = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.describe_instances().set_filters(Some(filters.clone()));
            let page = call.max_results(500).set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of("DescribeInstances", &error))?;
            let instances = page.reservations().iter().flat_map(Reservation::instances);
            masters.extend(instances.filter_map(convert::master));
            token = next(page.next_token());
            if token.is_none() {
                return Ok(masters);
            }
        }
    }

    /// One snapshot of this account.
    pub async fn own_snapshot(
        &self,
        id: &SnapshotId,
        _permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        self.snapshots(Whose::Own, vec![filter("snapshot-id", [id.to_string()])]).await
    }

    /// One snapshot, whoever owns it.
    pub async fn snapshot(&self, id: &SnapshotId, _permit: &Permit) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let list = |whose| self.snapshots(whose, vec![filter("snapshot-id", [id.to_string()])]);
        let (own, any) = tokio::try_join!(Box::pin(list(Whose::Own)), Box::pin(list(Whose::Any)))?;
        Ok(if own.0.is_empty() { any } else { own })
    }

    /// This account's snapshots that nobody can delete, since their lock has not expired.
    pub async fn locked_snapshots(&self, _permit: &Permit) -> Result<BTreeSet<SnapshotId>, Failure> {
        let states = filter("lock-state", ["compliance-cooloff", "compliance", "governance"].map(str::to_owned));
        let mut locked = BTreeSet::new();
        let mut token = None;
        loop {
            let call = self.client.describe_locked_snapshots().filters(states.clone());
            let page = call.max_results(500).set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of("DescribeLockedSnapshots", &error))?;
            let ids = page.snapshots().iter().filter_map(|snapshot| snapshot.snapshot_id());
            locked.extend(ids.filter_map(|id| SnapshotId::parse(id).ok()));
            token = next(page.next_token());
            if token.is_none() {
                return Ok(locked);
            }
        }
    }

    /// This account's snapshots that bear our mark, of the scope's clusters, and what could not be read as one.
    pub async fn marked_snapshots(
        &self,
        scope: &Scope,
        _permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        self.snapshots(Whose::Own, snapshot_filters(scope, None)).await
    }

    /// This account's snapshots whose description is one of ours, but for those that their marks place in the scope: what
    /// [`Self::marked_snapshots`] does not list, because somebody changed their marks, or because they are out of scope.
    pub async fn other_made_snapshots(
        &self,
        scope: &Scope,
        _permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let filters = vec![filter("description", [Description::FILTER.to_owned()])];
        let is_other =
            |snapshot: &Snapshot| !Marks::read(&snapshot.tags).is_ok_and(|marks| scope.contains(&marks.lineage.of));
        self.snapshots_that(Whose::Own, filters, is_other).await
    }

    /// A snapshot of this account, and if it is ours the others of its recovery point.
    pub async fn snapshot_and_its_point(
        &self,
        id: &SnapshotId,
        permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        self.snapshot_and_others(id, |ours| Some(ours.slot), permit).await
    }

    /// A snapshot of this account, and if it is ours all others of its etcd cluster.
    pub async fn snapshot_and_its_points(
        &self,
        id: &SnapshotId,
        permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        self.snapshot_and_others(id, |_| None, permit).await
    }

    async fn snapshot_and_others(
        &self,
        id: &SnapshotId,
        of_slot: fn(&OurSnapshot) -> Option<Slot>,
        permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let (mut snapshots, mut unreadable) = self.own_snapshot(id, permit).await?;
        if let Some(ours) = snapshots.first().and_then(Snapshot::ours) {
            let slot = of_slot(&ours);
            let EtcdClusterId { cluster, etcd_cluster } = ours.lineage.of;
            let scope = Scope { clusters: ClusterSet::Named([cluster].into()), etcd_cluster: Some(etcd_cluster) };
            let others = self.snapshots(Whose::Own, snapshot_filters(&scope, slot)).await?;
            snapshots.extend(others.0.into_iter().filter(|snapshot| snapshot.id != *id));
            unreadable.extend(others.1);
        }
        Ok((snapshots, unreadable))
    }

    /// The snapshots that a volume has for a slot.
    pub async fn snapshots_in_slot(&self, new: &NewSnapshot, _permit: &Permit) -> Result<Vec<Snapshot>, Failure> {
        let filters = vec![
            filter("volume-id", [new.volume.to_string()]),
            filter(&format!("tag:{}", tags::RECOVERY_POINT), [new.slot.to_string()]),
        ];
        Ok(self.snapshots(Whose::Own, filters).await?.0)
    }

    async fn snapshots(&self, whose: Whose, filters: Vec<Filter>) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        self.snapshots_that(whose, filters, |_| true).await
    }

    /// Page by page only what is wanted is kept: there may be a hundred thousand.
    async fn snapshots_that(
        &self,
        whose: Whose,
        filters: Vec<Filter>,
        is_wanted: impl Fn(&Snapshot) -> bool,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let owners = (whose == Whose::Own).then(|| vec!["self".to_owned()]);
        let mut snapshots = Vec::new();
        let mut unreadable = Vec::new();
        let mut token = None;
        loop {
            let call =
                self.client.describe_snapshots().set_owner_ids(owners.clone()).set_filters(Some(filters.clone()));
            let page = call.max_results(1000).set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of("DescribeSnapshots", &error))?;
            for snapshot in page.snapshots() {
                match convert::snapshot(snapshot, whose == Whose::Own) {
                    Ok(snapshot) if is_wanted(&snapshot) => snapshots.push(snapshot),
                    Ok(_) => {}
                    Err(what) => unreadable.push(format!("{what} is passed over")),
                }
            }
            token = next(page.next_token());
            if token.is_none() {
                return Ok((snapshots, unreadable));
            }
        }
    }
}

/// Whose snapshots are listed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Whose {
    /// This account's.
    Own,
    /// All that this account may use.
    Any,
}

/// Each volume once, in the order of their ids.
fn unique(mut volumes: Vec<Volume>) -> Vec<Volume> {
    volumes.sort_by(|a, b| a.id.cmp(&b.id));
    volumes.dedup_by(|a, b| a.id == b.id);
    volumes
}

/// EC2 ends a listing with no token or an empty one.
fn next(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

/// By the tag that names the cluster: kops' on volumes, ours on snapshots.
fn cluster_filter(key: &str, scope: &Scope) -> Vec<Filter> {
    match &scope.clusters {
        ClusterSet::Named(names) if names.len() <= MOST_FILTER_VALUES => {
            vec![filter(&format!("tag:{key}"), names.iter().map(ToString::to_string))]
        }
        ClusterSet::Named(_) | ClusterSet::All => Vec::new(),
    }
}

/// Of what bears our mark: of any slot, or of that one.
fn snapshot_filters(scope: &Scope, slot: Option<Slot>) -> Vec<Filter> {
    let mut filters = cluster_filter(tags::SNAPSHOT_CLUSTER, scope);
    filters.push(match slot {
        Some(slot) => filter(&format!("tag:{}", tags::RECOVERY_POINT), [slot.to_string()]),
        None => tag_key([tags::RECOVERY_POINT.to_owned()]),
    });
    if let Some(name) = &scope.etcd_cluster {
        filters.push(filter(&format!("tag:{}", tags::SNAPSHOT_ETCD_CLUSTER), [name.to_string()]));
    }
    filters
}

fn etcd_key(scope: &Scope) -> String {
    let name = scope.etcd_cluster.as_ref().map_or("*", |name| name.as_str());
    format!("{}{name}", tags::ETCD_PREFIX)
}

fn tag_key(keys: impl IntoIterator<Item = String>) -> Filter {
    filter("tag-key", keys)
}

fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}
