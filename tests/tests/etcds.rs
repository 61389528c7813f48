//! Points of the past in whose snapshots are volumes of real etcds.

use std::collections::BTreeMap;

use scenarios::{Account, Disk, Kops};

pub(crate) const CLUSTER: &str = "k8s.example.com";
pub(crate) const POINT: &str = "2026-11-23T02:00:00Z";

/// Etcd `main` of three members with a point, in whose snapshots are the volumes of a real etcd cluster.
pub(crate) async fn three(account: &Account) -> (Kops<'_>, BTreeMap<String, String>) {
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(account).await;
    let snapshots = cluster.past_point("main", POINT).await;
    for (member, snapshot) in &snapshots {
        account.put_disk(snapshot, &Disk::fixture(&format!("member-{member}")).bytes).await;
    }
    (cluster, snapshots)
}

/// A single master's etcd `main` with a point, in whose snapshot is that fixture.
pub(crate) async fn one(account: &Account, disk: &[u8]) -> String {
    let cluster = Kops::cluster(CLUSTER).single_master().create(account).await;
    let snapshot = cluster.past_point("main", POINT).await.remove("a").unwrap();
    account.put_disk(&snapshot, disk).await;
    snapshot
}
