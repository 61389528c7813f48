//! What is changed.

use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification, VolumeType};
use etcd_backup_core::backup::{NewSnapshot, Taken};
use etcd_backup_core::ids::{SnapshotId, VolumeId};
use etcd_backup_core::restore::NewVolume;
use etcd_backup_core::tags::Tags;

use super::{Ec2, Permit, convert};
use crate::failure::{Failure, Meaning};

impl Ec2 {
    /// Takes a snapshot, tagged in the same call. One attempt: `CreateSnapshot` has no client token, so a repeated
    /// call makes a second snapshot.
    pub async fn create_snapshot(&self, new: &NewSnapshot, _permit: &Permit) -> Result<Taken, Failure> {
        const CALL: &str = "CreateSnapshot";
        let tags =
            TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(of(&new.tags))).build();
        let call = self.client.create_snapshot().volume_id(new.volume.as_str());
        let answer = call
            .description(new.description.to_string())
            .tag_specifications(tags)
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| Failure::of(CALL, &error))?;
        let missing = |what| Failure::unreadable(CALL, what);
        Ok(Taken {
            snapshot: answer
                .snapshot_id()
                .and_then(|id| SnapshotId::parse(id).ok())
                .ok_or_else(|| missing("no snapshot id"))?,
            state: convert::snapshot_state(answer.state()),
            started: answer.start_time().and_then(convert::time).ok_or_else(|| missing("no start time"))?,
        })
    }

    /// Deletes a snapshot. That it is gone already is success.
    pub async fn delete_snapshot(&self, snapshot: &SnapshotId, _permit: &Permit) -> Result<(), Failure> {
        match self.client.delete_snapshot().snapshot_id(snapshot.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => match Failure::of("DeleteSnapshot", &error) {
                Failure { meaning: Meaning::NotFound, .. } => Ok(()),
                failure => Err(failure),
            },
        }
    }
    /// Makes a volume of a snapshot, tagged in the same call. Its client token makes a repeated call the same volume.
    pub async fn create_volume(&self, new: &NewVolume, _permit: &Permit) -> Result<VolumeId, Failure> {
        const CALL: &str = "CreateVolume";
        let settings = &new.settings;
        let tags =
            TagSpecification::builder().resource_type(ResourceType::Volume).set_tags(Some(of(&new.tags))).build();
        let answer = self
            .client
            .create_volume()
            .snapshot_id(new.snapshot.as_str())
            .availability_zone(new.zone.as_str())
            .volume_type(VolumeType::from(settings.volume_type.as_str()))
            .set_size(settings.size_gib.try_into().ok())
            .set_iops(settings.iops.and_then(|iops| iops.try_into().ok()))
            .set_throughput(settings.throughput.and_then(|throughput| throughput.try_into().ok()))
            .set_encrypted(new.kms_key.as_ref().map(|_| true))
            .set_kms_key_id(new.kms_key.clone())
            .set_volume_initialization_rate(settings.initialization_rate.and_then(|rate| rate.try_into().ok()))
            .client_token(&new.client_token)
            .tag_specifications(tags)
            .send()
            .await
            .map_err(|error| Failure::of(CALL, &error))?;
        let id = answer.volume_id().and_then(|id| VolumeId::parse(id).ok());
        id.ok_or_else(|| Failure::unreadable(CALL, "no volume id"))
    }

    /// Writes tags on a volume, all of them or none. Safe to repeat.
    pub async fn tag_volume(&self, volume: &VolumeId, tags: &Tags, _permit: &Permit) -> Result<(), Failure> {
        let call = self.client.create_tags().resources(volume.as_str()).set_tags(Some(of(tags)));
        call.send().await.map(|_| ()).map_err(|error| Failure::of("CreateTags", &error))
    }

    /// Writes tags on a snapshot. Safe to repeat.
    pub async fn tag_snapshot(&self, snapshot: &SnapshotId, tags: &Tags, _permit: &Permit) -> Result<(), Failure> {
        let call = self.client.create_tags().resources(snapshot.as_str()).set_tags(Some(of(tags)));
        call.send().await.map(|_| ()).map_err(|error| Failure::of("CreateTags", &error))
    }

    /// Takes tags from a volume, each only while it has that value. Safe to repeat.
    pub async fn untag_volume(&self, volume: &VolumeId, tags: &Tags, _permit: &Permit) -> Result<(), Failure> {
        let call = self.client.delete_tags().resources(volume.as_str()).set_tags(Some(of(tags)));
        call.send().await.map(|_| ()).map_err(|error| Failure::of("DeleteTags", &error))
    }
}

fn of(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
