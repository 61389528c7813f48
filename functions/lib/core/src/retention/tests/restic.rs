//! restic's verdicts a second time, stated as restic 0.18 does (`ApplyPolicy`, `internal/data/snapshot_policy.go`):
//! one pass over the list, six counters side by side, each unit a number such as YYYYMMDDHH. It shares nothing with
//! the product but the reasons' names: weeks and spans are counted in days since the epoch here.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::super::{KeepReason, Policy};
use super::policies::{policies, times};
use super::{complete, kept_by_rules};

struct Counter {
    left: u32,
    number: fn(DateTime, i64) -> i64,
    last: i64,
    reason: KeepReason,
}

/// Why restic keeps each of the points at these times, given newest first.
pub(super) fn kept(times: &[Timestamp], policy: &Policy) -> Vec<BTreeSet<KeepReason>> {
    let counter = |left, reason, number| Counter { left, number, last: -1, reason };
    let mut counters = [
        counter(policy.last, KeepReason::KeepLast, |_, nr| nr),
        counter(policy.hourly, KeepReason::KeepHourly, |t, _| ymd(t) * 100 + i64::from(t.hour())),
        counter(policy.daily, KeepReason::KeepDaily, |t, _| ymd(t)),
        counter(policy.weekly, KeepReason::KeepWeekly, |t, _| iso_week(t)),
        counter(policy.monthly, KeepReason::KeepMonthly, |t, _| ymd(t) / 100),
        counter(policy.yearly, KeepReason::KeepYearly, |t, _| ymd(t) / 10_000),
    ];
    let mut kept = Vec::new();
    for (nr, time) in (0..).zip(times) {
        let mut reasons = BTreeSet::new();
        if is_within(*time, times[0], policy) {
            reasons.insert(KeepReason::KeepWithin);
        }
        let is_oldest = kept.len() + 1 == times.len();
        let civil = time.to_zoned(TimeZone::UTC).datetime();
        for counter in counters.iter_mut().filter(|counter| counter.left > 0) {
            let number = (counter.number)(civil, nr);
            if number != counter.last || is_oldest {
                reasons.insert(counter.reason);
                counter.last = number;
                counter.left -= 1;
            }
        }
        kept.push(reasons);
    }
    kept
}

fn ymd(t: DateTime) -> i64 {
    i64::from(t.year()) * 10_000 + i64::from(t.month()) * 100 + i64::from(t.day())
}

/// YYYYWW: a week belongs to the year that its Thursday is in.
fn iso_week(t: DateTime) -> i64 {
    let day = days_since_epoch(i64::from(t.year()), i64::from(t.month()), i64::from(t.day()));
    // 1970-01-01 was a Thursday.
    let thursday = day - (day + 3).rem_euclid(7) + 3;
    let mut year = i64::from(t.year()) + 1;
    while days_since_epoch(year, 1, 1) > thursday {
        year -= 1;
    }
    year * 100 + (thursday - days_since_epoch(year, 1, 1)) / 7 + 1
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Days beyond a month's end, and months beyond a year's,
/// run over into the next, as in Go.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12));
    let years: i64 = if year >= 1970 {
        (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum()
    } else {
        -(year..1970).map(|year| 365 + i64::from(is_leap(year))).sum::<i64>()
    };
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = (0..month).zip(lengths).map(|(_, days)| days).sum();
    years + months + day - 1
}

/// `latest.AddDate(-years, -months, -days).Add(-hours)`, then `After`.
fn is_within(time: Timestamp, latest: Timestamp, policy: &Policy) -> bool {
    let span = policy.within;
    if (span.years, span.months, span.days, span.hours) == (0, 0, 0, 0) {
        return false;
    }
    let civil = latest.to_zoned(TimeZone::UTC).datetime();
    let day = days_since_epoch(
        i64::from(civil.year()) - i64::from(span.years),
        i64::from(civil.month()) - i64::from(span.months),
        i64::from(civil.day()) - i64::from(span.days),
    );
    let second_of_day = latest.as_second().rem_euclid(86_400);
    time.as_second() > day * 86_400 + second_of_day - i64::from(span.hours) * 3600
}

proptest! {
    #[test]
    fn every_verdict_is_restics(times in times(60), policy in policies()) {
        let points: Vec<_> = times.iter().map(|time| complete(&time.to_string()[..16])).collect();
        prop_assert_eq!(kept_by_rules(&points, &policy), kept(&times, &policy));
    }
}
