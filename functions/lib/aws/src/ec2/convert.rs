//! From the SDK's types to ours, once. What is missing or unknown is refused here.

use aws_sdk_ec2::types;
use aws_smithy_types::DateTime;
use etcd_backup_core::ids::{InstanceId, SnapshotId, VolumeId, Zone};
use etcd_backup_core::restore::Master;
use etcd_backup_core::snapshot::{Snapshot, SnapshotState};
use etcd_backup_core::tags::{AUTO_SCALING_GROUP, Tags};
use etcd_backup_core::volume::{Volume, VolumeState};
use jiff::Timestamp;

pub(super) fn volume(volume: &types::Volume) -> Result<Volume, String> {
    let id = volume.volume_id().ok_or("a volume without an id")?;
    let missing = |what: &str| format!("volume {id} without {what}");
    Ok(Volume {
        id: VolumeId::parse(id).map_err(|error| error.to_string())?,
        state: volume.state().and_then(volume_state).ok_or_else(|| missing("a known state"))?,
        zone: volume.availability_zone().and_then(|zone| Zone::parse(zone).ok()).ok_or_else(|| missing("a zone"))?,
        size_gib: volume.size().and_then(|size| size.try_into().ok()).ok_or_else(|| missing("a size"))?,
        volume_type: volume.volume_type().ok_or_else(|| missing("a type"))?.as_str().to_owned(),
        iops: volume.iops().and_then(|iops| iops.try_into().ok()),
        throughput: volume.throughput().and_then(|throughput| throughput.try_into().ok()),
        encrypted: volume.encrypted().unwrap_or(false),
        kms_key: volume.kms_key_id().map(str::to_owned),
        snapshot: volume.snapshot_id().and_then(|id| SnapshotId::parse(id).ok()),
        attached_to: volume.attachments().iter().filter_map(instance).collect(),
        attached_since: volume.attachments().iter().find_map(attached_since),
        created: volume.create_time().and_then(time).ok_or_else(|| missing("a creation time"))?,
        tags: tags(volume.tags()),
    })
}

fn instance(attachment: &types::VolumeAttachment) -> Option<InstanceId> {
    let detached = attachment.state() == Some(&types::VolumeAttachmentState::Detached);
    attachment.instance_id().filter(|_| !detached).and_then(|id| InstanceId::parse(id).ok())
}

fn attached_since(attachment: &types::VolumeAttachment) -> Option<Timestamp> {
    let is_attached = attachment.state() == Some(&types::VolumeAttachmentState::Attached);
    attachment.attach_time().filter(|_| is_attached).and_then(time)
}

pub(super) fn master(instance: &types::Instance) -> Option<Master> {
    let tags = tags(instance.tags());
    Some(Master {
        instance: InstanceId::parse(instance.instance_id()?).ok()?,
        zone: Zone::parse(instance.placement()?.availability_zone()?).ok()?,
        group: tags.get(AUTO_SCALING_GROUP).cloned(),
        is_terminated: instance.state().and_then(types::InstanceState::name)
            == Some(&types::InstanceStateName::Terminated),
    })
}

pub(super) fn snapshot(snapshot: &types::Snapshot, own: bool) -> Result<Snapshot, String> {
    let id = snapshot.snapshot_id().ok_or("a snapshot without an id")?;
    let missing = |what: &str| format!("snapshot {id} without {what}");
    Ok(Snapshot {
        id: SnapshotId::parse(id).map_err(|error| error.to_string())?,
        volume: snapshot.volume_id().and_then(|id| VolumeId::parse(id).ok()).ok_or_else(|| missing("a volume"))?,
        state: snapshot_state(snapshot.state()),
        state_message: snapshot.state_message().filter(|message| !message.is_empty()).map(str::to_owned),
        started: snapshot.start_time().and_then(time).ok_or_else(|| missing("a start time"))?,
        size_gib: snapshot.volume_size().and_then(|size| size.try_into().ok()).ok_or_else(|| missing("a size"))?,
        encrypted: snapshot.encrypted().unwrap_or(false),
        kms_key: snapshot.kms_key_id().map(str::to_owned),
        archived: snapshot.storage_tier() == Some(&types::StorageTier::Archive),
        description: snapshot.description().unwrap_or_default().to_owned(),
        own,
        owner: snapshot.owner_id().ok_or_else(|| missing("an owner"))?.to_owned(),
        tags: tags(snapshot.tags()),
    })
}

pub(super) fn snapshot_state(state: Option<&types::SnapshotState>) -> SnapshotState {
    match state {
        Some(types::SnapshotState::Pending) => SnapshotState::Pending,
        Some(types::SnapshotState::Completed) => SnapshotState::Completed,
        Some(types::SnapshotState::Error) => SnapshotState::Error,
        _ => SnapshotState::Other,
    }
}

fn volume_state(state: &types::VolumeState) -> Option<VolumeState> {
    Some(match state {
        types::VolumeState::Creating => VolumeState::Creating,
        types::VolumeState::Available => VolumeState::Available,
        types::VolumeState::InUse => VolumeState::InUse,
        types::VolumeState::Deleting => VolumeState::Deleting,
        types::VolumeState::Deleted => VolumeState::Deleted,
        types::VolumeState::Error => VolumeState::Error,
        _ => return None,
    })
}

pub(super) fn time(time: &DateTime) -> Option<Timestamp> {
    let nanos = time.subsec_nanos().try_into().ok()?;
    Timestamp::new(time.secs(), nanos).ok()
}

fn tags(tags: &[types::Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}
