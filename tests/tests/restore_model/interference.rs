//! What others do: masters, kops, people, `verify`.

use jiff::{SignedDuration, Timestamp};
use scenarios::{RawVolume, tags};

use super::operations::Found;
use super::world::{MEMBERS, World};
use crate::sequences::pick;

const VERDICT: &str = "etcd-backup/verified";

impl World<'_> {
    /// The master in a member's zone.
    pub(super) async fn master(&mut self, member: &'static str) -> String {
        if let Some(instance) = self.masters.get(member) {
            return instance.clone();
        }
        let instance = self.account.run_instance(&self.places[member].0).await;
        self.masters.insert(member, instance.clone());
        instance
    }

    /// Masters take the volumes that they find of a restore.
    pub(super) async fn start_masters(&mut self, which: u8, long_ago: bool) {
        let Some(n) = self.restore(which) else { return };
        let now = self.now().await;
        let made = self.restores[n].made.clone();
        let since = Timestamp::now() - SignedDuration::from_secs(if long_ago { 90 } else { 0 });
        for member in MEMBERS {
            let Some(volume) = made.get(member) else { continue };
            if now.claims(volume, member) && !now.attached.contains(volume) {
                self.attach(volume, member, since).await;
            }
        }
    }

    async fn attach(&mut self, volume: &str, member: &'static str, since: Timestamp) {
        let instance = self.master(member).await;
        self.devices += 1;
        let device =
            format!("/dev/xvd{}{}", char::from(b'b' + self.devices / 26), char::from(b'a' + self.devices % 26));
        self.account.clock(&since.to_string()).await;
        self.account.attach(volume, &instance, &device).await;
        self.account.real_clock().await;
        self.attached.insert(volume.to_owned(), since);
    }

    pub(super) async fn stop_masters(&mut self) {
        for volume in std::mem::take(&mut self.attached).into_keys() {
            self.account.detach(&volume).await;
        }
    }

    /// kops makes such a one where it finds none.
    pub(super) async fn blank_volume(&self, member: &str) -> String {
        let (zone, tags) = &self.places[member];
        RawVolume::in_zone(zone).tags(tags).create(self.account).await
    }

    pub(super) async fn claim(&mut self, which: u8) {
        let volume = self.blank_volume(MEMBERS[usize::from(which) % MEMBERS.len()]).await;
        self.foreign.insert(volume, Timestamp::now());
    }

    pub(super) async fn unclaim(&mut self) {
        for volume in std::mem::take(&mut self.foreign).into_keys() {
            self.account.delete_volume(&volume).await;
        }
    }

    /// One that a member's master would find.
    pub(super) async fn lose(&mut self, which: u8) {
        let now = self.now().await;
        let found: Vec<&str> = MEMBERS.iter().flat_map(|member| now.claimants(member)).collect();
        let free: Vec<&str> = found.into_iter().filter(|volume| !now.attached.contains(*volume)).collect();
        if let Some(volume) = pick(&free, which) {
            self.account.delete_volume(volume).await;
            self.foreign.remove(*volume);
            self.first.remove(*volume);
        }
    }

    pub(super) async fn judge(&mut self, point: u8, member: u8, found: Found) {
        let Some((id, at_first)) = self.snapshots[usize::from(point)].get(MEMBERS[usize::from(member)]).cloned() else {
            return;
        };
        let value = match found {
            Found::AsAtFirst => at_first.as_deref().unwrap_or("not yet"),
            Found::Corrupt => "corrupt at=2026-11-23T03:10:00Z reason=both bbolt metas are broken",
            Found::Unsupported => "unsupported at=2026-11-23T03:10:00Z reason=no ext4",
        };
        self.account.change_snapshots(&id).tags(&tags::of([(VERDICT, value)])).await;
        match found {
            Found::AsAtFirst => self.judged.remove(&id),
            Found::Corrupt => self.judged.insert(id, "corrupt"),
            Found::Unsupported => self.judged.insert(id, "unsupported"),
        };
    }
}
