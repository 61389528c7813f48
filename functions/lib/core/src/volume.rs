//! An EBS volume, as observed.

use std::fmt;

use jiff::Timestamp;

use crate::ids::{VolumeId, Zone};
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
    /// All its tags.
    pub tags: Tags,
}

impl Volume {
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
