//! Calendar arithmetic as restic (that is, Go's `time` package) does it, in UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// restic's span: years, months, days and hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Within {
    /// Calendar years.
    pub years: u32,
    /// Calendar months.
    pub months: u32,
    /// Calendar days.
    pub days: u32,
    /// Hours.
    pub hours: u32,
}

impl Within {
    /// Reads `1y2m3d4h`: at least one number with its unit, each unit at most once.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut within = Self::default();
        let mut seen = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let number = rest[..end].parse().ok()?;
            let unit = rest[end..].chars().next()?;
            let part = match unit {
                'y' => &mut within.years,
                'm' => &mut within.months,
                'd' => &mut within.days,
                'h' => &mut within.hours,
                _ => return None,
            };
            if seen.contains(unit) {
                return None;
            }
            seen.push(unit);
            *part = number;
            rest = &rest[end + 1..];
        }
        (!seen.is_empty()).then_some(within)
    }

    /// Whether the span is empty, which switches the rule off.
    pub(super) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The moment that lies the span before `newest`. Go's `AddDate` normalises instead of clamping: a month before
    /// March 31 is "February 31", which is March 3. A span that leaves the calendar reaches back to its beginning.
    pub(super) fn before(self, newest: Timestamp) -> Timestamp {
        self.checked_before(newest).unwrap_or(Timestamp::MIN)
    }

    fn checked_before(self, newest: Timestamp) -> Option<Timestamp> {
        let newest = newest.to_zoned(TimeZone::UTC).datetime();
        let months = i64::from(newest.year()) * 12 + i64::from(newest.month())
            - 1
            - (i64::from(self.years) * 12 + i64::from(self.months));
        let year = i16::try_from(months.div_euclid(12)).ok()?;
        let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
        let first = Date::new(year, month, 1).ok()?.to_datetime(newest.time());
        let days = i64::from(newest.day()) - 1 - i64::from(self.days);
        let shift = SignedDuration::from_hours(days * 24 - i64::from(self.hours));
        let moment = first.checked_add(shift).ok()?;
        Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

/// A calendar unit whose newest point is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    /// A value that is equal for two moments if, and only if, they are in the same unit.
    pub(super) fn bucket(self, time: Timestamp) -> (i16, i8, i8, i8) {
        let time = time.to_zoned(TimeZone::UTC);
        match self {
            Self::Hour => (time.year(), time.month(), time.day(), time.hour()),
            Self::Day => (time.year(), time.month(), time.day(), 0),
            Self::Week => {
                let week = time.date().iso_week_date();
                (week.year(), week.week(), 0, 0)
            }
            Self::Month => (time.year(), time.month(), 0, 0),
            Self::Year => (time.year(), 0, 0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reaches_back_as_gos_add_date_does() {
        for (span, newest, expected) in [
            ("1h", "2026-01-01T00:30:00Z", "2025-12-31T23:30:00Z"),
            ("7d", "2026-03-03T12:00:00Z", "2026-02-24T12:00:00Z"),
            ("1m", "2026-03-31T12:00:00Z", "2026-03-03T12:00:00Z"),
            ("1m", "2024-03-31T12:00:00Z", "2024-03-02T12:00:00Z"),
            ("1y", "2024-02-29T00:00:00Z", "2023-03-01T00:00:00Z"),
            ("14m", "2026-01-15T00:00:00Z", "2024-11-15T00:00:00Z"),
            ("1y2m3d4h", "2026-11-23T02:00:00Z", "2025-09-19T22:00:00Z"),
        ] {
            let within = Within::parse(span).expect("a span");
            assert_eq!(within.before(newest.parse().expect("a time")).to_string(), expected, "{span} before {newest}");
        }
    }

    #[test]
    fn a_span_beyond_the_calendar_keeps_everything() {
        let within = Within::parse("99999y").expect("a span");
        assert_eq!(within.before(Timestamp::UNIX_EPOCH), Timestamp::MIN);
        let within = Within::parse("4294967295h").expect("a span");
        assert_eq!(within.before(Timestamp::UNIX_EPOCH), Timestamp::MIN);
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for bad in ["", "d", "7", "7x", "7d7d", "-1d", "1d 2h", "99999999999d"] {
            assert_eq!(Within::parse(bad), None, "{bad:?}");
        }
    }
}
