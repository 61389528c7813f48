//! What is observed: all pages, always.

use aws_sdk_ec2::types::Filter;
use etcd_backup_core::backup::{ClusterSet, NewSnapshot, Scope};
use etcd_backup_core::snapshot::Snapshot;
use etcd_backup_core::tags;
use etcd_backup_core::volume::Volume;

use super::{Ec2, Permit, convert};
use crate::failure::Failure;

/// Most values that an EC2 filter takes. With more, the filter is left away and the plan alone keeps to the scope.
const MOST_FILTER_VALUES: usize = 200;

impl Ec2 {
    /// The volumes of the scope's clusters that bear an etcd tag, and what could not be read as one.
    pub async fn etcd_volumes(&self, scope: &Scope, _permit: &Permit) -> Result<(Vec<Volume>, Vec<String>), Failure> {
        let mut filters = cluster_filter(scope);
        filters.push(tag_key(&etcd_key(scope)));
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

    /// This account's snapshots that bear our mark, of the scope's clusters, and what could not be read as one.
    pub async fn marked_snapshots(
        &self,
        scope: &Scope,
        _permit: &Permit,
    ) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let mut filters = cluster_filter(scope);
        filters.push(tag_key(tags::RECOVERY_POINT));
        if scope.etcd_cluster.is_some() {
            filters.push(tag_key(&etcd_key(scope)));
        }
        self.snapshots(filters).await
    }

    /// The snapshots that a volume has for a slot.
    pub async fn snapshots_in_slot(&self, new: &NewSnapshot, _permit: &Permit) -> Result<Vec<Snapshot>, Failure> {
        let filters = vec![
            filter("volume-id", [new.volume.to_string()]),
            filter(&format!("tag:{}", tags::RECOVERY_POINT), [new.slot.to_string()]),
        ];
        Ok(self.snapshots(filters).await?.0)
    }

    async fn snapshots(&self, filters: Vec<Filter>) -> Result<(Vec<Snapshot>, Vec<String>), Failure> {
        let mut snapshots = Vec::new();
        let mut unreadable = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.describe_snapshots().owner_ids("self").set_filters(Some(filters.clone()));
            let page = call.max_results(1000).set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of("DescribeSnapshots", &error))?;
            for snapshot in page.snapshots() {
                match convert::snapshot(snapshot) {
                    Ok(snapshot) => snapshots.push(snapshot),
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

/// EC2 ends a listing with no token or an empty one.
fn next(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

fn cluster_filter(scope: &Scope) -> Vec<Filter> {
    match &scope.clusters {
        ClusterSet::Named(names) if names.len() <= MOST_FILTER_VALUES => {
            vec![filter(&format!("tag:{}", tags::CLUSTER), names.iter().map(ToString::to_string))]
        }
        ClusterSet::Named(_) | ClusterSet::All => Vec::new(),
    }
}

fn etcd_key(scope: &Scope) -> String {
    let name = scope.etcd_cluster.as_ref().map_or("*", |name| name.as_str());
    format!("{}{name}", tags::ETCD_PREFIX)
}

fn tag_key(key: &str) -> Filter {
    filter("tag-key", [key.to_owned()])
}

fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}
