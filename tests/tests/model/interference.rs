//! What happens beside the function: EC2 goes on, people do things, other tools too.

use scenarios::observed::Snapshot;
use scenarios::tags;
use scenarios::{RawSnapshot, RawVolume};

use super::operations::Foreign;
use super::points::{EtcdCluster, Points, slot_name};
use super::world::{Place, World};
use crate::sequences::pick;

const OTHER_ACCOUNT: &str = "999988887777";

impl World<'_> {
    async fn ours(&self) -> Vec<(Snapshot, bool)> {
        let (points, snapshots) = self.observe().await;
        let pending = |id: &str| {
            let mut taken = points.values().flat_map(Points::values).flat_map(|point| &point.0);
            taken.find(|taken| taken.id == id).map(|taken| taken.state == "pending")
        };
        let with_state = |snapshot: Snapshot| pending(&snapshot.id).map(|pending| (snapshot, pending));
        snapshots.into_iter().filter_map(with_state).collect()
    }

    async fn pending(&self) -> Vec<String> {
        let pending = self.ours().await.into_iter().filter(|(_, pending)| *pending);
        pending.map(|(snapshot, _)| snapshot.id).filter(|id| !self.stuck.contains(id)).collect()
    }

    pub(super) async fn settle(&self, every: u8) {
        let settled: Vec<String> = self.pending().await.into_iter().step_by(every.into()).collect();
        self.account.change_snapshots(settled).state("completed").await;
    }

    pub(super) async fn fail(&self, which: u8) {
        if let Some(id) = pick(&self.pending().await, which) {
            self.account.change_snapshots(id).state("error").state_message("Client.InternalError").await;
        }
    }

    pub(super) async fn stick(&mut self, which: u8) {
        let pending = self.pending().await;
        self.stuck.extend(pick(&pending, which).cloned());
    }

    pub(super) async fn lose(&mut self, which: u8) {
        let present: Vec<usize> = (0..self.places.len()).filter(|n| self.places[*n].volume.is_some()).collect();
        if let Some(n) = pick(&present, which) {
            self.delete_volume(*n).await;
        }
    }

    pub(super) async fn lose_all(&mut self, which: u8) {
        let Some(of) = pick(&self.places, which).map(|place| place.of.clone()) else { return };
        for n in 0..self.places.len() {
            if self.places[n].of == of {
                self.delete_volume(n).await;
            }
        }
    }

    /// A lost volume first.
    pub(super) async fn replace(&mut self, which: u8) {
        let lost: Vec<usize> = (0..self.places.len()).filter(|n| self.places[*n].volume.is_none()).collect();
        let any: Vec<usize> = (0..self.places.len()).collect();
        let Some(&n) = pick(&lost, which).or_else(|| pick(&any, which)) else { return };
        self.delete_volume(n).await;
        self.blank_volume(n).await;
    }

    /// Every lost volume is replaced.
    pub(super) async fn replace_lost(&mut self) {
        for n in 0..self.places.len() {
            if self.places[n].volume.is_none() {
                self.blank_volume(n).await;
            }
        }
    }

    async fn delete_volume(&mut self, n: usize) {
        if let Some(volume) = self.places[n].volume.take() {
            self.account.delete_volume(&volume).await;
        }
    }

    async fn blank_volume(&mut self, n: usize) {
        let Place { zone, tags, .. } = &self.places[n];
        let volume = RawVolume::in_zone(zone).tags(tags).create(self.account).await;
        self.places[n].volume = Some(volume);
    }

    pub(super) async fn pin(&self, which: u8) {
        if let Some((snapshot, _)) = pick(&self.ours().await, which) {
            self.account.change_snapshots(&snapshot.id).tags(&tags::of([("etcd-backup/keep", "because")])).await;
        }
    }

    pub(super) async fn unpin(&self, which: u8) {
        let (points, _) = self.observe().await;
        let pinned: Vec<_> = points.values().flat_map(Points::values).filter(|point| point.is_pinned()).collect();
        if let Some(point) = pick(&pinned, which) {
            let ids: Vec<String> = point.0.iter().map(|taken| taken.id.clone()).collect();
            self.account.change_snapshots(ids).tags(&tags::of([("etcd-backup/keep", "false")])).await;
        }
    }

    pub(super) async fn foreign(&mut self, how: Foreign, which: u8) {
        let ours = self.ours().await;
        let planted = match (how, pick(&ours, which), pick(&self.places, which)) {
            (Foreign::Unmarked, _, Some(place)) => self.of_a_volume(place, &[]),
            (Foreign::MarkAlone, Some((of, _)), Some(place)) => {
                self.of_a_volume(place, &[("etcd-backup/recovery-point", &of.tags["etcd-backup/recovery-point"])])
            }
            (Foreign::Copy, Some((of, _)), _) => {
                RawSnapshot::of("vol-ffffffff", &of.start_time.to_string()).tags(&of.tags).description("a copy")
            }
            (Foreign::OtherOwner, Some((of, _)), _) => RawSnapshot::of(&of.volume, &of.start_time.to_string())
                .tags(&of.tags)
                .description(&of.description)
                .owned_by(OTHER_ACCOUNT),
            _ => return,
        };
        let ids = self.account.plant_snapshots(&[planted]).await;
        self.foreign.extend(self.account.snapshot(&ids[0]).await);
    }

    fn of_a_volume(&self, place: &Place, marks: &[(&str, &str)]) -> RawSnapshot {
        let Place { volume, tags, .. } = place;
        let start = slot_name(self.slot);
        RawSnapshot::of(volume.as_deref().unwrap_or("vol-0000aaaa"), &start).tags(tags).tagged(marks.iter().copied())
    }

    /// What was taken twice of a slot is so many seconds apart.
    pub(super) async fn spread(&self, slot: i64, apart: u8) {
        let (points, _) = self.observe().await;
        let of_slot = |(of, points): (&EtcdCluster, &Points)| Some((of.clone(), points.get(&slot)?.clone()));
        for (_, point) in points.iter().filter_map(of_slot) {
            for (n, member) in (1..).zip(point.members()) {
                let later = point.0.iter().filter(|taken| taken.member == member && taken.is_good()).skip(1);
                for taken in later {
                    // Another time each member, so that the closest set is a mixed one.
                    let start = taken.started + i64::from(apart) * n * 1000;
                    let start = jiff::Timestamp::from_millisecond(start).unwrap().to_string();
                    self.account.change_snapshots(&taken.id).start_time(&start).await;
                }
            }
        }
    }
}
