//! Volumes and snapshots with whatever tags: what others make, or what must not be taken for ours.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification, VolumeType};
use serde::Serialize;
use serde_json::Value;

use crate::changes::ids;
use crate::tags::{self, Tags};
use crate::{Account, REGION};

/// A volume to create: gp3, 20 GiB, 3000 IOPS, 125 MiB/s and encrypted, as a new kops cluster has them.
#[derive(Clone, Debug)]
#[must_use = "a volume is made by `create`"]
pub struct RawVolume {
    zone: String,
    size: i32,
    tags: Tags,
}

impl RawVolume {
    /// In this availability zone, without tags.
    pub fn in_zone(zone: &str) -> Self {
        Self { zone: zone.to_owned(), size: 20, tags: Tags::new() }
    }

    /// In GiB.
    pub fn size(mut self, gib: i32) -> Self {
        self.size = gib;
        self
    }

    /// Adds tags.
    pub fn tagged<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.tags.extend(tags::of(pairs));
        self
    }

    /// Adds tags.
    pub fn tags(mut self, tags: &Tags) -> Self {
        self.tags.extend(tags.clone());
        self
    }

    /// Creates it; gives its id.
    pub async fn create(self, account: &Account) -> String {
        let call = account
            .ec2()
            .create_volume()
            .availability_zone(self.zone)
            .volume_type(VolumeType::Gp3)
            .size(self.size)
            .iops(3000)
            .throughput(125)
            .encrypted(true);
        let call = if self.tags.is_empty() { call } else { call.tag_specifications(specification(&self.tags)) };
        call.send().await.expect("CreateVolume").volume_id.expect("a volume has an id")
    }
}

fn specification(tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(ResourceType::Volume).set_tags(Some(sdk_tags(tags))).build()
}

pub(crate) fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// A snapshot to plant, with a past that EC2 would not let a test give it.
#[derive(Clone, Debug, Serialize)]
#[must_use = "a snapshot is planted by `Account::plant_snapshots`"]
pub struct RawSnapshot {
    volume_id: String,
    state: String,
    start_time: String,
    tags: Tags,
    description: String,
    region: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl RawSnapshot {
    /// A completed snapshot of this volume, started at this time (RFC 3339), without tags. The volume may be gone.
    pub fn of(volume: &str, start_time: &str) -> Self {
        Self {
            volume_id: volume.to_owned(),
            state: "completed".to_owned(),
            start_time: start_time.to_owned(),
            tags: Tags::new(),
            description: String::new(),
            region: REGION,
            owner_id: None,
            id: None,
        }
    }

    /// `pending`, `error`, …
    pub fn state(mut self, state: &str) -> Self {
        state.clone_into(&mut self.state);
        self
    }

    /// Adds tags.
    pub fn tagged<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.tags.extend(tags::of(pairs));
        self
    }

    /// Adds tags.
    pub fn tags(mut self, tags: &Tags) -> Self {
        self.tags.extend(tags.clone());
        self
    }

    /// Free text.
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.description);
        self
    }

    /// As the invocation of that request id would have taken it, with the marks that it bears so far.
    pub fn taken_by(self, request: &str) -> Self {
        let description = tags::description(&self.tags, request);
        self.description(&description)
    }

    /// With this id.
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Another account shares it with this one.
    pub fn owned_by(mut self, account: &str) -> Self {
        self.owner_id = Some(account.to_owned());
        self
    }
}

impl Account {
    /// Plants snapshots; gives their ids in the same order.
    pub async fn plant_snapshots(&self, snapshots: &[RawSnapshot]) -> Vec<String> {
        let body = serde_json::to_value(snapshots).expect("plain fields");
        let answer = self.control.post("raw_snapshots", &body).await;
        match &answer {
            Value::Object(fields) => ids(&fields["ids"]),
            list => ids(list),
        }
    }
}
