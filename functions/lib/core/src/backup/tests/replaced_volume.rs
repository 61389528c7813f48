//! A replaced volume, hour by hour: its last point stays for thirty days while the policy thins what follows, and
//! goes in the end.

use jiff::SignedDuration;

use super::super::Settings;
use super::super::prune::{Hold, plan_prune};
use super::fixtures::{our_snapshot, point};
use super::histories::without;
use super::prune_promises::gone;
use crate::recovery_point::RecoveryPoint;
use crate::retention::KeepReason;
use crate::slot::Slot;
use crate::snapshot::SnapshotState::{Completed, Pending};

/// The first slot of the new volume, and the last of the old one.
const NEW: &str = "2026-03-01T10:00:00Z";
const OLD: &str = "2026-03-01T09:00:00Z";

fn slot(text: &str) -> Slot {
    Slot::parse(text).expect("a slot")
}

fn hours_after(slot: Slot, hours: i64) -> Slot {
    Slot::at(slot.time() + SignedDuration::from_hours(hours))
}

/// The three hours before member a's volume was replaced.
fn before_the_replacement() -> Vec<RecoveryPoint> {
    [0, -1, -2].map(|hour| point(&hours_after(slot(OLD), hour).to_string(), &[Completed; 3])).to_vec()
}

/// One hourly run: its own snapshots are pending while it prunes, completed by the next.
fn run(points: &mut Vec<RecoveryPoint>, this_run: Slot, settings: &Settings) {
    let taken = |state| point(&this_run.to_string(), &[state; 3]).of_volume("a", "vol-new");
    points.insert(0, taken(Pending));
    let plan = plan_prune(points, this_run, settings, &Hold::default());
    *points = without(points, &gone(&plan));
    points[0] = taken(Completed);
}

/// Hourly runs for forty days; the hours, counted from the first point of the new volume, at whose end the old
/// volume's last point was there.
fn hours_that_the_old_point_stays(settings: &Settings) -> (Vec<i64>, Vec<RecoveryPoint>) {
    let mut points = before_the_replacement();
    let mut stays = Vec::new();
    for hour in 0..40 * 24 {
        run(&mut points, hours_after(slot(NEW), hour), settings);
        if points.iter().any(|point| point.slot == slot(OLD) && point.snapshots.len() == 3) {
            stays.push(hour);
        }
    }
    (stays, points)
}

#[test]
fn its_last_point_stays_for_thirty_days_and_goes_in_the_end() {
    for max_prune in [usize::MAX, 6] {
        let settings = Settings::retention("keep-last=3").at_most(max_prune);
        let (stays, left) = hours_that_the_old_point_stays(&settings);
        // A run measures from the newest *complete* point: that of the hour before. The run of hour 721 is the first
        // that finds thirty whole days between the first point of the new volume and the newest.
        assert_eq!(stays, (0..=30 * 24).collect::<Vec<_>>(), "MAX_PRUNE={max_prune}");
        assert_eq!(left.len(), 4, "three are kept, one is the last run's own");
    }
}

#[test]
fn a_policy_that_keeps_days_does_not_hold_it_longer() {
    let (stays, left) = hours_that_the_old_point_stays(&Settings::retention("keep-last=3,keep-daily=7"));
    assert_eq!(stays, (0..=30 * 24).collect::<Vec<_>>());
    assert!(left.iter().all(|point| point.slot > slot(NEW)));
}

#[test]
fn a_pinned_old_point_never_holds_points_but_the_first_of_the_new_volume() {
    let mut points = before_the_replacement();
    points[0] = points[0].clone().pinned();
    let settings = Settings::retention("keep-last=3");
    for hour in 0..40 * 24 {
        run(&mut points, hours_after(slot(NEW), hour), &settings);
    }
    let plan = plan_prune(&points, hours_after(slot(NEW), 40 * 24), &settings, &Hold::default());
    let held = plan.points.iter().filter(|point| point.reasons.contains(&KeepReason::ReplacementVolume));
    let held: Vec<Slot> = held.map(|point| point.slot).filter(|held| *held != slot(NEW)).collect();
    assert_eq!(held, [], "a later point is not where the volume was replaced");
}

#[test]
fn a_volume_replaced_twice_leaves_the_last_point_of_each() {
    let mut points = vec![
        point("2026-03-01T13:00:00Z", &[Completed; 3]).of_volume("a", "vol-third"),
        point("2026-03-01T12:00:00Z", &[Completed; 3]).of_volume("a", "vol-second"),
        point("2026-03-01T11:00:00Z", &[Completed; 3]).of_volume("a", "vol-second"),
    ];
    points.extend(before_the_replacement());
    let this_run = slot("2026-03-01T14:00:00Z");
    let plan = plan_prune(&points, this_run, &Settings::retention("keep-last=1"), &Hold::default());
    let left: Vec<String> = without(&points, &gone(&plan)).iter().map(|point| point.slot.to_string()).collect();
    assert_eq!(left, ["2026-03-01T13:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T11:00:00Z", "2026-03-01T09:00:00Z"]);
}

#[test]
fn a_replacement_without_a_complete_point_yet_takes_nothing_from_the_old_volume() {
    let mut points = before_the_replacement();
    let mut blank = point(NEW, &[Completed, Completed]).of_volume("a", "vol-new");
    blank.snapshots.push(our_snapshot(NEW, "c", Pending));
    points.insert(0, blank);
    let plan = plan_prune(&points, slot("2026-03-01T11:00:00Z"), &Settings::retention("keep-last=1"), &Hold::default());
    let left = without(&points, &gone(&plan));
    assert_eq!(left.iter().map(|point| point.slot).collect::<Vec<_>>(), [slot(NEW), slot(OLD)]);
}
