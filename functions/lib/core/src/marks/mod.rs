//! What `backup` writes on a snapshot in the create call, so that it can be found, judged and restored: none of it is
//! a tag of kops' own, since kops lets a cluster's masters change and delete whatever bears one.
//!
//! The snapshot's description, which nobody can change afterwards, holds a [digest] of them.

mod description;
mod packed;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

pub use self::description::Description;
pub use self::packed::{pack, unpack};
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Lineage, Member};
use crate::slot::Slot;
use crate::tags::{self, Membership, RecordedVolume, Tags};

/// What a snapshot's tags say that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// What it is a snapshot of.
    pub lineage: Lineage,
    /// The etcd cluster's members at the time.
    pub members: BTreeSet<Member>,
    /// Its recovery point's time.
    pub slot: Slot,
    /// The volume and its settings at the time.
    pub volume: RecordedVolume,
    /// Whether a person took it.
    pub by_hand: bool,
}

/// The tags that a [digest] is of; the packed tags of the volume are the rest of it.
const WORDS: [&str; 6] = [
    tags::SNAPSHOT_CLUSTER,
    tags::SNAPSHOT_ETCD_CLUSTER,
    tags::SNAPSHOT_MEMBER,
    tags::RECOVERY_POINT,
    tags::VOLUME,
    tags::TRIGGER,
];

impl Marks {
    /// Reads a snapshot's tags. The error names the tag that is missing or cannot be read.
    pub fn read(tags: &Tags) -> Result<Self, Unmarked> {
        let word = |key: &'static str| tags.get(key).map(String::as_str).ok_or(Unmarked(key));
        let membership =
            Membership::parse(word(tags::SNAPSHOT_MEMBER)?).map_err(|_| Unmarked(tags::SNAPSHOT_MEMBER))?;
        let of = EtcdClusterId {
            cluster: Cluster::parse(word(tags::SNAPSHOT_CLUSTER)?).map_err(|_| Unmarked(tags::SNAPSHOT_CLUSTER))?,
            etcd_cluster: EtcdCluster::parse(word(tags::SNAPSHOT_ETCD_CLUSTER)?)
                .map_err(|_| Unmarked(tags::SNAPSHOT_ETCD_CLUSTER))?,
        };
        Ok(Self {
            lineage: Lineage { of, member: membership.member },
            members: membership.members,
            slot: Slot::parse(word(tags::RECOVERY_POINT)?).ok_or(Unmarked(tags::RECOVERY_POINT))?,
            volume: RecordedVolume::parse(word(tags::VOLUME)?).ok_or(Unmarked(tags::VOLUME))?,
            by_hand: match word(tags::TRIGGER)? {
                "manual" => true,
                "schedule" => false,
                _ => return Err(Unmarked(tags::TRIGGER)),
            },
        })
    }
}

/// The tag without which a snapshot does not say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its tag `{0}` is missing or cannot be read")]
pub struct Unmarked(pub &'static str);

/// A digest of the marks: 128 bits of SHA-256, in hex. What an operator and `verify` write later is not in it.
#[must_use]
pub fn digest(tags: &Tags) -> String {
    let is_mark = |key: &str| WORDS.contains(&key) || key.starts_with(tags::ORIGINALS_PREFIX);
    let mut hash = Sha256::new();
    for (key, value) in tags.iter().filter(|(key, _)| is_mark(key)) {
        for text in [key, value] {
            hash.update(text.as_bytes());
            // No text in a tag holds this byte, so nothing can pass from one to the next.
            hash.update([0xff]);
        }
    }
    let digest = hash.finalize();
    let half: [u8; 16] = std::array::from_fn(|n| digest[n]);
    format!("{:032x}", u128::from_be_bytes(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked() -> Tags {
        [
            (tags::SNAPSHOT_CLUSTER, "k8s.example.com"),
            (tags::SNAPSHOT_ETCD_CLUSTER, "main"),
            (tags::SNAPSHOT_MEMBER, "a/a,b,c"),
            (tags::RECOVERY_POINT, "2026-11-23T02:00:00Z"),
            (tags::VOLUME, "id=vol-a type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=false"),
            (tags::TRIGGER, "schedule"),
            ("etcd-backup/tags/1", "team=x"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn every_mark_is_needed_and_named_where_it_is_missing() {
        assert_eq!(Marks::read(&marked()).expect("marks").lineage.to_string(), "member a of main of k8s.example.com");
        for key in WORDS {
            for value in [None, Some("?")] {
                let mut tags = marked();
                tags.remove(key);
                tags.extend(value.map(|value| (key.to_owned(), value.to_owned())));
                assert_eq!(Marks::read(&tags), Err(Unmarked(key)), "{value:?}");
            }
        }
    }

    #[test]
    fn whatever_mark_changes_the_digest_does_and_nothing_else_changes_it() {
        let before = digest(&marked());
        assert_eq!(before.len(), 32);
        for key in marked().keys() {
            let mut tags = marked();
            tags.get_mut(key).expect("the tag").push('x');
            assert_ne!(digest(&tags), before, "{key} changed");
            tags.remove(key);
            assert_ne!(digest(&tags), before, "{key} removed");
        }
        let mut tags = marked();
        tags.extend([tags::KEEP, tags::VERIFIED, "team"].map(|key| (key.to_owned(), "true".to_owned())));
        assert_eq!(digest(&tags), before);
        tags.insert("etcd-backup/tags/2".to_owned(), String::new());
        assert_ne!(digest(&tags), before, "one was added");
    }
}
