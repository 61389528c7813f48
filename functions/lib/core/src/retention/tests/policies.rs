//! Random times and policies.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::super::Policy;

/// Policies in which every rule is on or off; at least one is on.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let counts = prop::array::uniform6(prop_oneof![2 => Just(0_u32), 3 => 1..8_u32]);
    let span = prop::array::uniform4(prop_oneof![4 => Just(0_u32), 1 => 1..40_u32]);
    (counts, span)
        .prop_map(|([last, hourly, daily, weekly, monthly, yearly], [years, months, days, hours])| {
            let mut policy = Policy { last, hourly, daily, weekly, monthly, yearly, ..Policy::default() };
            policy.within.years = years / 10;
            policy.within.months = months;
            policy.within.days = days;
            policy.within.hours = hours;
            policy
        })
        .prop_filter("a policy keeps something", |policy| *policy != Policy::default())
}

/// A policy, and one with some of its numbers raised.
pub(crate) fn a_policy_and_a_larger_one() -> impl Strategy<Value = (Policy, Policy)> {
    let raise = || prop_oneof![3 => Just(0_u32), 1 => 1..30_u32];
    (policies(), prop::array::uniform10(raise())).prop_map(|(policy, raised)| {
        let mut larger = policy;
        for (number, by) in [
            &mut larger.last,
            &mut larger.hourly,
            &mut larger.daily,
            &mut larger.weekly,
            &mut larger.monthly,
            &mut larger.yearly,
            &mut larger.within.years,
            &mut larger.within.months,
            &mut larger.within.days,
            &mut larger.within.hours,
        ]
        .into_iter()
        .zip(raised)
        {
            *number += by;
        }
        (policy, larger)
    })
}

/// Up to `most` different minutes of 1999 to 2037, newest first: minutes, hours, days or months apart, so that every
/// border is crossed and every unit has several.
pub(crate) fn times(most: usize) -> impl Strategy<Value = Vec<Timestamp>> {
    let gap = prop_oneof![2 => 1..90_i64, 4 => Just(60), 2 => (1..50_i64).prop_map(|hours| hours * 60),
        2 => (1..40_i64).prop_map(|days| days * 1440), 1 => 20_000..500_000_i64];
    let first_minute = (946_684_800 / 60 - 1440)..(2_145_916_800_i64 / 60);
    (first_minute, prop::collection::vec(gap, 0..most)).prop_map(|(newest, gaps)| {
        let mut minute = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(newest);
        let mut times = vec![minute];
        for gap in gaps {
            minute -= SignedDuration::from_mins(gap);
            times.push(minute);
        }
        times
    })
}
