//! Why a member ends without a sound snapshot, before any call is made.

use crate::ids::VolumeId;
use crate::tags;
use crate::told;
use crate::volume::VolumeState;

/// What is wrong with a member, or with a volume that claims to be one's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Its volume is gone, or lost its tags.
    #[error(
        "no volume bears this member's tag; if the master was lost, restore its volume before `kops update` makes a \
         blank one"
    )]
    NoVolume,
    /// No tag names it any more.
    #[error(
        "no volume's tag names this member any more, though the recovery points have it: MembersShrunk. Were tags changed? If \
         it was removed on purpose, send `\"accept_members\": true` by hand; else this ends 7 days after its last point"
    )]
    MembersShrunk,
    /// A restore has not finished with its volume.
    #[error(
        "its volume {volume} is being made by restore {} and is not the member's yet: the warnings say how to go on with it",
        told::value(restore)
    )]
    BeingRestored {
        /// The new volume.
        volume: VolumeId,
        /// The restore's id.
        restore: String,
    },
    /// All volumes of its etcd cluster are gone.
    #[error(
        "no volume of the etcd cluster was found, but it has recovery points: were its tags changed, is this its region? \
         If it was deleted on purpose, take its cluster out of CLUSTERS; with `*` this ends 7 days after its last point"
    )]
    VolumesGone,
    /// EC2 takes no snapshot of a volume in this state.
    #[error("volume {volume} is `{state}`, only `available` and `in-use` volumes are snapshotted")]
    NotReady {
        /// The volume.
        volume: VolumeId,
        /// Its state.
        state: VolumeState,
    },
    /// A snapshot taken now would not be one of the slot.
    #[error(
        "slot not taken: a snapshot taken now would not be of that time. Only events of the last 6 hours are taken, by hand \
         those of the last 15 minutes; the next run takes the next slot"
    )]
    OtherTime,
    /// The marks do not fit on the snapshot.
    #[error("its volume's tags of kops do not fit on a snapshot, beside ours: {over} tags too many")]
    TooManyTags {
        /// By so many.
        over: usize,
    },
    /// Several volumes claim it.
    #[error("volumes {volumes} all claim this member, each is snapshotted; remove the etcd tags of all but one")]
    SharedLineage {
        /// Their ids.
        volumes: String,
    },
    /// The volume's tag cannot be read, so its member is not known.
    #[error("volume {volume}: tag `{key}`: {why}; correct the tag")]
    Unreadable {
        /// The volume.
        volume: VolumeId,
        /// The tag's key.
        key: String,
        /// What is wrong with its value.
        why: String,
    },
    /// The volume claims members of several etcd clusters.
    #[error("volume {volume} bears several etcd tags ({keys}), it is snapshotted for each; remove all but one `{prefix}<name>`", prefix = tags::ETCD_PREFIX)]
    SeveralEtcdTags {
        /// The volume.
        volume: VolumeId,
        /// Their keys.
        keys: String,
    },
}

impl Finding {
    /// What an operator must hear of first: a lost member comes before what anybody can bring about by one more tag.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::NoVolume | Self::MembersShrunk | Self::VolumesGone => 0,
            Self::BeingRestored { .. } | Self::NotReady { .. } | Self::OtherTime | Self::TooManyTags { .. } => 1,
            Self::SharedLineage { .. } => 2,
            Self::Unreadable { .. } | Self::SeveralEtcdTags { .. } => 3,
        }
    }
}
