//! What is changed.

use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use etcd_backup_core::backup::{NewSnapshot, Taken};
use etcd_backup_core::ids::SnapshotId;

use super::{Ec2, Permit, convert};
use crate::failure::{Failure, Meaning};

impl Ec2 {
    /// Takes a snapshot, tagged in the same call. One attempt: `CreateSnapshot` has no client token, so a repeated
    /// call makes a second snapshot.
    pub async fn create_snapshot(&self, new: &NewSnapshot, _permit: &Permit) -> Result<Taken, Failure> {
        const CALL: &str = "CreateSnapshot";
        let tags = new.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(tags)).build();
        let call = self.client.create_snapshot().volume_id(new.volume.as_str());
        let answer = call
            .description(&new.description)
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
}
