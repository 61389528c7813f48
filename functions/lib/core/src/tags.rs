//! The one place where tag keys exist, and the two tag values that have a grammar.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ids::{Member, VolumeId, Zone};
use crate::told;

/// A resource's tags.
pub type Tags = BTreeMap<String, String>;

/// kops' tag that names the cluster.
pub const CLUSTER: &str = "KubernetesCluster";
/// The prefix of kops' tag that makes a volume an etcd volume; the etcd cluster's name follows.
pub const ETCD_PREFIX: &str = "k8s.io/etcd/";
/// kops' tag by which it finds a volume, see [`crate::ids::EtcdClusterId::volume_name`].
pub const NAME: &str = "Name";
/// The prefix of kops' tag by which etcd-manager finds a cluster's volumes; the cluster's name follows.
pub const OWNED_PREFIX: &str = "kubernetes.io/cluster/";
/// The value of that tag.
pub const OWNED: &str = "owned";
/// The prefix of kops' tags that say which machines a volume is for.
pub const ROLE_PREFIX: &str = "k8s.io/role/";
/// For masters: what protokube, and etcd-manager of kops up to 1.25, look for.
pub const ROLE_MASTER: &str = "k8s.io/role/master";
/// For masters: what etcd-manager of kops from 1.26 on looks for.
pub const ROLE_CONTROL_PLANE: &str = "k8s.io/role/control-plane";
/// The value of these tags.
pub const ROLE: &str = "1";
/// On an instance: the Auto Scaling group that it is of.
pub const AUTO_SCALING_GROUP: &str = "aws:autoscaling:groupName";
/// The prefix of every tag of this project.
pub const OURS_PREFIX: &str = "etcd-backup/";
/// On a snapshot: the kops cluster. Not kops' own tag, which would give the cluster's masters rights over the snapshot.
pub const SNAPSHOT_CLUSTER: &str = "etcd-backup/cluster";
/// On a snapshot: the etcd cluster.
pub const SNAPSHOT_ETCD_CLUSTER: &str = "etcd-backup/etcd-cluster";
/// On a snapshot: the whole value of the volume's etcd tag, see [`Membership`].
pub const SNAPSHOT_MEMBER: &str = "etcd-backup/member";
/// The prefix of the tags that hold the volume's own, see [`crate::marks::pack`]; a number from 1 follows.
pub const ORIGINALS_PREFIX: &str = "etcd-backup/tags/";
/// On a snapshot: its slot, RFC 3339.
pub const RECOVERY_POINT: &str = "etcd-backup/recovery-point";
/// On a snapshot: the volume it was taken of, see [`RecordedVolume`].
pub const VOLUME: &str = "etcd-backup/volume";
/// On a snapshot: `schedule` or `manual`.
pub const TRIGGER: &str = "etcd-backup/trigger";
/// On a snapshot: pins its recovery point.
pub const KEEP: &str = "etcd-backup/keep";
/// On a snapshot: what `verify` found.
pub const VERIFIED: &str = "etcd-backup/verified";
/// On a volume that a restore is making, and on one that it retired: the restore's id.
pub const RESTORE: &str = "etcd-backup/restore";
/// On a volume that a restore is making: `<etcd cluster>/<member>`.
pub const LINEAGE: &str = "etcd-backup/lineage";
/// On a volume that a restore in two stages is making: its stage of how many, e.g. `1/2`.
pub const STAGE: &str = "etcd-backup/stage";
/// On a retired volume: when.
pub const RETIRED_AT: &str = "etcd-backup/retired-at";
/// On a retired volume: the volume in whose favour.
pub const REPLACED_BY: &str = "etcd-backup/replaced-by";
/// On a retired volume whose member is to join empty: `true`. The volume in whose favour it was retired is another member's.
pub const JOINS_EMPTY: &str = "etcd-backup/joins-empty";
/// On a retired volume: what was taken away, packed; a number from 1 follows.
pub const WAS_PREFIX: &str = "etcd-backup/was/";
/// AWS's own tags: cannot be written, and do not count.
pub const AWS_PREFIX: &str = "aws:";
/// Most characters of a tag's value.
pub const MOST_VALUE: usize = 256;
/// Most tags that a resource can bear.
pub const MOST: usize = 50;

