//! The calls of a run: several at once, every failure collected, none after the deadline.

use std::fmt::Display;
use std::time::Duration;

use etcd_backup_aws::ec2::{Ec2, Permit};
use etcd_backup_aws::failure::Failure;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::ids::{EtcdClusterId, Member};
use etcd_backup_core::restore::TagChange;
use etcd_backup_core::volume::Volume;
use futures::future::join_all;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Halt;

/// For how long EC2's listings may lag behind what was done.
const LAG: Duration = Duration::from_secs(30);

pub(super) struct Calls<'a> {
    pub(super) ec2: &'a Ec2,
    pub(super) deadline: Deadline,
    pub(super) of: &'a EtcdClusterId,
}

impl Calls<'_> {
    /// The volumes as EC2 lists them now.
    pub(super) async fn look(&self) -> Result<Vec<Volume>, Halt> {
        self.call(self.ec2.volumes_around(self.of)).await.map(|(volumes, _)| volumes).map_err(Halt::Pause)
    }

    /// Looks until it is so; at first without a pause.
    pub(super) async fn look_until(&self, what: &str, is_so: impl Fn(&[Volume]) -> bool) -> Result<Vec<Volume>, Halt> {
        let mut pause = Pause::for_tags();
        loop {
            let volumes = self.look().await?;
            if is_so(&volumes) {
                return Ok(volumes);
            }
            if pause.is_over() {
                return Err(Halt::Pause(format!("EC2 does not show {what}")));
            }
            self.pause(&mut pause).await?;
        }
    }

    /// Writes the tags of all these changes.
    pub(super) async fn write(&self, changes: impl Iterator<Item = &TagChange>) -> Result<(), Halt> {
        let write = |change: &TagChange| {
            let TagChange { volume, write, .. } = change.clone();
            async move { self.call(async { self.ec2.tag_volume(&volume, &write, &self.ec2.permit().await).await }).await }
        };
        self.all(changes.filter(|change| !change.write.is_empty()).map(write)).await
    }

    /// Takes the tags of all these changes away.
    pub(super) async fn take(&self, changes: impl Iterator<Item = &TagChange>) -> Result<(), Halt> {
        let take = |change: &TagChange| {
            let TagChange { volume, take, .. } = change.clone();
            async move { self.call(async { self.ec2.untag_volume(&volume, &take, &self.ec2.permit().await).await }).await }
        };
        self.all(changes.filter(|change| !change.take.is_empty()).map(take)).await
    }

    /// Writes, sees it written, takes away, sees it taken: in this order nothing is ever lost.
    pub(super) async fn change(&self, changes: &[TagChange]) -> Result<Vec<Volume>, Halt> {
        self.write_and_see(changes).await?;
        self.take(changes.iter()).await?;
        let taken = |volumes: &[Volume]| changes.iter().all(|change| change.is_taken(volumes));
        self.look_until("that the tags are gone", taken).await
    }

    pub(super) async fn write_and_see(&self, changes: &[TagChange]) -> Result<Vec<Volume>, Halt> {
        self.write(changes.iter()).await?;
        let written = |volumes: &[Volume]| changes.iter().all(|change| change.is_written(volumes));
        self.look_until("the tags that were written", written).await
    }

    async fn all(&self, calls: impl Iterator<Item = impl Future<Output = Result<(), String>>>) -> Result<(), Halt> {
        self.check_time()?;
        let failures: Vec<String> = join_all(calls).await.into_iter().filter_map(Result::err).collect();
        if failures.is_empty() { Ok(()) } else { Err(Halt::Pause(failures.join("; "))) }
    }

    /// One call, given up at the deadline.
    pub(super) async fn call<T>(&self, call: impl Future<Output = Result<T, Failure>>) -> Result<T, String> {
        match timeout_at(self.deadline.stop_waiting, call).await {
            Ok(answer) => answer.map_err(|failure| failure.to_string()),
            Err(_) => Err("EC2 did not answer before the deadline".to_owned()),
        }
    }

    pub(super) async fn permit(&self) -> Permit {
        self.ec2.permit().await
    }

    /// Near the deadline nothing new is started.
    pub(super) fn check_time(&self) -> Result<(), Halt> {
        if Instant::now() < self.deadline.stop_starting {
            return Ok(());
        }
        Err(Halt::Pause("the deadline is near".to_owned()))
    }

    pub(super) async fn pause(&self, pause: &mut Pause) -> Result<(), Halt> {
        sleep_until((Instant::now() + pause.next()).min(self.deadline.stop_starting)).await;
        self.check_time()
    }
}

/// The changes without their members.
pub(super) fn changes(listed: &[(Member, TagChange)]) -> Vec<TagChange> {
    listed.iter().map(|(_, change)| change.clone()).collect()
}

/// Growing pauses between looks.
pub(super) struct Pause {
    next: Duration,
    longest: Duration,
    until: Instant,
}

impl Pause {
    /// Tags are to be seen within a moment.
    pub(super) fn for_tags() -> Self {
        Self { next: Duration::from_millis(200), longest: Duration::from_secs(2), until: Instant::now() + LAG }
    }

    /// A volume takes seconds or minutes.
    pub(super) fn for_volumes() -> Self {
        Self { next: Duration::from_secs(1), longest: Duration::from_secs(5), until: Instant::now() + LAG }
    }

    /// Whether EC2 has had enough time to show what was done.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    fn next(&mut self) -> Duration {
        let next = self.next;
        self.next = (next * 2).min(self.longest);
        next
    }
}

/// Names a run's step in the log: long work shows progress.
pub(super) fn progress(of: &EtcdClusterId, what: impl Display) {
    tracing::info!(cluster = %of.cluster, etcd_cluster = %of.etcd_cluster, "{what}");
}
