//! The scene: a kops cluster's volumes, and what is not the backup's to touch.

use jiff::{SignedDuration, Timestamp};
use scenarios::kops::KopsVolume;
use scenarios::observed::Snapshot;
use scenarios::{Account, Kops, RawSnapshot, RawVolume};

use crate::Demo;
use crate::text::{paragraph, promise, table};

pub(crate) const CLUSTER: &str = "k8s.example.com";
/// Of each etcd cluster; one in each zone.
pub(crate) const MEMBERS: [&str; 3] = ["a", "b", "c"];

pub(crate) struct Scene<'a> {
    pub(crate) account: &'a Account,
    pub(crate) cluster: Kops<'a>,
    data_volume: String,
    /// As it was before the first backup.
    foreign: Snapshot,
}

impl<'a> Scene<'a> {
    /// All of it is older than the first slot.
    pub(crate) async fn set(account: &'a Account, first_slot: Timestamp) -> Demo<Self> {
        let before = (first_slot - SignedDuration::from_hours(12)).to_string();
        account.clock(&before).await;
        account.snapshots_stay_pending().await;
        let cluster = Kops::cluster(CLUSTER).create(account).await;
        let data_volume = data_volume(account).await;

        let copied = cluster.get("main", "a");
        let snapshot = RawSnapshot::of(&copied.id, &before).tags(&copied.tags).description("of another backup tool");
        let planted = account.plant_snapshots(&[snapshot]).await;
        let foreign = account.snapshots().await.into_iter().find(|snapshot| planted.contains(&snapshot.id));
        let foreign = foreign.ok_or("the local AWS lost the foreign snapshot")?;
        Ok(Self { account, cluster, data_volume, foreign })
    }

    pub(crate) fn show(&self) {
        paragraph(&format!("{CLUSTER}: etcd clusters main and events, a member in each of three zones."));
        println!();
        let row = |volume: &KopsVolume| {
            let key = format!("k8s.io/etcd/{}", volume.etcd);
            let value = volume.tags.get(&key).map_or("", String::as_str);
            [volume.id.clone(), volume.zone.clone(), format!("{key} = {value}")]
        };
        let mut rows: Vec<[String; 3]> = self.cluster.volumes().map(row).collect();
        // In the order in which they are spoken of.
        rows.sort_by_key(|[_, _, tag]| tag.contains("events"));
        rows.push([
            self.data_volume.clone(),
            "eu-central-1a".to_owned(),
            "none: data of a PersistentVolume".to_owned(),
        ]);
        table(["volume", "zone", "etcd tag"], &rows);
        println!();
        paragraph(&format!(
            "The data volume must be left alone, and so must {}: another tool's snapshot of etcd main's member a, with \
             the very tags of kops.",
            self.foreign.id
        ));
    }

    /// The data volume and the foreign snapshot are as they were.
    pub(crate) async fn check_others(&self) -> Demo {
        let snapshots = self.account.snapshots().await;
        let untouched = snapshots.contains(&self.foreign);
        promise(untouched, &format!("{}, the other tool's snapshot, is there, unchanged", self.foreign.id))?;
        let of_data = snapshots.iter().any(|snapshot| snapshot.volume == self.data_volume);
        promise(!of_data, &format!("{}, the data volume, has no snapshot", self.data_volume))
    }
}

/// Of the cluster, and none of etcd's: what the EBS driver makes for a claim.
async fn data_volume(account: &Account) -> String {
    let owned = format!("kubernetes.io/cluster/{CLUSTER}");
    let name = format!("{CLUSTER}-dynamic-pvc-5a1e9c52-8f3b-4d5c-9a55-0c3f1e7d2b64");
    let tags = [
        ("Name", name.as_str()),
        ("KubernetesCluster", CLUSTER),
        (&owned, "owned"),
        ("kubernetes.io/created-for/pvc/name", "data-postgres-0"),
        ("kubernetes.io/created-for/pvc/namespace", "shop"),
    ];
    RawVolume::in_zone("eu-central-1a").size(100).tagged(tags).create(account).await
}