/// Whether kops (or a tool that finds its volumes) reads this tag. Everything else on a volume is a cost label.
#[must_use]
pub fn is_kops(key: &str) -> bool {
    key == NAME || key == CLUSTER || is_kubernetes(key)
}

/// Whether kops gives a cluster's masters rights over what bears this tag, or may: no snapshot of ours bears one. IAM does
/// not tell small letters from large in the key that a rule names.
#[must_use]
pub fn gives_rights(key: &str) -> bool {
    let key = alike(key);
    key == alike(CLUSTER) || is_kubernetes(&key)
}

fn is_kubernetes(key: &str) -> bool {
    key.split_once('/')
        .is_some_and(|(domain, _)| domain == "k8s.io" || domain == "kubernetes.io" || domain.ends_with(".k8s.io"))
}

/// Whether IAM may take this tag for one of ours.
#[must_use]
pub fn is_like_ours(key: &str) -> bool {
    alike(key).starts_with(OURS_PREFIX)
}

/// The same for all keys that differ in small and large letters alone, those included that are like an ASCII letter in one
/// of the two, e.g. the sign of the unit kelvin.
fn alike(key: &str) -> String {
    key.to_uppercase().to_lowercase()
}

/// Whether protokube, etcd-manager or kops find a volume by this tag: what retiring takes away.
#[must_use]
pub fn is_discovery(key: &str) -> bool {
    key == NAME
        || key == CLUSTER
        || [OWNED_PREFIX, ETCD_PREFIX, ROLE_PREFIX].iter().any(|prefix| key.starts_with(prefix))
}

/// How many of the tags count against [`MOST`].
#[must_use]
pub fn count<'a>(keys: impl IntoIterator<Item = &'a String>) -> usize {
    keys.into_iter().filter(|key| !key.starts_with(AWS_PREFIX)).count()
}

/// The etcd clusters that the tags name, with the tag's value: one for a sound volume.
pub fn etcd_tags(tags: &Tags) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().filter_map(|(key, value)| key.strip_prefix(ETCD_PREFIX).map(|name| (name, value.as_str())))
}

/// The value of `k8s.io/etcd/<name>`: `<member>/<all members, comma-joined>`.
///
/// Read as protokube reads it (`ParseEtcdClusterSpec`, kops `pkg/etcd/cluster_spec.go`): trimmed as a whole, exactly
/// two tokens round `/`, the second split on `,` without trimming, and the first must be in that list. Stricter in
/// one thing: no name may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The member that the volume belongs to.
    pub member: Member,
    /// All members of the etcd cluster, this one included.
    pub members: BTreeSet<Member>,
}

impl Membership {
    /// Reads the tag's value.
    pub fn parse(value: &str) -> Result<Self, InvalidMembership> {
        let invalid = |why| InvalidMembership { value: value.to_owned(), why };
        let (member, list) = value.trim().split_once('/').ok_or_else(|| invalid("has no `/`"))?;
        if list.contains('/') {
            return Err(invalid("has more than one `/`"));
        }
        let name = |text| Member::parse(text).map_err(|_| invalid("has a name that is none of kops'"));
        let member = name(member)?;
        let members = list.split(',').map(name).collect::<Result<BTreeSet<_>, _>>()?;
        if !members.contains(&member) {
            return Err(invalid("does not list the member itself"));
        }
        Ok(Self { member, members })
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.member)?;
        for (n, member) in self.members.iter().enumerate() {
            write!(f, "{}{member}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Why a `k8s.io/etcd/<name>` value cannot be read. protokube skips such a volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` {why}; kops writes `<member>/<member>,<member>,...`, e.g. `a/a,b,c`", told::value(value))]
pub struct InvalidMembership {
    value: String,
    why: &'static str,
}

/// The value of [`VOLUME`]: the volume's settings at the time of the snapshot, since a snapshot does not have them
/// and `CreateVolume` would default to gp2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVolume {
    /// The volume that was snapshotted.
    pub id: VolumeId,
    /// Volume type, e.g. `gp3`.
    pub volume_type: String,
    /// Size in GiB.
    pub size_gib: u32,
    /// Provisioned IOPS, for types that take it.
    pub iops: Option<u32>,
    /// Provisioned throughput in MiB/s, for types that take it.
    pub throughput: Option<u32>,
    /// The availability zone.
    pub zone: Zone,
    /// Whether the volume is encrypted.
    pub encrypted: bool,
    /// The KMS key's ARN, if encrypted.
    pub kms_key: Option<String>,
}

