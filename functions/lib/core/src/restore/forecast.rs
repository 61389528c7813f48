//! What the three programs would find if a plan were carried out, all its stages, on what EC2 lists now.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::acceptance::{Acceptance, Expected, acceptance};
use super::plan::{EmptiedPlan, MemberPlan};
use crate::ids::VolumeId;
use crate::volume::{Volume, VolumeState};

/// Runs the three filters over the volumes as they would be.
pub(super) fn forecast(
    volumes: &[Volume],
    members: &[MemberPlan],
    emptied: &[EmptiedPlan],
    now: Timestamp,
) -> Acceptance {
    let mut volumes = volumes.to_vec();
    volumes.retain(|volume| !emptied.iter().any(|member| member.old.contains(&volume.id)));
    let mut expected = Vec::new();
    for member in members {
        let Some(id) = member.made.clone().or_else(|| new_volume_of(member)) else { continue };
        let leaves: BTreeSet<&VolumeId> = member.old.iter().chain([&id]).collect();
        volumes.retain(|volume| !leaves.contains(&volume.id));
        volumes.push(after(member, id.clone(), now));
        expected.push(Expected { lineage: member.lineage.clone(), volume: id, zone: member.new.zone.clone() });
    }
    acceptance(&volumes, &expected)
}

fn new_volume_of(member: &MemberPlan) -> Option<VolumeId> {
    VolumeId::parse(&format!("vol-from-{}", member.new.snapshot)).ok()
}

fn after(member: &MemberPlan, id: VolumeId, now: Timestamp) -> Volume {
    let settings = &member.new.settings;
    Volume {
        id,
        state: VolumeState::Available,
        zone: member.new.zone.clone(),
        size_gib: settings.size_gib,
        volume_type: settings.volume_type.clone(),
        iops: settings.iops,
        throughput: settings.throughput,
        encrypted: settings.encrypted,
        kms_key: settings.kms_key.clone(),
        created: now,
        snapshot: Some(member.new.snapshot.clone()),
        attached_to: Vec::new(),
        attached_since: None,
        tags: member.full.clone(),
    }
}
