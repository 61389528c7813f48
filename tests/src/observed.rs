//! What is in an account, in plain structs: for assertions that read as sentences.

use std::collections::BTreeMap;

use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{Snapshot as SdkSnapshot, Tag, Volume as SdkVolume};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::Account;
use crate::tags::Tags;

/// A snapshot as EC2 describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// The volume that EC2 says it was taken of.
    pub volume: String,
    /// `pending`, `completed`, `error`, …
    pub state: String,
    /// When EC2 started it.
    pub start_time: Timestamp,
    /// All tags.
    pub tags: Tags,
    /// Free text.
    pub description: String,
    /// The owning account.
    pub owner: String,
}

/// A volume as EC2 describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// `creating`, `available`, `in-use`, `error`, …
    pub state: String,
    /// The availability zone.
    pub zone: String,
    /// `gp3`, `io1`, …
    pub volume_type: String,
    /// In GiB.
    pub size: i32,
    /// Where the type has them.
    pub iops: Option<i32>,
    /// In MiB/s, where the type has it.
    pub throughput: Option<i32>,
    /// Whether its blocks are encrypted.
    pub encrypted: bool,
    /// The key's ARN, where it is encrypted.
    pub kms_key: Option<String>,
    /// The snapshot that it was made from.
    pub snapshot: Option<String>,
    /// The instance that it is attached to.
    pub instance: Option<String>,
    /// All tags.
    pub tags: Tags,
}

/// A call as the local AWS received it.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// E.g. `CreateSnapshot`.
    pub action: String,
    /// The request's fields, flat as on the wire: `TagSpecification.1.Tag.2.Key`.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    /// Arrival, in seconds since 1970.
    pub started: f64,
    /// Answered, in seconds since 1970; nothing while it is being answered.
    pub ended: Option<f64>,
    /// HTTP status; nothing where the answer was lost.
    pub status: Option<u16>,
    /// EC2's error code.
    pub error: Option<String>,
    /// Whether EC2 was asked at all: not where a fault came first. A lost answer does not undo what was done.
    #[serde(default)]
    pub performed: bool,
    /// The volume that a `CreateVolume` made, or had made, whether or not its answer arrived.
    #[serde(default)]
    pub made: Option<String>,
}

impl Call {
    /// The tags that the call names: of the resource that it creates, or, of `CreateTags` and `DeleteTags`, its own.
    #[must_use]
    pub fn tags(&self) -> Tags {
        let field = |n: usize, name: &str| {
            let nested = self.param(&format!("TagSpecification.1.Tag.{n}.{name}"));
            nested.or_else(|| self.param(&format!("Tag.{n}.{name}"))).map(str::to_owned)
        };
        (1..).map_while(|n| Some((field(n, "Key")?, field(n, "Value").unwrap_or_default()))).collect()
    }

    /// One field of the request.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }
}

/// An entry that was put to EventBridge.
#[derive(Clone, Debug)]
pub struct Event {
    /// E.g. `etcd-volume-backup`.
    pub source: String,
    /// E.g. `Etcd Backup Taken`.
    pub detail_type: String,
    /// Parsed.
    pub detail: Value,
    /// Name or ARN, as it was given.
    pub bus: Option<String>,
}

impl Event {
    pub(crate) fn from_entry(entry: Value) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry {
            source: String,
            detail_type: String,
            detail: Value,
            event_bus_name: Option<String>,
        }
        let Entry { source, detail_type, detail, event_bus_name: bus } =
            serde_json::from_value(entry).expect("an entry of PutEvents");
        // On the wire the detail is JSON in a string.
        let detail = match detail {
            Value::String(text) => serde_json::from_str(&text).expect("an event's detail is JSON"),
            parsed => parsed,
        };
        Self { source, detail_type, detail, bus }
    }
}

impl Account {
    /// Every snapshot that the account sees, whoever owns it, by start time.
    pub async fn snapshots(&self) -> Vec<Snapshot> {
        let pages = self.ec2().describe_snapshots().into_paginator().items().send();
        let found: Vec<SdkSnapshot> = pages.try_collect().await.expect("DescribeSnapshots");
        let mut snapshots: Vec<Snapshot> = found.into_iter().map(snapshot).collect();
        snapshots.sort_by(|a, b| (a.start_time, &a.id).cmp(&(b.start_time, &b.id)));
        snapshots
    }

    /// One snapshot.
    pub async fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.snapshots().await.into_iter().find(|snapshot| snapshot.id == id)
    }

    /// Every volume, by id. Those of instances (their roots) are among them.
    pub async fn volumes(&self) -> Vec<Volume> {
        let pages = self.ec2().describe_volumes().into_paginator().items().send();
        let found: Vec<SdkVolume> = pages.try_collect().await.expect("DescribeVolumes");
        let mut volumes: Vec<Volume> = found.into_iter().map(volume).collect();
        volumes.sort_by(|a, b| a.id.cmp(&b.id));
        volumes
    }

    /// One volume.
    pub async fn volume(&self, id: &str) -> Option<Volume> {
        self.volumes().await.into_iter().find(|volume| volume.id == id)
    }
}

fn snapshot(found: SdkSnapshot) -> Snapshot {
    Snapshot {
        id: found.snapshot_id.expect("a snapshot has an id"),
        volume: found.volume_id.unwrap_or_default(),
        state: found.state.expect("a snapshot has a state").as_str().to_owned(),
        start_time: timestamp(found.start_time.expect("a snapshot has a start")),
        tags: tags(found.tags),
        description: found.description.unwrap_or_default(),
        owner: found.owner_id.unwrap_or_default(),
    }
}

fn volume(found: SdkVolume) -> Volume {
    let instance = found.attachments.unwrap_or_default().into_iter().find_map(|attachment| attachment.instance_id);
    Volume {
        id: found.volume_id.expect("a volume has an id"),
        state: found.state.expect("a volume has a state").as_str().to_owned(),
        zone: found.availability_zone.unwrap_or_default(),
        volume_type: found.volume_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        size: found.size.unwrap_or_default(),
        iops: found.iops,
        throughput: found.throughput,
        encrypted: found.encrypted.unwrap_or_default(),
        kms_key: found.kms_key_id,
        snapshot: found.snapshot_id.filter(|id| !id.is_empty()),
        instance,
        tags: tags(found.tags),
    }
}

fn tags(found: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
    found.unwrap_or_default().into_iter().map(pair).collect()
}

fn timestamp(time: DateTime) -> Timestamp {
    let nanoseconds = i32::try_from(time.subsec_nanos()).expect("under a second");
    Timestamp::new(time.secs(), nanoseconds).expect("a time within jiff's range")
}
