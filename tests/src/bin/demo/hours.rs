//! Three days of hourly events, with a mishap in one of the hours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use scenarios::{RunningFunction, events};

use crate::Demo;
use crate::answer::{Answer, Pruned};
use crate::points;
use crate::scene::Scene;
use crate::text::{paragraph, promise, quote, table};

/// Short enough for pruning to show within three days.
pub(crate) const RETENTION: &str = "keep-last=3,keep-hourly=12,keep-daily=7";

const SLOTS: i64 = 72;
/// How often the progress is shown.
const PROGRESS: usize = 12;
/// Lambda tries an event again after a minute.
const RETRY: SignedDuration = SignedDuration::from_secs(61);

/// The slots, oldest first.
pub(crate) struct Hours(Vec<Timestamp>);

/// What the runs did in all.
#[derive(Default)]
pub(crate) struct Tally {
    runs: usize,
    created: usize,
    pruned: Vec<Pruned>,
    kept: usize,
}

impl Hours {
    /// Those of the last three days, up to the last full hour.
    pub(crate) fn until_now() -> Demo<Self> {
        let now = Timestamp::now();
        let last = now - SignedDuration::from_nanos_i128(now.as_nanosecond() % 3_600_000_000_000);
        debug_assert!(last.round(Unit::Hour) == Ok(last));
        Ok(Self((0..SLOTS).rev().map(|hours| last - SignedDuration::from_hours(hours)).collect()))
    }
}