impl RecordedVolume {
    /// Reads the tag's value. Unknown words are passed over, so that a newer version may add some.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let words: BTreeMap<&str, &str> = value.split_whitespace().filter_map(|word| word.split_once('=')).collect();
        let number = |key| words.get(key).map(|text| text.parse::<u32>()).transpose().ok();
        Some(Self {
            id: VolumeId::parse(words.get("id")?).ok()?,
            volume_type: (*words.get("type")?).to_owned(),
            size_gib: number("size")??,
            iops: number("iops")?,
            throughput: number("throughput")?,
            zone: Zone::parse(words.get("zone")?).ok()?,
            encrypted: words.get("encrypted") == Some(&"true"),
            kms_key: words.get("kms").map(|&key| key.to_owned()),
        })
    }
}

impl fmt::Display for RecordedVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "id={} type={} size={}", self.id, self.volume_type, self.size_gib)?;
        if let Some(iops) = self.iops {
            write!(f, " iops={iops}")?;
        }
        if let Some(throughput) = self.throughput {
            write!(f, " throughput={throughput}")?;
        }
        write!(f, " zone={} encrypted={}", self.zone, self.encrypted)?;
        if let Some(key) = &self.kms_key {
            write!(f, " kms={key}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_membership_is_read_as_protokube_reads_it() {
        let read = |value| Membership::parse(value).map(|m| (m.member.to_string(), m.members.len()));
        assert_eq!(read("a/a,b,c"), Ok(("a".to_owned(), 3)));
        assert_eq!(read(" eu-central-1a/eu-central-1a "), Ok(("eu-central-1a".to_owned(), 1)));
        for bad in ["", "a", "a/b,c", "a/a/b", "/", "a/a,", "/a", "a/ a,b"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_unreadable_membership_says_what_kops_writes() {
        let error = Membership::parse("a/b,c").expect_err("a is not listed").to_string();
        assert_eq!(
            error,
            "`a/b,c` does not list the member itself; kops writes `<member>/<member>,<member>,...`, e.g. `a/a,b,c`"
        );
    }

    #[test]
    fn cost_labels_are_what_nothing_of_kops_reads() {
        for kops in ["Name", "KubernetesCluster", "k8s.io/etcd/main", "kubernetes.io/cluster/x", "kops.k8s.io/x"] {
            assert!(is_kops(kops), "{kops}");
        }
        for label in ["team", "Owner", "example.com/k8s.io", "xk8s.io/y", "name"] {
            assert!(!is_kops(label), "{label}");
        }
    }

    #[test]
    fn what_gives_rights_does_so_in_small_letters_and_large() {
        for key in ["KubernetesCluster", "kubernetescluster", "K8s.io/etcd/main", "KUBERNETES.io/x", "kops.K8S.IO/x"] {
            assert!(gives_rights(key), "{key}");
        }
        for key in ["Name", "team", "example.com/k8s.io", "xk8s.io/y"] {
            assert!(!gives_rights(key), "{key}");
        }
        assert!(!is_discovery("kubernetescluster"), "EC2's filters do tell them apart");
    }

    proptest! {
        #[test]
        fn a_membership_round_trips(members in prop::collection::btree_set("[a-z0-9-]{1,8}", 1..6), pick: usize) {
            let members: BTreeSet<Member> = members.iter().map(|m| Member::parse(m).expect("valid")).collect();
            let member = members.iter().nth(pick % members.len()).expect("not empty").clone();
            let whole = Membership { member, members };
            prop_assert_eq!(Membership::parse(&whole.to_string()), Ok(whole));
        }

        #[test]
        fn recorded_settings_round_trip(
            size_gib: u32, iops: Option<u32>, throughput: Option<u32>, encrypted: bool,
            kms in prop::option::of("arn:aws:kms:[a-z0-9:/-]{1,60}"),
        ) {
            let volume = RecordedVolume {
                id: VolumeId::parse("vol-0a").expect("valid"), volume_type: "gp3".to_owned(), size_gib, iops, throughput,
                zone: Zone::parse("eu-central-1a").expect("valid"), encrypted, kms_key: kms,
            };
            prop_assert_eq!(RecordedVolume::parse(&volume.to_string()), Some(volume));
        }
    }
}
