//! `keep-within`: measured from the newest point, over calendar units as Go's `AddDate` takes them, the far end left
//! out.

use super::super::KeepReason::{KeepDaily, KeepWithin};
use super::assert_judged;

#[test]
fn a_point_exactly_the_span_older_is_outside() {
    for policy in ["keep-within=24h", "keep-within=1d"] {
        assert_judged(
            policy,
            &[
                ("2026-11-23 02:00", &[KeepWithin]),
                ("2026-11-22 02:01", &[KeepWithin]),
                ("2026-11-22 02:00", &[]),
                ("2026-11-22 01:00", &[]),
            ],
        );
    }
}

#[test]
fn the_window_hangs_on_the_newest_point_however_long_ago() {
    assert_judged(
        "keep-within=7d",
        &[("2001-03-03 12:00", &[KeepWithin]), ("2001-02-24 12:01", &[KeepWithin]), ("2001-02-24 12:00", &[])],
    );
}

#[test]
fn a_month_before_the_end_of_march_is_in_march() {
    assert_judged(
        "keep-within=1m",
        &[("2026-03-31 12:00", &[KeepWithin]), ("2026-03-03 12:01", &[KeepWithin]), ("2026-03-03 12:00", &[])],
    );
    assert_judged(
        "keep-within=1m",
        &[("2028-03-31 12:00", &[KeepWithin]), ("2028-03-02 12:01", &[KeepWithin]), ("2028-03-02 12:00", &[])],
    );
}

#[test]
fn a_month_before_the_end_of_october_is_in_october() {
    assert_judged(
        "keep-within=1m",
        &[("2026-10-31 00:00", &[KeepWithin]), ("2026-10-01 00:01", &[KeepWithin]), ("2026-10-01 00:00", &[])],
    );
}

#[test]
fn a_year_before_a_leap_day_is_the_first_of_march() {
    assert_judged(
        "keep-within=1y",
        &[("2028-02-29 00:00", &[KeepWithin]), ("2027-03-01 00:01", &[KeepWithin]), ("2027-03-01 00:00", &[])],
    );
}

#[test]
fn all_units_are_taken_together() {
    // 14 months before 2026-11-23 is 2025-09-23, 3 days and 4 hours before that is 2025-09-19 22:00.
    assert_judged(
        "keep-within=1y2m3d4h",
        &[("2026-11-23 02:00", &[KeepWithin]), ("2025-09-19 22:01", &[KeepWithin]), ("2025-09-19 22:00", &[])],
    );
    // Months and days in one step: "2026-02-30" is March 2; month by month it would be February 27.
    assert_judged(
        "keep-within=1m1d",
        &[("2026-03-31 12:00", &[KeepWithin]), ("2026-03-02 12:01", &[KeepWithin]), ("2026-03-02 12:00", &[])],
    );
}

#[test]
fn a_window_does_not_keep_the_oldest() {
    assert_judged("keep-within=1h", &[("2026-11-23 02:00", &[KeepWithin]), ("2026-11-23 01:00", &[])]);
}

#[test]
fn a_window_and_a_count_keep_what_either_keeps() {
    assert_judged(
        "keep-within=2h,keep-daily=2",
        &[
            ("2026-11-23 02:00", &[KeepDaily, KeepWithin]),
            ("2026-11-23 01:00", &[KeepWithin]),
            ("2026-11-23 00:00", &[]),
            ("2026-11-22 23:00", &[KeepDaily]),
            ("2026-11-22 22:00", &[]),
        ],
    );
}
