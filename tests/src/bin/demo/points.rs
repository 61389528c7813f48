//! The recovery points that there are, as EC2 has them, and why they stay, as the function says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use scenarios::observed::Snapshot;
use scenarios::{Account, RunningFunction};
use serde_json::json;

use crate::Demo;
use crate::answer::{Answer, read};
use crate::hours::{Hours, minute};
use crate::scene;
use crate::text::{paragraph, promise, spaced, table};

const MEMBERS: usize = scene::MEMBERS.len();

/// The snapshots of one etcd cluster for one slot.
pub(crate) struct Point {
    pub(crate) slot: Timestamp,
    pub(crate) etcd: String,
    pub(crate) snapshots: Vec<Snapshot>,
}

impl Point {
    pub(crate) fn state(&self) -> &'static str {
        let all = |states: &[&str]| self.snapshots.iter().all(|snapshot| states.contains(&snapshot.state.as_str()));
        match self.snapshots.len() {
            MEMBERS if all(&["completed"]) => "complete",
            MEMBERS if all(&["completed", "pending"]) => "pending",
            _ => "partial",
        }
    }

    fn skew(&self) -> SignedDuration {
        let started = || self.snapshots.iter().map(|snapshot| snapshot.start_time);
        let span = started().max().zip(started().min()).map(|(newest, oldest)| newest.duration_since(oldest));
        span.unwrap_or_default()
    }
}

/// Newest first. Read from EC2 by their tags, so that nothing depends on what the function says.
pub(crate) async fn existing(account: &Account) -> Demo<Vec<Point>> {
    let mut points: BTreeMap<(Timestamp, String), Vec<Snapshot>> = BTreeMap::new();
    for snapshot in account.snapshots().await {
        let Some(slot) = snapshot.tags.get("etcd-backup/recovery-point") else { continue };
        let slot = slot.parse().map_err(|error| format!("{}: {error}", snapshot.id))?;
        let etcd = snapshot.tags.get("etcd-backup/etcd-cluster");
        let etcd = etcd.ok_or_else(|| format!("{} does not say of which etcd cluster it is", snapshot.id))?.clone();
        points.entry((slot, etcd)).or_default().push(snapshot);
    }
    let point = |((slot, etcd), snapshots)| Point { slot, etcd, snapshots };
    Ok(points.into_iter().rev().map(point).collect())
}

/// Shows them all, and that they are those that the policy keeps.
pub(crate) async fn show(account: &Account, function: &RunningFunction, hours: &Hours) -> Demo {
    let event = json!({ "dry_run": true, "prune": true });
    paragraph(&format!("What keeps each recovery point says a dry run by hand: {}", spaced(&event)));
    println!();
    let answer: Answer = read(function.invoke(event).await?)?;
    let points = existing(account).await?;
    table(["point (UTC)", "etcd", "state", "skew", "why kept"], &rows(&points, &answer)?);
    println!();
    paragraph(
        "Skew: how far apart a point's snapshots are. The local clock stands still within a run; the minute is that \
         until the retry.",
    );
    println!();

    let expected = hours.expected();
    let is_expected = |etcd: &str| {
        let slots = points.iter().filter(|point| point.etcd == etcd).map(|point| point.slot);
        slots.eq(expected.iter().copied())
    };
    promise(
        is_expected("main") && is_expected("events") && points.len() == 2 * expected.len(),
        "of main and of events these, and no others, are what the policy keeps",
    )?;
    promise(
        answer.kept_points.len() == points.len() && answer.pruned.is_empty(),
        "the function's own list is the same, and a run now would prune none",
    )
}

/// One row for the points of a slot that are alike.
fn rows(points: &[Point], answer: &Answer) -> Demo<Vec<[String; 5]>> {
    let mut rows: Vec<[String; 5]> = Vec::new();
    for point in points {
        let kept = answer.kept_points.iter();
        let mut kept = kept.filter(|kept| kept.recovery_point == point.slot && kept.etcd_cluster == point.etcd);
        let kept =
            kept.next().ok_or_else(|| format!("nothing keeps {} of {}, yet it is there", point.slot, point.etcd))?;
        let skew = format!("{} ms", point.skew().as_millis());
        let row = [minute(point.slot), point.etcd.clone(), point.state().to_owned(), skew, kept.reasons.join(", ")];
        match rows.last_mut().filter(|last| (&last[0], &last[2..]) == (&row[0], &row[2..])) {
            Some(alike) => alike[1] = format!("{}, {}", alike[1], row[1]),
            None => rows.push(row),
        }
    }
    Ok(rows)
}
