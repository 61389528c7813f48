//! Lists a store, and translates its layout into the types that the core decides over.

use etcd_backup_aws::failure::{Failure, Meaning};
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_aws::s3;
use etcd_backup_core::export::{Backup, Control, Maker, Store};
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_store::{ClusterSpec, Listing, Made, Object, Place};

use tokio::time::timeout_at;

use crate::answer::Stop;
use crate::exporter::Exporter;

/// The most bytes of a small file of etcd-manager's.
pub(crate) const SMALL: u64 = 64 << 10;

impl Exporter {
    /// Where the store of an etcd cluster is.
    pub(crate) fn place(&self, of: &EtcdClusterId) -> Place {
        self.function.config.store.of(of.cluster.as_str(), of.etcd_cluster.as_str())
    }

    /// What there is in the store of an etcd cluster.
    pub(crate) async fn listed(&self, of: &EtcdClusterId) -> Result<Store, Failure> {
        let place = self.place(of);
        let objects = self.s3.list(&place.bucket, &place.keys()).await?;
        let listing = Listing::of(&place, objects.iter().map(|object| (object.key.as_str(), object.bytes)));
        let Listing { backups, has_spec, has_created, commands } = listing;
        Ok(Store {
            backups: backups.iter().map(backup).collect(),
            control: Control { has_spec, has_created, commands },
        })
    }

    /// The etcd cluster's spec, as etcd-manager keeps it; `None` where there is none that can be read.
    pub(crate) async fn spec(&self, place: &Place) -> Result<Option<(Vec<u8>, ClusterSpec)>, Failure> {
        let bytes = self.s3.get(&at(place, place.spec()), SMALL).await?;
        Ok(bytes.and_then(|bytes| ClusterSpec::read(&bytes).ok().map(|spec| (bytes, spec))))
    }
}

impl Exporter {
    /// Writes what makes a backup or a command one. Where its answer is lost it may be there.
    pub(crate) async fn put_last(&self, to: &s3::Place, bytes: Vec<u8>, deadline: Deadline) -> Result<s3::Put, Stop> {
        let put = timeout_at(deadline.stop_waiting, Box::pin(self.s3.put_new(to, bytes))).await;
        let put = put.map_err(|_| Stop::Unknown(format!("S3 did not answer in time whether it took {to}")))?;
        put.map_err(|failure| match failure.meaning {
            Meaning::Unknown => Stop::Unknown(failure.message),
            _ => Stop::Failed(failure.message),
        })
    }
}

/// An object of a store.
pub(crate) fn at(place: &Place, key: String) -> s3::Place {
    s3::Place { bucket: place.bucket.clone(), key }
}

fn backup(object: &Object) -> Backup {
    Backup {
        name: object.name.to_string(),
        at: object.name.time(),
        maker: match object.name.made() {
            Made::ByEtcdManager => Maker::EtcdManager,
            Made::ByUs => Maker::EtcdVolumeBackup,
            Made::ByOthers => Maker::Other,
        },
        bytes: object.bytes,
        is_whole: object.is_whole,
    }
}
