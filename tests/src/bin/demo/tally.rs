//! What the runs did in all, held against what is there in the end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scenarios::kops::KopsVolume;
use scenarios::tags::packed;

use crate::Demo;
use crate::answer::{Answer, Pruned};
use crate::hours::minute;
use crate::points::existing;
use crate::scene::Scene;
use crate::text::{paragraph, promise, table};

/// How many of the pruned recovery points are shown.
const SHOWN: usize = 4;

#[derive(Default)]
pub(crate) struct Tally {
    runs: usize,
    failed_runs: usize,
    pub(crate) created: usize,
    pub(crate) pruned: Vec<Pruned>,
    /// After the newest run.
    pub(crate) kept: usize,
}

impl Tally {
    /// Adds a run, which must have taken this many snapshots.
    pub(crate) fn add(&mut self, run: Answer, created: usize) -> Demo {
        if run.count("created") != created {
            return Err(format!("a run took {} snapshots instead of {created}", run.count("created")).into());
        }
        self.runs += 1;
        self.failed_runs += usize::from(run.outcome != "succeeded");
        self.created += created;
        self.pruned.extend(run.pruned);
        self.kept = run.kept;
        Ok(())
    }

    /// What was pruned, and why.
    pub(crate) fn show(&self) {
        let mut points: BTreeMap<(Timestamp, &str, &str), Vec<&str>> = BTreeMap::new();
        for Pruned { recovery_point, etcd_cluster, member, reason } in &self.pruned {
            points.entry((*recovery_point, etcd_cluster, reason)).or_default().push(member);
        }
        println!();
        paragraph(&format!(
            "{} recovery points ({} snapshots) were pruned. The newest of them:",
            points.len(),
            self.pruned.len()
        ));
        println!();
        let newest = points.into_iter().rev().take(SHOWN);
        let rows: Vec<[String; 4]> = newest
            .map(|((slot, etcd, reason), mut members)| {
                members.sort_unstable();
                [minute(slot), etcd.to_owned(), members.join(", "), reason.to_owned()]
            })
            .collect();
        table(["point (UTC)", "etcd", "members", "why pruned"], &rows);
    }

    /// The account holds what the runs said.
    pub(crate) async fn check(&self, scene: &Scene<'_>) -> Demo {
        let points = existing(scene.account).await?;
        let left = self.created - self.pruned.len();
        promise(
            points.iter().map(|point| point.snapshots.len()).sum::<usize>() == left && points.len() == self.kept,
            &format!("{} snapshots taken, {} pruned, {left} there", self.created, self.pruned.len()),
        )?;
        let has_tags = |volume: &KopsVolume| {
            let mut of_volume = points.iter().flat_map(|point| &point.snapshots).filter(|one| one.volume == volume.id);
            let all = packed(&volume.tags);
            of_volume.all(|one| {
                let is_bare = one.tags.keys().all(|key| key == "Name" || !volume.tags.contains_key(key));
                is_bare && all.iter().all(|(key, value)| one.tags.get(key) == Some(value))
            })
        };
        promise(
            scene.cluster.volumes().all(has_tags),
            "each of them keeps every tag of its volume, and bears none of kops' own",
        )?;
        let events = scene.account.events().await;
        let sent = |detail_type: &str| events.iter().filter(|event| event.detail_type == detail_type).count();
        let (taken, failed) = (sent("Etcd Backup Taken"), sent("Etcd Backup Failed"));
        promise(
            (taken, failed) == (self.runs - self.failed_runs, self.failed_runs),
            &format!("EventBridge was told of {taken} runs that succeeded and {failed} that failed"),
        )
    }
}
