//! The tags of kops and of the backup, written out here once more: a test must notice when the product's differ.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

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

/// Every tag of a scheduled snapshot: the backup's marks, with the volume's tags packed in them, and the volume's `Name`
/// and labels.
///
/// `volume` is the description of the volume, `id=vol-… type=gp3 …`.
#[must_use]
pub fn snapshot(of_volume: &Tags, slot: &str, volume: &str) -> Tags {
    let is_kops = |key: &str| key == "KubernetesCluster" || key.contains("k8s.io/") || key.contains("kubernetes.io/");
    let etcd = of_volume.iter().find_map(|(key, value)| Some((key.strip_prefix("k8s.io/etcd/")?, value)));
    let (etcd, member) = etcd.expect("an etcd volume");
    let mut tags = of_volume.clone();
    tags.retain(|key, _| !is_kops(key));
    tags.extend(of([
        ("etcd-backup/cluster", of_volume["KubernetesCluster"].as_str()),
        ("etcd-backup/etcd-cluster", etcd),
        ("etcd-backup/member", member),
        ("etcd-backup/recovery-point", slot),
        ("etcd-backup/volume", volume),
        ("etcd-backup/trigger", "schedule"),
    ]));
    tags.extend(packed(of_volume));
    tags
}

/// The volume's tags as they stand on its snapshot.
#[must_use]
pub fn packed(of_volume: &Tags) -> Tags {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"%;=".contains(&byte);
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let whole: Vec<String> =
        of_volume.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value))).collect();
    let whole = whole.join(";");
    let cut = whole.as_bytes().chunks(256).map(|part| str::from_utf8(part).expect("ASCII"));
    (1..).zip(cut).map(|(n, part)| (format!("etcd-backup/tags/{n}"), part.to_owned())).collect()
}

/// The description of a snapshot with these marks, as the invocation of that request id writes it.
#[must_use]
pub fn description(marks: &Tags, request: &str) -> String {
    let is_mark = |key: &str| {
        let words = ["cluster", "etcd-cluster", "member", "recovery-point", "volume", "trigger"];
        key.strip_prefix("etcd-backup/").is_some_and(|rest| words.contains(&rest) || rest.starts_with("tags/"))
    };
    let mut hash = Sha256::new();
    for (key, value) in marks.iter().filter(|(key, _)| is_mark(key)) {
        hash.update([key.as_bytes(), &[0xff], value.as_bytes(), &[0xff]].concat());
    }
    let digest = hash.finalize();
    let [high, low] = [0, 8].map(|at| u64::from_be_bytes(std::array::from_fn(|n| digest[at + n])));
    format!("etcd-volume-backup request={request} marks={high:016x}{low:016x}")
}

/// Tags from pairs.
#[must_use]
pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
