//! Recovery points of the past, as earlier runs of the backup left them.
//!
//! A point is planted by awaiting it, and gives the snapshots' ids by member:
//! `cluster.past_point("main", "2026-11-22T02:00:00Z").without("c").await`. Unless said otherwise it is complete, without
//! skew, and nobody has read it.

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use jiff::{SignedDuration, Timestamp};

use crate::RawSnapshot;
use crate::kops::{Kops, KopsVolume};
use crate::observed::Volume;
use crate::tags::{self, Tags};

/// A point to plant: complete and without skew, unless said otherwise.
#[must_use = "a point is planted by awaiting it"]
pub struct PastPoint<'a> {
    cluster: &'a Kops<'a>,
    etcd: String,
    slot: Timestamp,
    without: Vec<String>,
    states: BTreeMap<String, String>,
    late: BTreeMap<String, SignedDuration>,
    /// Last index and commit of those that are not as far as the others.
    stood: BTreeMap<String, (u64, u64)>,
    is_read: bool,
    tags: Tags,
}

impl<'a> Kops<'a> {
    /// The point of one etcd cluster for this slot (RFC 3339), of the volumes that there are now.
    pub fn past_point(&'a self, etcd: &str, slot: &str) -> PastPoint<'a> {
        PastPoint {
            cluster: self,
            etcd: etcd.to_owned(),
            slot: slot.parse().expect("a slot is a time in RFC 3339"),
            without: Vec::new(),
            states: BTreeMap::new(),
            late: BTreeMap::new(),
            stood: BTreeMap::new(),
            is_read: false,
            tags: Tags::new(),
        }
    }

    /// The same, of which `verify` has found all members sound and equally far.
    pub fn verified_point(&'a self, etcd: &str, slot: &str) -> PastPoint<'a> {
        PastPoint { is_read: true, ..self.past_point(etcd, slot) }
    }

    /// Complete points of one etcd cluster: `count` of them, an hour apart, the newest for this slot.
    pub async fn past_hours(&self, etcd: &str, newest: &str, count: u32) {
        let newest: Timestamp = newest.parse().expect("a slot is a time in RFC 3339");
        for hours in 0..count {
            let slot = newest - SignedDuration::from_hours(hours.into());
            self.past_point(etcd, &slot.to_string()).await;
        }
    }
}

impl PastPoint<'_> {
    /// This member has no snapshot.
    pub fn without(mut self, member: &str) -> Self {
        self.without.push(member.to_owned());
        self
    }

    /// This member's snapshot is in this state.
    pub fn with_state(mut self, member: &str, state: &str) -> Self {
        self.states.insert(member.to_owned(), state.to_owned());
        self
    }

    /// This member's snapshot was started later than the others.
    pub fn late(mut self, member: &str, by: SignedDuration) -> Self {
        self.late.insert(member.to_owned(), by);
        self
    }

    /// This member's log ended at that index, and so much of it it knew to be committed.
    pub fn stood(mut self, member: &str, last: u64, commit: u64) -> Self {
        self.stood.insert(member.to_owned(), (last, commit));
        self.is_read = true;
        self
    }

    /// Started all at once, c could stay stuck: c and a must be healthy before b starts.
    pub fn that_needs_stages(self) -> Self {
        self.stood("a", 584, 584).stood("b", 528, 524).stood("c", 648, 645)
    }

    /// Every snapshot also has this tag.
    pub fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The point is pinned.
    pub fn pinned(self) -> Self {
        self.tagged("etcd-backup/keep", "true")
    }

    fn snapshot(&self, member: &KopsVolume, volume: &Volume) -> RawSnapshot {
        let slot = self.slot.to_string();
        let start = self.slot + SignedDuration::from_secs(2);
        let start = start + self.late.get(&member.member).copied().unwrap_or_default();
        let state = self.states.get(&member.member).map_or("completed", String::as_str);
        RawSnapshot::of(&member.id, &start.to_string())
            .state(state)
            .tags(&tags::snapshot(&member.tags, &slot, &description(volume)))
            .taken_by("of-the-past")
            .tags(&self.verdict(&member.member, state))
            .tags(&self.tags)
    }
}

impl PastPoint<'_> {
    /// What `verify` writes of a sound member in term 2.
    fn verdict(&self, member: &str, state: &str) -> Tags {
        if !self.is_read || state != "completed" {
            return Tags::new();
        }
        let (last, commit) = self.stood.get(member).copied().unwrap_or((100, 100));
        let id = member.bytes().fold(0xa0_u64, |id, byte| id << 4 ^ u64::from(byte));
        let value = format!(
            "ok at=2026-11-23T02:10:00Z revision={last} index={last} term=2 last=2.{last} commit={commit} cluster=c1 member={id:x}"
        );
        tags::of([("etcd-backup/verified", value.as_str())])
    }
}

impl<'a> IntoFuture for PastPoint<'a> {
    type Output = BTreeMap<String, String>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let account = self.cluster.account;
            let volumes = account.volumes().await;
            let (members, snapshots): (Vec<_>, Vec<_>) = self
                .cluster
                .volumes()
                .filter(|member| member.etcd == self.etcd && !self.without.contains(&member.member))
                .map(|member| {
                    let volume = volumes.iter().find(|volume| volume.id == member.id).expect("the volume is there");
                    (member.member.clone(), self.snapshot(member, volume))
                })
                .unzip();
            let ids = account.plant_snapshots(&snapshots).await;
            members.into_iter().zip(ids).collect()
        })
    }
}

/// The value of `etcd-backup/volume`.
fn description(volume: &Volume) -> String {
    let Volume { id, volume_type, size, zone, .. } = volume;
    let mut words = vec![format!("id={id} type={volume_type} size={size}")];
    words.extend(volume.iops.map(|iops| format!("iops={iops}")));
    words.extend(volume.throughput.map(|throughput| format!("throughput={throughput}")));
    words.push(format!("zone={zone} encrypted={}", volume.encrypted));
    if volume.encrypted {
        words.extend(volume.kms_key.as_ref().map(|key| format!("kms={key}")));
    }
    words.join(" ")
}
