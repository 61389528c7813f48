//! An EBS volume, as observed.

use std::fmt;

use jiff::Timestamp;

use crate::ids::{InstanceId, SnapshotId, VolumeId, Zone};
use crate::tags::{RecordedVolume, Tags};

/// An EBS volume's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeState {
    /// Being made; nothing to snapshot yet.
    Creating,
    /// Attached to nothing.
    Available,
    /// Attached to an instance.
    InUse,
    /// On its way out.
    Deleting,
    /// Gone, still listed.
    Deleted,
    /// Failed, e.g. for want of its KMS key.
    Error,
}

impl VolumeState {
    /// Whether a snapshot of a volume in this state holds what the member wrote.
    #[must_use]
    pub fn can_be_snapshotted(self) -> bool {
        matches!(self, Self::Available | Self::InUse)
    }
}

impl fmt::Display for VolumeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::InUse => "in-use",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Error => "error",
        })
    }
}

/// An EBS volume, as `DescribeVolumes` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// Its state.
    pub state: VolumeState,
    /// Where it is.
    pub zone: Zone,
    /// Size in GiB.
    pub size_gib: u32,
    /// Type, e.g. `gp3`.
    pub volume_type: String,
    /// IOPS as EC2 reports them, for burstable types too.
    pub iops: Option<u32>,
    /// Throughput in MiB/s.
    pub throughput: Option<u32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The KMS key's ARN.
    pub kms_key: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The snapshot that it was made from; kops makes none from a snapshot.
    pub snapshot: Option<SnapshotId>,
    /// The instances that it is attached to; one that it is being detached from counts.
    pub attached_to: Vec<InstanceId>,
    /// Since when it is attached, where it is: not while it is being attached or detached.
    pub attached_since: Option<Timestamp>,
    /// All its tags.
    pub tags: Tags,
}

impl Volume {
    /// Whether it is attached to an instance, or was until a moment ago: EC2 shows `in-use` until all is detached.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.state == VolumeState::InUse || !self.attached_to.is_empty()
    }

    /// Whether it is on its way out or gone, though EC2 still lists it.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        matches!(self.state, VolumeState::Deleting | VolumeState::Deleted)
    }

    /// What a restore needs to make such a volume again. EC2 reports IOPS for gp2 too, but takes them for the
    /// provisioned types alone; what does not apply is left out.
    #[must_use]
    pub fn recorded(&self) -> RecordedVolume {
        let takes_iops = matches!(self.volume_type.as_str(), "gp3" | "io1" | "io2");
        RecordedVolume {
            id: self.id.clone(),
            volume_type: self.volume_type.clone(),
            size_gib: self.size_gib,
            iops: self.iops.filter(|_| takes_iops),
            throughput: self.throughput.filter(|_| self.volume_type == "gp3"),
            zone: self.zone.clone(),
            encrypted: self.encrypted,
            kms_key: self.kms_key.clone().filter(|_| self.encrypted),
        }
    }
}
