//! Where one hour, day, week, month or year ends and the next begins, in UTC.

use super::super::KeepReason::{KeepDaily, KeepHourly, KeepMonthly, KeepWeekly, KeepYearly};
use super::assert_judged;

#[test]
fn an_hour_begins_on_the_hour() {
    assert_judged(
        "keep-hourly=2",
        &[
            ("2026-11-23 02:00", &[KeepHourly]),
            ("2026-11-23 01:59", &[KeepHourly]),
            ("2026-11-23 01:00", &[]),
            ("2026-11-23 00:59", &[]),
        ],
    );
}

#[test]
fn the_same_hour_of_another_day_is_another_hour() {
    assert_judged(
        "keep-hourly=3",
        &[
            ("2026-11-23 02:00", &[KeepHourly]),
            ("2026-11-22 02:00", &[KeepHourly]),
            ("2026-10-22 02:00", &[KeepHourly]),
            ("2026-10-22 01:00", &[]),
        ],
    );
}

#[test]
fn a_day_begins_at_midnight_utc() {
    assert_judged(
        "keep-daily=3",
        &[
            ("2026-11-23 00:00", &[KeepDaily]),
            ("2026-11-22 23:00", &[KeepDaily]),
            ("2026-11-22 00:00", &[]),
            ("2026-11-21 23:59", &[KeepDaily]),
            ("2026-11-21 00:00", &[]),
        ],
    );
}

#[test]
fn a_week_begins_on_monday() {
    assert_judged(
        "keep-weekly=3",
        &[
            ("2026-11-23 00:00", &[KeepWeekly]),
            ("2026-11-22 23:00", &[KeepWeekly]),
            ("2026-11-16 00:00", &[]),
            ("2026-11-15 23:00", &[KeepWeekly]),
            ("2026-11-09 00:00", &[]),
        ],
    );
}

#[test]
fn week_53_of_2026_goes_on_into_2027() {
    assert_judged(
        "keep-weekly=2",
        &[
            ("2027-01-04 00:00", &[KeepWeekly]),
            ("2027-01-03 23:00", &[KeepWeekly]),
            ("2027-01-01 00:00", &[]),
            ("2026-12-31 23:00", &[]),
            ("2026-12-28 00:00", &[]),
            ("2026-12-27 23:00", &[]),
        ],
    );
}

#[test]
fn week_1_of_2025_begins_in_2024() {
    assert_judged(
        "keep-weekly=3",
        &[
            ("2025-01-05 23:00", &[KeepWeekly]),
            ("2025-01-01 00:00", &[]),
            ("2024-12-30 00:00", &[]),
            ("2024-12-29 23:00", &[KeepWeekly]),
            ("2024-12-22 23:00", &[KeepWeekly]),
            ("2024-12-16 00:00", &[]),
        ],
    );
}

#[test]
fn the_same_week_of_another_year_is_another_week() {
    assert_judged(
        "keep-weekly=2",
        &[
            ("2027-01-04 00:00", &[KeepWeekly]),
            ("2026-01-04 00:00", &[KeepWeekly]),
            ("2025-12-29 00:00", &[]),
            ("2025-12-28 00:00", &[]),
        ],
    );
}

#[test]
fn a_month_begins_on_its_first() {
    assert_judged(
        "keep-monthly=3",
        &[
            ("2026-12-01 00:00", &[KeepMonthly]),
            ("2026-11-30 23:00", &[KeepMonthly]),
            ("2026-11-01 00:00", &[]),
            ("2026-10-31 23:00", &[KeepMonthly]),
            ("2026-10-01 00:00", &[]),
        ],
    );
}

#[test]
fn the_same_month_of_another_year_is_another_month() {
    assert_judged(
        "keep-monthly=2",
        &[("2026-11-30 00:00", &[KeepMonthly]), ("2025-11-30 00:00", &[KeepMonthly]), ("2025-11-29 00:00", &[])],
    );
}

#[test]
fn a_year_begins_on_new_years_day() {
    assert_judged(
        "keep-yearly=2",
        &[
            ("2027-01-01 00:00", &[KeepYearly]),
            ("2026-12-31 23:00", &[KeepYearly]),
            ("2026-01-01 00:00", &[]),
            ("2025-12-31 23:00", &[]),
        ],
    );
}
