//! How kops' programs find an etcd volume: their own filters, each as its source has it.

use crate::ids::{EtcdClusterId, Lineage};
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// The member that protokube takes the volume for. `KubernetesCluster` has the cluster's name, `k8s.io/role/master` is
/// there with any value (kops `protokube/pkg/protokube/aws_volume.go`, `FindVolumes`), and the etcd tag's value, trimmed,
/// is two tokens round a `/`, the first of which is in the comma-joined second (`pkg/etcd/cluster_spec.go`).
pub(super) fn protokube<'a>(tags: &'a Tags, of: &EtcdClusterId) -> Option<&'a str> {
    let is_of_cluster = tags.get(tags::CLUSTER).is_some_and(|cluster| cluster == of.cluster.as_str());
    let value = tags.get(&of.etcd_key()).filter(|_| is_of_cluster && tags.contains_key(tags::ROLE_MASTER))?;
    let (member, members) = value.trim().split_once('/').filter(|(_, members)| !members.contains('/'))?;
    members.split(',').any(|one| one == member).then_some(member)
}

/// The member that etcd-manager takes the volume for, as the kops version with that role tag starts it. Every tag that
/// it is given must match; the node's name is what stands before the first `/` (etcd-manager
/// `pkg/volumes/aws/volumes.go`, kops `pkg/model/components/etcdmanager/model.go`).
pub(super) fn etcd_manager<'a>(tags: &'a Tags, of: &EtcdClusterId, role: &str) -> Option<&'a str> {
    let has = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
    let value = tags.get(&of.etcd_key()).filter(|_| has(&of.owned_key(), tags::OWNED) && has(role, tags::ROLE))?;
    value.split('/').next()
}

/// The role tags that etcd-manager was started with, over the versions of kops.
pub(super) const ROLES: [&str; 2] = [tags::ROLE_CONTROL_PLANE, tags::ROLE_MASTER];

/// Whether kops takes the volume for the member's: by `Name` and `KubernetesCluster`, in any state and zone
/// (`upup/pkg/fi/cloudup/awstasks/ebsvolume.go`, `Find`).
pub(super) fn kops(tags: &Tags, lineage: &Lineage) -> bool {
    let has = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
    has(tags::CLUSTER, lineage.of.cluster.as_str()) && has(tags::NAME, &lineage.of.volume_name(lineage.member.as_str()))
}

/// Whether tags claim the member: one of the first two filters matches, whichever role tag.
pub(super) fn claims(tags: &Tags, lineage: &Lineage) -> bool {
    let is_it = |found: Option<&str>| found == Some(lineage.member.as_str());
    is_it(protokube(tags, &lineage.of)) || ROLES.iter().any(|role| is_it(etcd_manager(tags, &lineage.of, role)))
}

/// The volumes that claim a member. One that is on its way out claims nothing any more.
pub(super) fn claimants<'a>(volumes: &'a [Volume], lineage: &Lineage) -> impl Iterator<Item = &'a Volume> {
    volumes.iter().filter(move |volume| !volume.is_leaving() && claims(&volume.tags, lineage))
}
