//! What `verify` found, and the policy.

use std::collections::BTreeSet;

use super::super::KeepReason::{
    KeepHourly, KeepLast, KeepWithin, NewestComplete, NewestVerified, Pinned, ReplacementVolume, VolumeReplaced,
    WouldStayIfSound,
};
use super::super::{KeepReason, Policy, judge};
use super::complete;
use crate::recovery_point::RecoveryPoint;

/// What a policy says of points, given newest first.
#[track_caller]
fn assert_kept(policy: &str, expected: &[(RecoveryPoint, &[KeepReason])]) {
    let policy = Policy::parse(policy).expect("a policy");
    let points: Vec<&RecoveryPoint> = expected.iter().map(|(point, _)| point).collect();
    let judgements = judge(&points, &policy);
    assert_eq!(judgements.len(), expected.len());
    for (judgement, (point, reasons)) in judgements.into_iter().zip(expected) {
        assert_eq!(judgement.slot, point.slot);
        assert_eq!(judgement.reasons, reasons.iter().copied().collect::<BTreeSet<_>>(), "{}", point.slot);
    }
}

#[test]
fn a_corrupt_point_is_not_the_newest_and_holds_no_place() {
    assert_kept(
        "keep-hourly=2",
        &[
            (complete("2026-11-23 05:00").corrupt(), &[WouldStayIfSound]),
            (complete("2026-11-23 04:00"), &[KeepHourly, NewestComplete]),
            (complete("2026-11-23 03:30").corrupt(), &[]),
            (complete("2026-11-23 03:00"), &[KeepHourly]),
            (complete("2026-11-23 02:00"), &[]),
        ],
    );
}

#[test]
fn a_corrupt_point_goes_when_a_sound_one_in_its_place_would() {
    for verdict in ["", "corrupt reason=crc"] {
        let at = |minute| if verdict.is_empty() { complete(minute) } else { complete(minute).found("a", verdict) };
        let policy = Policy::parse("keep-last=1,keep-hourly=2").expect("a policy");
        let points = [complete("2026-11-23 04:00"), at("2026-11-23 03:00"), at("2026-11-23 02:00")];
        let points: Vec<&RecoveryPoint> = points.iter().collect();
        let stays = judge(&points, &policy).into_iter().map(|one| !one.reasons.is_empty());
        assert_eq!(stays.collect::<Vec<_>>(), [true, true, false], "{verdict}");
    }
}

#[test]
fn a_corrupt_point_ends_no_window() {
    assert_kept(
        "keep-within=2h",
        &[
            (complete("2026-11-23 08:00").corrupt(), &[WouldStayIfSound]),
            (complete("2026-11-23 04:00"), &[KeepWithin, NewestComplete]),
            (complete("2026-11-23 03:00"), &[KeepWithin]),
            (complete("2026-11-23 02:00"), &[]),
        ],
    );
}

#[test]
fn a_corrupt_point_is_not_the_last_of_a_replaced_volume() {
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 04:00").of_volume("a", "vol-new"), &[KeepLast, NewestComplete, ReplacementVolume]),
            (complete("2026-11-23 03:00").corrupt(), &[WouldStayIfSound]),
            (complete("2026-11-23 02:00"), &[VolumeReplaced]),
            (complete("2026-11-23 01:00"), &[]),
        ],
    );
}

#[test]
fn a_corrupt_point_does_not_date_a_replacement() {
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 02:00").of_volume("a", "vol-new"), &[KeepLast, NewestComplete]),
            (complete("2026-10-25 02:00").of_volume("a", "vol-new"), &[ReplacementVolume]),
            (complete("2026-10-01 02:00").of_volume("a", "vol-new").corrupt(), &[]),
            (complete("2026-10-01 01:00"), &[VolumeReplaced]),
        ],
    );
}

#[test]
fn where_all_are_corrupt_they_age_as_if_nobody_had_read_them() {
    assert_kept(
        "keep-last=2",
        &[
            (complete("2026-11-23 04:00").corrupt(), &[WouldStayIfSound]),
            (complete("2026-11-23 03:00").corrupt().pinned(), &[Pinned, WouldStayIfSound]),
            (complete("2026-11-23 02:00").corrupt(), &[]),
            (complete("2026-11-23 01:00").corrupt().pinned(), &[Pinned]),
        ],
    );
}

#[test]
fn degraded_and_unsupported_points_count_and_are_not_verified() {
    for verdict in ["degraded reason=meta", "unsupported reason=xfs", "okay", ""] {
        assert_kept(
            "keep-last=1",
            &[
                (complete("2026-11-23 04:00").verified().found("a", verdict), &[KeepLast, NewestComplete]),
                (complete("2026-11-23 03:00").verified().found("a", verdict), &[]),
                (complete("2026-11-23 02:00").verified(), &[NewestVerified]),
                (complete("2026-11-23 01:00").verified(), &[]),
            ],
        );
    }
}

#[test]
fn the_newest_verified_point_stays_however_skewed() {
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 04:00"), &[KeepLast, NewestComplete]),
            (complete("2026-11-23 03:00").verified().skewed_by_ms(60_000), &[NewestVerified]),
            (complete("2026-11-23 02:00").verified(), &[]),
        ],
    );
}

#[test]
fn a_point_whose_members_contradict_each_other_is_not_the_newest_verified_one() {
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 04:00"), &[KeepLast, NewestComplete]),
            (complete("2026-11-23 03:00").verified().of_another_etcd("c"), &[]),
            (complete("2026-11-23 02:00").verified(), &[NewestVerified]),
        ],
    );
}

#[test]
fn a_verdict_that_tells_no_position_verifies_nothing() {
    let of_before = "ok at=2026-11-23T02:01:07Z revision=7 index=9 term=2";
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 04:00"), &[KeepLast, NewestComplete]),
            (complete("2026-11-23 03:00").verified().found("a", of_before), &[]),
            (complete("2026-11-23 02:00").verified(), &[NewestVerified]),
        ],
    );
}

#[test]
fn a_verified_point_of_a_replaced_volume_dates_the_replacement() {
    assert_kept(
        "keep-last=1",
        &[
            (complete("2026-11-23 02:00").of_volume("a", "vol-new"), &[KeepLast, NewestComplete]),
            (complete("2026-09-01 02:00").of_volume("a", "vol-new"), &[ReplacementVolume]),
            (complete("2026-09-01 01:00").verified(), &[NewestVerified]),
        ],
    );
}
