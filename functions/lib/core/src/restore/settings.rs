//! The settings of a new volume: those recorded with the snapshot, unless the event says otherwise.

use serde::Serialize;

use super::request::Overrides;
use crate::snapshot::Snapshot;
use crate::tags::RecordedVolume;

/// What kops gives to a volume since 1.20 (`pkg/model/master_volumes.go`).
const DEFAULT_TYPE: &str = "gp3";
const GP3_IOPS: u32 = 3000;
const GP3_THROUGHPUT: u32 = 125;

/// The settings of a new volume, as the answer shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeSettings {
    /// E.g. `gp3`. Never left to EC2, which would take gp2.
    pub volume_type: String,
    /// Size in GiB: the old volume's, which the snapshot's cannot exceed.
    pub size_gib: u32,
    /// Provisioned IOPS, for types that take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<u32>,
    /// Provisioned throughput in MiB/s, for gp3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<u32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The KMS key: the snapshot's own, unless the event names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// In MiB/s; without it EC2 reads blocks as they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initialization_rate: Option<u32>,
}

/// The error names the field and what is accepted.
pub(super) fn settings(
    recorded: Option<&RecordedVolume>,
    snapshot: &Snapshot,
    overrides: &Overrides,
) -> Result<VolumeSettings, String> {
    let recorded_type = recorded.map_or(DEFAULT_TYPE, |recorded| recorded.volume_type.as_str());
    let volume_type = overrides.volume_type.as_deref().unwrap_or(recorded_type);
    // What was provisioned for another type says nothing of this one.
    let recorded_if_same = recorded.filter(|_| volume_type == recorded_type);
    let is_gp3 = volume_type == "gp3";
    let takes_iops = is_gp3 || matches!(volume_type, "io1" | "io2");
    if overrides.iops.is_some() && !takes_iops {
        return Err(format!("iops: a {volume_type} volume takes none; gp3, io1 and io2 do"));
    }
    if overrides.throughput.is_some() && !is_gp3 {
        return Err(format!("throughput: a {volume_type} volume takes none; gp3 does"));
    }
    let iops = overrides.iops.or_else(|| recorded_if_same?.iops).or(is_gp3.then_some(GP3_IOPS));
    if takes_iops && iops.is_none() {
        return Err(format!("iops: is missing, and a {volume_type} volume needs it"));
    }
    let throughput = overrides.throughput.or_else(|| recorded_if_same?.throughput).or(is_gp3.then_some(GP3_THROUGHPUT));
    Ok(VolumeSettings {
        volume_type: volume_type.to_owned(),
        size_gib: recorded.map_or(0, |recorded| recorded.size_gib).max(snapshot.size_gib),
        iops: iops.filter(|_| takes_iops),
        throughput: throughput.filter(|_| is_gp3),
        encrypted: snapshot.encrypted || overrides.kms_key.is_some(),
        kms_key: overrides.kms_key.clone().or_else(|| snapshot.kms_key.clone().filter(|_| snapshot.encrypted)),
        initialization_rate: overrides.initialization_rate,
    })
}
