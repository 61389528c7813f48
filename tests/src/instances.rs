//! Instances and attachments: the masters that hold the volumes.

use aws_sdk_ec2::types::{InstanceType, Placement};

use crate::Account;

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

    /// Deletes a volume, as an operator would by mistake.
    pub async fn delete_volume(&self, volume: &str) {
        self.ec2().delete_volume().volume_id(volume).send().await.expect("DeleteVolume");
    }
}
