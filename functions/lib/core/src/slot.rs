//! The slot: which scheduled moment a snapshot belongs to.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

const DAY: i64 = 24 * 60 * 60;

/// A recovery point's time: the scheduled time, cut down to the schedule's period, in whole seconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(Timestamp);

impl Slot {
    /// A slot that is that very second: what a backup by hand has.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(Timestamp::from_second(time.as_second()).unwrap_or(time))
    }

    /// Reads a slot as the tag `etcd-backup/recovery-point` holds it: RFC 3339.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::at)
    }

    /// The slot's moment.
    #[must_use]
    pub fn time(self) -> Timestamp {
        self.0
    }

    /// Its day, in UTC: days since the epoch.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.as_second().div_euclid(DAY)
    }

    /// How much newer this slot is than `older`.
    #[must_use]
    pub fn since(self, older: Self) -> SignedDuration {
        self.0.duration_since(older.0)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The schedule's period (`SLOT`): divides 24 hours, so that slots are the same every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    seconds: i64,
}

impl Period {
    /// A period of that length, if it is in whole seconds and divides 24 hours.
    #[must_use]
    pub fn new(length: SignedDuration) -> Option<Self> {
        let seconds = length.as_secs();
        let divides_a_day = seconds > 0 && length.subsec_nanos() == 0 && DAY % seconds == 0;
        divides_a_day.then_some(Self { seconds })
    }

    /// The slot that a scheduled time belongs to.
    #[must_use]
    pub fn slot(self, scheduled: Timestamp) -> Slot {
        // The epoch is a midnight, UTC has no leap seconds here: whole periods since then are whole periods of a day.
        let cut = scheduled.as_second().div_euclid(self.seconds) * self.seconds;
        Timestamp::from_second(cut).map_or(Slot::at(scheduled), Slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(period: SignedDuration, time: &str) -> String {
        Period::new(period).expect("a period").slot(time.parse().expect("a time")).to_string()
    }

    #[test]
    fn a_late_delivery_belongs_to_its_hour() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(slot(hour, "2026-11-23T02:59:59.9Z"), "2026-11-23T02:00:00Z");
        assert_eq!(slot(hour, "2026-11-23T02:00:00Z"), "2026-11-23T02:00:00Z");
        assert_eq!(slot(SignedDuration::from_hours(6), "2026-11-23T17:10:00Z"), "2026-11-23T12:00:00Z");
        assert_eq!(slot(SignedDuration::from_mins(15), "1969-12-31T23:59:00Z"), "1969-12-31T23:45:00Z");
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let day = |time: &str| Slot::parse(time).expect("a slot").day();
        assert_eq!(day("2026-11-23T00:00:00Z"), day("2026-11-23T23:59:59Z"));
        assert_eq!(day("2026-11-23T00:00:00Z"), day("2026-11-22T23:59:59Z") + 1);
        assert_eq!(day("1969-12-31T23:59:59Z"), -1);
    }

    #[test]
    fn a_period_must_divide_a_day() {
        for good in [1, 60, 900, 3600, 86_400] {
            assert!(Period::new(SignedDuration::from_secs(good)).is_some(), "{good}");
        }
        for bad in [0, -3600, 7 * 3600, 86_401, 172_800] {
            assert!(Period::new(SignedDuration::from_secs(bad)).is_none(), "{bad}");
        }
        assert!(Period::new(SignedDuration::from_millis(1500)).is_none());
    }
}
