//! What every call did to the volumes' tags, one after the other: for promises about each moment of a run, not only about
//! its end. And protokube's and etcd-manager's rules, stated here once more.

use std::collections::{BTreeMap, BTreeSet};

use crate::observed::{Call, Volume};
use crate::tags::Tags;

/// The volumes' tags at one moment.
#[derive(Clone, Debug)]
pub struct Ledger {
    tags: BTreeMap<String, Tags>,
    /// Those that were there at first.
    first: BTreeSet<String>,
}

impl Ledger {
    /// From these volumes on.
    #[must_use]
    pub fn from(volumes: &[Volume]) -> Self {
        let tags: BTreeMap<String, Tags> =
            volumes.iter().map(|volume| (volume.id.clone(), volume.tags.clone())).collect();
        Self { first: tags.keys().cloned().collect(), tags }
    }

    /// Enters the calls in the order of arrival, and gives every moment, with the call that led to it.
    #[must_use]
    pub fn moments(mut self, calls: &[Call]) -> Vec<(String, Self)> {
        let mut moments = Vec::new();
        for call in calls.iter().filter(|call| call.performed && call.error.is_none()) {
            let resource = call.param("ResourceId.1").unwrap_or_default().to_owned();
            match call.action.as_str() {
                "CreateVolume" => {
                    let made = call.made.clone().expect("a volume was made");
                    self.tags.entry(made).or_insert_with(|| call.tags());
                }
                "CreateTags" => self.tags.get_mut(&resource).expect("a known volume").extend(call.tags()),
                "DeleteTags" => {
                    let taken = call.tags();
                    let of = self.tags.get_mut(&resource).expect("a known volume");
                    of.retain(|key, value| taken.get(key) != Some(value));
                }
                _ => continue,
            }
            moments.push((format!("{} of {resource} {:?}", call.action, call.made), self.clone()));
        }
        moments
    }

    /// The tags of a volume.
    #[must_use]
    pub fn tags(&self, volume: &str) -> Option<&Tags> {
        self.tags.get(volume)
    }

    /// The volumes that protokube or etcd-manager would take for a member.
    #[must_use]
    pub fn claimants(&self, cluster: &str, etcd: &str, member: &str) -> Vec<&str> {
        let claims = |tags: &Tags| claims(tags, cluster, etcd, member);
        self.tags.iter().filter(|(_, tags)| claims(tags)).map(|(id, _)| id.as_str()).collect()
    }

    /// Whether members of before and members made since could be found side by side.
    #[must_use]
    pub fn is_mixed(&self, cluster: &str, etcd: &str, members: &[&str]) -> bool {
        let claimed: BTreeSet<&str> = members.iter().flat_map(|member| self.claimants(cluster, etcd, member)).collect();
        let (old, new): (Vec<&str>, Vec<&str>) = claimed.into_iter().partition(|id| self.first.contains(*id));
        !old.is_empty() && !new.is_empty()
    }
}

/// Whether protokube or etcd-manager, of any version of kops, would take a volume with these tags for the member.
#[must_use]
pub fn claims(tags: &Tags, cluster: &str, etcd: &str, member: &str) -> bool {
    protokube(tags, cluster, etcd).as_deref() == Some(member)
        || ["k8s.io/role/control-plane=1", "k8s.io/role/master=1"]
            .iter()
            .any(|role| etcd_manager(tags, cluster, etcd, role).as_deref() == Some(member))
}

/// `FindVolumes` filters by a tag and by a tag key, `ParseEtcdClusterSpec` reads the value.
#[must_use]
pub fn protokube(tags: &Tags, cluster: &str, etcd: &str) -> Option<String> {
    if tags.get("KubernetesCluster") != Some(&cluster.to_owned()) || !tags.contains_key("k8s.io/role/master") {
        return None;
    }
    let spec = tags.get(&format!("k8s.io/etcd/{etcd}"))?.trim();
    let tokens: Vec<&str> = spec.split('/').collect();
    if tokens.len() != 2 {
        return None;
    }
    let nodes: Vec<&str> = tokens[1].split(',').collect();
    nodes.contains(&tokens[0]).then(|| tokens[0].to_owned())
}

/// kops starts etcd-manager with three `--volume-tag`s, and `--volume-name-tag` is the etcd tag's key.
#[must_use]
pub fn etcd_manager(tags: &Tags, cluster: &str, etcd: &str, role: &str) -> Option<String> {
    let name_tag = format!("k8s.io/etcd/{etcd}");
    let volume_tags = [format!("kubernetes.io/cluster/{cluster}=owned"), name_tag.clone(), role.to_owned()];
    let matches = volume_tags.iter().all(|wanted| match wanted.split_once('=') {
        Some((key, value)) => tags.get(key).is_some_and(|found| found == value),
        None => tags.contains_key(wanted),
    });
    if !matches {
        return None;
    }
    tags.get(&name_tag).map(|value| value.split('/').next().unwrap_or_default().to_owned())
}
