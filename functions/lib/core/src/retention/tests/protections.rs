//! What no policy prunes, and what every policy leaves alone.

use std::collections::BTreeSet;

use super::super::KeepReason::{KeepLast, NewestComplete, Pinned, ReplacementVolume, VolumeReplaced};
use super::super::{KeepReason, Policy, judge};
use super::complete;
use crate::recovery_point::RecoveryPoint;

/// What `keep-last=1` says of points, given newest first.
#[track_caller]
fn assert_kept(expected: &[(RecoveryPoint, &[KeepReason])]) {
    let policy = Policy::parse("keep-last=1").expect("a policy");
    let points: Vec<&RecoveryPoint> = expected.iter().map(|(point, _)| point).collect();
    let verdicts = judge(&points, &policy);
    for (verdict, (point, reasons)) in verdicts.into_iter().zip(expected) {
        assert_eq!(verdict.slot, point.slot);
        assert_eq!(verdict.reasons, reasons.iter().copied().collect::<BTreeSet<_>>(), "{}", point.slot);
    }
}

#[test]
fn nothing_is_said_of_no_points() {
    assert_eq!(judge(&[], &Policy::parse("keep-last=1").expect("a policy")), []);
}

#[test]
fn the_newest_stays_however_skewed_and_skew_keeps_and_costs_no_other() {
    assert_kept(&[
        (complete("2026-11-23 02:00").skewed_by_ms(60_000), &[KeepLast, NewestComplete]),
        (complete("2026-11-23 01:00").skewed_by_ms(60_000), &[]),
        (complete("2026-11-23 00:00"), &[]),
    ]);
}

#[test]
fn a_pinned_point_stays_and_still_counts() {
    assert_kept(&[
        (complete("2026-11-23 02:00").pinned(), &[KeepLast, NewestComplete, Pinned]),
        (complete("2026-11-23 01:00"), &[]),
        (complete("2026-11-23 00:00").pinned(), &[Pinned]),
    ]);
}

#[test]
fn both_sides_of_a_replaced_volume_stay_for_thirty_days() {
    assert_kept(&[
        (complete("2026-11-23 02:00").of_volume("a", "vol-new"), &[KeepLast, NewestComplete]),
        (complete("2026-11-23 01:00").of_volume("a", "vol-new"), &[]),
        (complete("2026-10-24 03:00").of_volume("a", "vol-new"), &[ReplacementVolume]),
        (complete("2026-10-24 02:00"), &[VolumeReplaced]),
        (complete("2026-10-24 01:00"), &[]),
    ]);
    assert_kept(&[
        (complete("2026-11-23 02:00").of_volume("a", "vol-new"), &[KeepLast, NewestComplete]),
        (complete("2026-10-24 02:00").of_volume("a", "vol-new"), &[]),
        (complete("2026-10-24 01:00"), &[]),
    ]);
}

#[test]
fn the_old_point_stays_however_old_it_was_when_the_volume_was_replaced() {
    assert_kept(&[
        (complete("2026-11-23 02:00").of_volume("c", "vol-new"), &[KeepLast, NewestComplete, ReplacementVolume]),
        (complete("2025-01-01 00:00"), &[VolumeReplaced]),
    ]);
}

#[test]
fn every_replacement_counts_one_after_the_other_and_back_again() {
    assert_kept(&[
        (complete("2026-11-23 03:00"), &[KeepLast, NewestComplete]),
        (complete("2026-11-23 02:00"), &[ReplacementVolume]),
        (complete("2026-11-23 01:00").of_volume("a", "vol-blank"), &[VolumeReplaced]),
        (complete("2026-11-23 00:00").of_volume("a", "vol-blank"), &[ReplacementVolume]),
        (complete("2026-11-22 23:00"), &[VolumeReplaced]),
        (complete("2026-11-22 22:00"), &[]),
    ]);
}

#[test]
fn members_replaced_at_different_times_each_have_their_point() {
    assert_kept(&[
        (
            complete("2026-11-23 03:00").of_volume("a", "vol-new").of_volume("b", "vol-newer"),
            &[KeepLast, NewestComplete, ReplacementVolume],
        ),
        (complete("2026-11-23 02:00").of_volume("a", "vol-new"), &[VolumeReplaced]),
        (complete("2026-11-23 01:00").of_volume("a", "vol-new"), &[ReplacementVolume]),
        (complete("2026-11-23 00:00"), &[VolumeReplaced]),
        (complete("2026-11-22 23:00"), &[]),
    ]);
}
