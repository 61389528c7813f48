//! The volumes and snapshots of many kops clusters.

use jiff::{SignedDuration, Timestamp};

use crate::tags::{self, Tags};

const MEMBERS: [&str; 3] = ["a", "b", "c"];

/// A volume: gp3, 20 GiB, attached.
#[derive(Clone, Debug)]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// `eu-central-1a`
    pub zone: String,
    /// The master that holds it.
    pub instance: String,
    /// `k8s.example.com/main`
    pub etcd_cluster: String,
    /// As kops gives them.
    pub tags: Tags,
}

/// A snapshot of one of them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// The volume's id.
    pub volume: String,
    /// `pending` or `completed`
    pub state: &'static str,
    /// When it was begun.
    pub start_time: Timestamp,
    /// Whatever the request said, or the history's.
    pub description: String,
    /// Whatever the request said, or the history's.
    pub tags: Tags,
}

/// What the stand-in holds.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// In the order in which they are described.
    pub volumes: Vec<Volume>,
    /// In the order in which they are described.
    pub snapshots: Vec<Snapshot>,
    begun: usize,
}

impl Fleet {
    /// This many clusters, each with `main` and `events` of three members: six volumes.
    #[must_use]
    pub fn of_clusters(count: usize) -> Self {
        let mut fleet = Self::default();
        let members = MEMBERS.map(str::to_owned);
        for number in 0..count {
            let cluster = format!("k8s-{number:03}.example.com");
            for etcd in ["main", "events"] {
                for member in MEMBERS {
                    fleet.volumes.push(Volume {
                        id: format!("vol-0{:016x}", fleet.volumes.len() + 1),
                        zone: format!("eu-central-1{member}"),
                        instance: format!("i-0{number:015x}{member}"),
                        etcd_cluster: format!("{cluster}/{etcd}"),
                        tags: tags::kops(&cluster, etcd, member, &members),
                    });
                }
            }
        }
        fleet
    }

    /// A completed snapshot of every volume for each of so many hours before this slot (RFC 3339).
    #[must_use]
    pub fn with_hours_before(mut self, slot: &str, hours: u32) -> Self {
        let slot: Timestamp = slot.parse().expect("a slot is a time in RFC 3339");
        for hour in 1..=hours {
            let slot = slot - SignedDuration::from_hours(hour.into());
            for volume in self.volumes.clone() {
                let Volume { id, zone, .. } = &volume;
                let described =
                    format!("id={id} type=gp3 size=20 iops=3000 throughput=125 zone={zone} encrypted=false");
                let tags = tags::snapshot(&volume.tags, &slot.to_string(), &described);
                let description = tags::description(&tags, "of-the-past");
                self.add(&volume, "completed", slot + SignedDuration::from_secs(2), (description, tags));
            }
        }
        self
    }

    pub(super) fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.id == id)
    }

    pub(super) fn begin(&mut self, volume: &Volume, description: &str, tags: Tags) -> &Snapshot {
        self.add(volume, "pending", Timestamp::now(), (description.to_owned(), tags))
    }

    /// Whether there was such a snapshot.
    pub(super) fn forget(&mut self, id: &str) -> bool {
        let before = self.snapshots.len();
        self.snapshots.retain(|snapshot| snapshot.id != id);
        self.snapshots.len() < before
    }

    fn add(
        &mut self,
        volume: &Volume,
        state: &'static str,
        start_time: Timestamp,
        (description, tags): (String, Tags),
    ) -> &Snapshot {
        self.begun += 1;
        let id = format!("snap-0{:016x}", self.begun);
        self.snapshots.push(Snapshot { id, volume: volume.id.clone(), state, start_time, description, tags });
        self.snapshots.last().expect("just pushed")
    }
}
