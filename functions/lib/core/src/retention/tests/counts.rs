//! How the counted rules count: what they pass over, share, and do when they run out or do not.

use super::super::KeepReason::{KeepDaily, KeepHourly, KeepLast, KeepMonthly, KeepWeekly, KeepYearly};
use super::assert_judged;

#[test]
fn keep_last_keeps_so_many_however_close() {
    assert_judged(
        "keep-last=2",
        &[
            ("2026-11-23 02:01", &[KeepLast]),
            ("2026-11-23 02:00", &[KeepLast]),
            ("2026-11-23 01:00", &[]),
            ("2025-01-01 00:00", &[]),
        ],
    );
}

#[test]
fn keep_last_of_more_than_there_are_keeps_all() {
    assert_judged(
        "keep-last=4294967295",
        &[("2026-11-23 02:00", &[KeepLast]), ("2026-11-22 02:00", &[KeepLast]), ("2019-11-22 02:00", &[KeepLast])],
    );
}

#[test]
fn of_several_points_in_one_hour_the_newest_is_kept() {
    assert_judged(
        "keep-hourly=3",
        &[
            ("2026-11-23 02:30", &[KeepHourly]),
            ("2026-11-23 02:17", &[]),
            ("2026-11-23 02:00", &[]),
            ("2026-11-23 01:00", &[KeepHourly]),
            ("2026-11-23 00:45", &[KeepHourly]),
            ("2026-11-23 00:10", &[]),
        ],
    );
}

#[test]
fn the_oldest_is_kept_while_a_count_is_not_used_up() {
    assert_judged(
        "keep-hourly=4",
        &[
            ("2026-11-23 02:30", &[KeepHourly]),
            ("2026-11-23 02:17", &[]),
            ("2026-11-23 01:00", &[KeepHourly]),
            ("2026-11-23 00:45", &[KeepHourly]),
            ("2026-11-23 00:20", &[]),
            ("2026-11-23 00:10", &[KeepHourly]),
        ],
    );
    assert_judged(
        "keep-yearly=2",
        &[("2026-11-23 02:00", &[KeepYearly]), ("2026-11-23 01:00", &[]), ("2026-01-01 00:00", &[KeepYearly])],
    );
}

#[test]
fn the_oldest_goes_once_the_count_is_used_up() {
    assert_judged(
        "keep-daily=1,keep-yearly=1",
        &[("2026-11-23 02:00", &[KeepDaily, KeepYearly]), ("2026-11-23 01:00", &[]), ("2026-11-23 00:00", &[])],
    );
}

#[test]
fn hours_and_days_without_a_point_use_up_nothing() {
    assert_judged(
        "keep-daily=3",
        &[
            ("2026-11-23 02:00", &[KeepDaily]),
            ("2026-11-20 02:00", &[KeepDaily]),
            ("2026-08-01 02:00", &[KeepDaily]),
            ("2026-07-31 02:00", &[]),
        ],
    );
}

#[test]
fn a_single_point_is_kept_by_every_rule_that_is_on() {
    assert_judged(
        "keep-last=1,keep-hourly=1,keep-daily=1,keep-weekly=1,keep-monthly=0,keep-yearly=1",
        &[("2026-11-23 02:00", &[KeepLast, KeepHourly, KeepDaily, KeepWeekly, KeepYearly])],
    );
}

#[test]
fn every_rule_counts_for_itself() {
    assert_judged(
        "keep-last=1,keep-hourly=2,keep-daily=2,keep-monthly=2",
        &[
            ("2026-11-23 02:00", &[KeepLast, KeepHourly, KeepDaily, KeepMonthly]),
            ("2026-11-23 01:00", &[KeepHourly]),
            ("2026-11-23 00:00", &[]),
            ("2026-11-22 23:00", &[KeepDaily]),
            ("2026-11-22 22:00", &[]),
            ("2026-10-31 23:00", &[KeepMonthly]),
            ("2026-10-31 22:00", &[]),
        ],
    );
}

#[test]
fn the_default_policy_keeps_hours_days_weeks_and_months() {
    assert_judged(
        "keep-last=3,keep-hourly=24,keep-daily=7,keep-weekly=4,keep-monthly=12",
        &[
            ("2026-11-23 02:00", &[KeepLast, KeepHourly, KeepDaily, KeepWeekly, KeepMonthly]),
            ("2026-11-22 23:00", &[KeepLast, KeepHourly, KeepDaily, KeepWeekly]),
            ("2026-11-15 23:00", &[KeepLast, KeepHourly, KeepDaily, KeepWeekly]),
            ("2026-11-08 23:00", &[KeepHourly, KeepDaily, KeepWeekly]),
            ("2026-11-01 23:00", &[KeepHourly, KeepDaily]),
            ("2026-10-31 23:00", &[KeepHourly, KeepDaily, KeepMonthly]),
            ("2026-10-30 23:00", &[KeepHourly, KeepDaily]),
            ("2026-10-29 23:00", &[KeepHourly]),
            ("2026-10-29 22:00", &[KeepHourly, KeepMonthly]),
        ],
    );
}
