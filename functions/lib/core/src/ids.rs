//! Names and identifiers, each checked once, where it enters.

use std::fmt;

use serde::Serialize;

use crate::{tags, told};

/// Why a text is not the identifier it should be: what it is, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", told::value(value))]
pub struct InvalidId {
    value: String,
    expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $accepts:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks `value` and wraps it.
            pub fn parse(value: &str) -> Result<Self, InvalidId> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(value) {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(InvalidId { value: value.to_owned(), expected: $expected })
                }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A kops cluster: the value of the tag `KubernetesCluster`. A DNS name, so never a wildcard of an EC2 filter.
    Cluster,
    is_dns_like,
    "a kops cluster name: letters, digits, `.`, `-` and `_`, at most 253"
);
id!(
    /// An etcd cluster: what follows `k8s.io/etcd/` in a volume's tag key, e.g. `main`, `events`, `cilium`.
    EtcdCluster,
    is_dns_like,
    "an etcd cluster name such as `main` or `events`: letters, digits, `.`, `-` and `_`"
);
id!(
    /// A member of an etcd cluster: the token before `/` in the tag's value. Usually named by zone. kops makes a DNS name of it.
    Member,
    is_dns_like,
    "an etcd member name: letters, digits, `.`, `-` and `_`"
);
id!(
    /// An EBS volume's id.
    VolumeId,
    |value| is_resource_id(value, "vol-"),
    "a volume id such as `vol-0123456789abcdef0`"
);
id!(
    /// An EBS snapshot's id.
    SnapshotId,
    |value| is_resource_id(value, "snap-"),
    "a snapshot id such as `snap-0123456789abcdef0`"
);
id!(
    /// An EC2 instance's id.
    InstanceId,
    |value| is_resource_id(value, "i-"),
    "an instance id such as `i-0123456789abcdef0`"
);
id!(
    /// An availability zone.
    Zone,
    is_dns_like,
    "an availability zone such as `eu-central-1a`"
);

/// Never a wildcard of an EC2 filter.
fn is_resource_id(value: &str, prefix: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
    value.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.chars().all(allowed))
}

fn is_dns_like(value: &str) -> bool {
    (1..=253).contains(&value.len()) && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// One etcd cluster of one kops cluster: the unit that is snapshotted at one moment, judged and pruned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtcdClusterId {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster within it.
    pub etcd_cluster: EtcdCluster,
}

impl EtcdClusterId {
    /// The key of the tag that makes a volume one of this etcd cluster's.
    #[must_use]
    pub fn etcd_key(&self) -> String {
        format!("{}{}", tags::ETCD_PREFIX, self.etcd_cluster)
    }

    /// The key of the tag by which etcd-manager finds the kops cluster's volumes.
    #[must_use]
    pub fn owned_key(&self) -> String {
        format!("{}{}", tags::OWNED_PREFIX, self.cluster)
    }

    /// The `Name` by which kops finds a member's volume (`pkg/model/master_volumes.go`). With `*`, any member's.
    #[must_use]
    pub fn volume_name(&self, member: &str) -> String {
        format!("{member}.etcd-{}.{}", self.etcd_cluster, self.cluster)
    }
}

impl fmt::Display for EtcdClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.etcd_cluster, self.cluster)
    }
}

/// What a snapshot is a snapshot *of*, whatever the volume's id was at the time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// Its member.
    pub member: Member,
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "member {} of {}", self.member, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_is_never_a_wildcard() {
        assert!(Cluster::parse("k8s.example.com").is_ok());
        for bad in ["", "*", "k8s.*", "a b", "a,b", "a?"] {
            assert!(Cluster::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_resource_id_is_never_a_wildcard() {
        assert!(SnapshotId::parse("snap-0123456789abcdef0").is_ok());
        for bad in ["snap-", "snap-*", "snap-?", "vol-1", "snap-1 "] {
            assert!(SnapshotId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refused_id_says_what_is_accepted() {
        let error = VolumeId::parse("snap-1").expect_err("not a volume").to_string();
        assert_eq!(error, "`snap-1` is not a volume id such as `vol-0123456789abcdef0`");
    }
}
