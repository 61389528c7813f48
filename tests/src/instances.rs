//! What others do: instances that hold volumes, tags, locks.

use aws_sdk_ec2::types::{InstanceType, LockMode, Placement, Tag};
use jiff::{SignedDuration, Timestamp};

use crate::Account;
use crate::raw::sdk_tags;
use crate::tags::Tags;

impl Account {
    /// Runs an instance in this zone; gives its id.
    pub async fn run_instance(&self, zone: &str) -> String {
        self.ec2()
            .run_instances()
            .image_id("ami-0123456789abcdef0")
            .instance_type(InstanceType::T3Medium)
            .placement(Placement::builder().availability_zone(zone).build())
            .min_count(1)
            .max_count(1)
            .send()
            .await
            .expect("RunInstances")
            .instances
            .and_then(|mut instances| instances.pop())
            .and_then(|instance| instance.instance_id)
            .expect("RunInstances answers with the instance")
    }

    /// Attaches a volume as this device, e.g. `/dev/xvdu`.
    pub async fn attach(&self, volume: &str, instance: &str, device: &str) {
        let call = self.ec2().attach_volume().volume_id(volume).instance_id(instance).device(device);
        call.send().await.expect("AttachVolume");
    }

    /// New instances have held these volumes for so many seconds.
    pub async fn attached_for(&self, volumes: &[&str], seconds: i64) {
        self.clock(&(Timestamp::now() - SignedDuration::from_secs(seconds)).to_string()).await;
        for volume in volumes {
            let zone = self.volume(volume).await.expect("a volume").zone;
            self.attach(volume, &self.run_instance(&zone).await, "/dev/xvdu").await;
        }
        self.real_clock().await;
    }

    /// Detaches a volume.
    pub async fn detach(&self, volume: &str) {
        let instance = self.volume(volume).await.and_then(|volume| volume.instance).expect("an attached volume");
        let call = self.ec2().detach_volume().volume_id(volume).instance_id(instance);
        call.send().await.expect("DetachVolume");
    }

    /// Locks a snapshot for a day.
    pub async fn lock_snapshot(&self, snapshot: &str) {
        let call = self.ec2().lock_snapshot().snapshot_id(snapshot).lock_mode(LockMode::Governance).lock_duration(1);
        call.send().await.expect("LockSnapshot");
    }

    /// Writes tags on a resource.
    pub async fn tag(&self, resource: &str, tags: &Tags) {
        self.ec2().create_tags().resources(resource).set_tags(Some(sdk_tags(tags))).send().await.expect("CreateTags");
    }

    /// Takes tags from a resource, whatever their values.
    pub async fn untag(&self, resource: &str, keys: &[&str]) {
        let tags = keys.iter().map(|key| Tag::builder().key(*key).build()).collect();
        self.ec2().delete_tags().resources(resource).set_tags(Some(tags)).send().await.expect("DeleteTags");
    }

    /// Deletes a volume, as an operator would by mistake.
    pub async fn delete_volume(&self, volume: &str) {
        self.ec2().delete_volume().volume_id(volume).send().await.expect("DeleteVolume");
    }
}
