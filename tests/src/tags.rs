//! The tags of kops and of the backup, written out here once more: a test must notice when the product's differ.

use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Every tag that kops gives to an etcd volume.
#[must_use]
pub fn kops(cluster: &str, etcd: &str, member: &str, members: &[String]) -> Tags {
    of([
        ("Name", format!("{member}.etcd-{etcd}.{cluster}").as_str()),
        ("KubernetesCluster", cluster),
        (&format!("k8s.io/etcd/{etcd}"), &format!("{member}/{}", members.join(","))),
        ("k8s.io/role/master", "1"),
        ("k8s.io/role/control-plane", "1"),
        (&format!("kubernetes.io/cluster/{cluster}"), "owned"),
    ])
}

/// Every tag of a scheduled snapshot: the volume's and the backup's.
///
/// `volume` is the description of the volume, `id=vol-… type=gp3 …`.
#[must_use]
pub fn snapshot(of_volume: &Tags, slot: &str, volume: &str) -> Tags {
    let mut tags = of_volume.clone();
    tags.extend(of([
        ("etcd-backup/recovery-point", slot),
        ("etcd-backup/volume", volume),
        ("etcd-backup/trigger", "schedule"),
    ]));
    tags
}

/// Tags from pairs.
#[must_use]
pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
