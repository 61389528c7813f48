//! Random histories of one etcd cluster: points in every state, with surplus, skew, pins, verdicts and replaced volumes.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::fixtures::{MEMBERS, our_snapshot, stood};
use crate::ids::{SnapshotId, VolumeId};
use crate::recovery_point::RecoveryPoint;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, SnapshotState};
use SnapshotState::{Completed, Error, Other, Pending};

/// A snapshot of one member: its state, and how many milliseconds after the slot it was started.
type Shot = (SnapshotState, i64);

/// One hour in which something was taken.
#[derive(Debug, Clone)]
struct Hour {
    /// Since the one before.
    after: i64,
    /// The snapshots of each member.
    members: Vec<Vec<Shot>>,
    /// Which snapshot of the hour is pinned, if any.
    pinned: Option<usize>,
    /// What `verify` found of the hour's snapshots, over and over again.
    verified: Vec<Option<&'static str>>,
    /// Which member's volume is another from here on, and which.
    replaced: Option<(usize, u8)>,
}

/// A history, points newest first, of `members` members.
fn histories() -> impl Strategy<Value = Vec<RecoveryPoint>> {
    (1..=MEMBERS.len()).prop_flat_map(|members| prop::collection::vec(hour(members), 1..25)).prop_map(points)
}

fn hour(members: usize) -> impl Strategy<Value = Hour> {
    let after = prop_oneof![6 => Just(1_i64), 3 => 2..30_i64, 2 => 30..400_i64, 1 => 400..3000_i64];
    let pinned = prop::option::weighted(0.1, 0..6_usize);
    let replaced = prop::option::weighted(0.1, (0..members, 0..3_u8));
    (after, prop::collection::vec(shots(), members), pinned, verified(), replaced)
        .prop_map(|(after, members, pinned, verified, replaced)| Hour { after, members, pinned, verified, replaced })
}

/// Mostly nothing, or that all are sound.
fn verified() -> impl Strategy<Value = Vec<Option<&'static str>>> {
    let any = prop::sample::select(vec![None, Some("ok"), Some("degraded"), Some("unsupported"), Some("corrupt")]);
    prop_oneof![5 => Just(vec![None]), 2 => Just(vec![Some("ok")]), 1 => Just(vec![Some("corrupt")]),
        2 => prop::collection::vec(any, 1..4)]
}

/// What one member has for one slot: mostly one completed snapshot.
fn shots() -> impl Strategy<Value = Vec<Shot>> {
    // Now and then over the skew that is allowed, five seconds; a few at the same moment, so that sets tie.
    let late = || prop_oneof![3 => Just(0_i64), 6 => 0..60_i64, 2 => 0..15_000_i64];
    let state = prop_oneof![4 => Just(Completed), 1 => Just(Pending), 1 => Just(Error), 1 => Just(Other)];
    prop_oneof![
        20 => late().prop_map(|late| vec![(Completed, late)]),
        1 => Just(Vec::new()),
        1 => Just(vec![(Pending, 0)]),
        1 => Just(vec![(Error, 0)]),
        1 => Just(vec![(Other, 0)]),
        3 => prop::collection::vec((state, late()), 2..4),
    ]
}

fn points(hours: Vec<Hour>) -> Vec<RecoveryPoint> {
    let mut volumes: Vec<String> = MEMBERS.iter().map(|member| format!("vol-{member}0")).collect();
    let mut time: Timestamp = "2026-02-27T20:00:00Z".parse().expect("a time");
    let mut points = Vec::new();
    for hour in hours {
        time += SignedDuration::from_hours(hour.after);
        if let Some((member, generation)) = hour.replaced {
            volumes[member] = format!("vol-{}{generation}", MEMBERS[member]);
        }
        let snapshots = snapshots(time, &hour, &volumes);
        if !snapshots.is_empty() {
            points.push(RecoveryPoint::new(Slot::at(time), snapshots));
        }
    }
    points.reverse();
    points
}

fn snapshots(time: Timestamp, hour: &Hour, volumes: &[String]) -> Vec<OurSnapshot> {
    let mut snapshots = Vec::new();
    for (member, shots) in hour.members.iter().enumerate() {
        for (nth, &(state, late)) in shots.iter().enumerate() {
            let mut snapshot = our_snapshot(&time.to_string(), MEMBERS[member], state);
            snapshot.id = SnapshotId::parse(&format!("{}-{nth}", snapshot.id)).expect("an id");
            let members = &MEMBERS[..hour.members.len()];
            snapshot.members.retain(|member| members.contains(&member.as_str()));
            snapshot.volume.id = VolumeId::parse(&volumes[member]).expect("an id");
            snapshot.started += SignedDuration::from_millis(late);
            snapshots.push(snapshot);
        }
    }
    for (snapshot, verified) in snapshots.iter_mut().zip(hour.verified.iter().cycle()) {
        snapshot.verified = verified.map(|verified| match verified {
            "ok" => stood(snapshot.lineage.member.as_str(), 100, 100),
            other => other.to_owned(),
        });
    }
    let pinned = hour.pinned.and_then(|n| snapshots.get_mut(n));
    if let Some(snapshot) = pinned {
        snapshot.pinned = true;
    }
    snapshots
}

/// A run: the points that it finds, and the slot that it works on.
#[derive(Clone)]
pub(crate) struct Run {
    /// Newest first.
    pub points: Vec<RecoveryPoint>,
    pub slot: Slot,
}

/// One line a point: what proptest prints when a promise is broken should be read, not searched.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a run of slot {}", self.slot)?;
        for point in &self.points {
            write!(f, "  {}:", point.slot)?;
            for snapshot in &point.snapshots {
                let late = snapshot.started.duration_since(point.slot.time()).as_millis();
                let pinned = if snapshot.pinned { " pinned" } else { "" };
                let verified = snapshot.verified.as_deref().unwrap_or_default();
                write!(
                    f,
                    " {} of {} {:?}+{late}{pinned} {verified},",
                    snapshot.lineage.member, snapshot.volume.id, snapshot.state
                )?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A run of the hour after the newest point, or of a point that is there (a duplicate or late delivery).
pub(crate) fn runs() -> impl Strategy<Value = Run> {
    let nth = prop_oneof![2 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (histories(), nth).prop_filter_map("a history has a point", |(points, nth)| {
        let newest = points.first()?.slot;
        let slot = nth.map_or(Slot::at(newest.time() + SignedDuration::from_hours(1)), |nth| nth.get(&points).slot);
        Some(Run { points, slot })
    })
}

/// The same points, read by nobody.
pub(crate) fn unread(points: &[RecoveryPoint]) -> Vec<RecoveryPoint> {
    let mut points = points.to_vec();
    for snapshot in points.iter_mut().flat_map(|point| &mut point.snapshots) {
        snapshot.verified = None;
    }
    points
}

/// What is left of the points without these snapshots.
pub(crate) fn without(points: &[RecoveryPoint], gone: &BTreeSet<SnapshotId>) -> Vec<RecoveryPoint> {
    let left = |point: &RecoveryPoint| RecoveryPoint {
        shrunk: point.shrunk,
        slot: point.slot,
        snapshots: point.snapshots.iter().filter(|snapshot| !gone.contains(&snapshot.id)).cloned().collect(),
    };
    points.iter().map(left).filter(|point| !point.snapshots.is_empty()).collect()
}
