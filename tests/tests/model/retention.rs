//! The retention, said once more: which points stay, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::points::{Point, Points};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// `RETENTION`; `within` is in hours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) last: u32,
    pub(super) hourly: u32,
    pub(super) daily: u32,
    pub(super) weekly: u32,
    pub(super) within: u32,
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { last, hourly, daily, weekly, within } = self;
        write!(f, "keep-last={last},keep-hourly={hourly},keep-daily={daily},keep-weekly={weekly},keep-within={within}h")
    }
}

impl Rules {
    /// Of complete points, oldest first, those that a rule keeps.
    fn keep(&self, slots: &[i64]) -> BTreeSet<i64> {
        let (Some(oldest), Some(newest)) = (slots.first(), slots.last()) else { return BTreeSet::new() };
        let mut kept: BTreeSet<i64> = slots.iter().rev().take(self.last as usize).copied().collect();
        kept.extend(slots.iter().filter(|slot| newest - *slot < i64::from(self.within) * HOUR));
        // 1970 began on a Thursday, ISO's weeks begin on Mondays.
        let week = |slot: i64| (slot.div_euclid(DAY) + 3).div_euclid(7);
        let buckets: [(u32, &dyn Fn(i64) -> i64); 3] = [
            (self.hourly, &|slot| slot.div_euclid(HOUR)),
            (self.daily, &|slot| slot.div_euclid(DAY)),
            (self.weekly, &week),
        ];
        for (count, bucket) in buckets {
            // A later one of the same bucket takes the earlier one's place.
            let newest_of: BTreeMap<i64, i64> = slots.iter().map(|slot| (bucket(*slot), *slot)).collect();
            kept.extend(newest_of.values().rev().take(count as usize));
            if newest_of.len() < count as usize {
                kept.insert(*oldest);
            }
        }
        kept
    }
}

/// What becomes of the completed snapshots of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// All stay.
    Stays(&'static str),
    /// The set of the smallest skew stays, others go.
    Thins(&'static str),
    /// All go.
    Goes,
}

/// Why a point stays that no rule but this one keeps.
pub(super) const VERIFIED: &str = "it is the newest verified one";

/// The newest complete point without a flaw.
pub(super) fn newest_complete(points: &Points) -> Option<i64> {
    let counts = |point: &Point| point.is_complete() && !point.is_flawed();
    points.iter().rev().find(|(_, point)| counts(point)).map(|(slot, _)| *slot)
}

/// Judges an etcd cluster's points, in a run for this slot. What is flawed stays and goes as if nobody had
/// noticed. What is not stays if it would then, and also if it would were the flawed points not there.
pub(super) fn fates(points: &Points, rules: &Rules, this_run: i64) -> BTreeMap<i64, Fate> {
    let complete = || points.iter().filter(|(_, point)| point.is_complete()).map(|(slot, point)| (*slot, point));
    let sound: Vec<_> = complete().filter(|(_, point)| !point.is_flawed()).collect();
    let as_unread = kept(&complete().collect::<Vec<_>>(), rules);
    let mut kept = kept(&sound, rules);
    if let Some((slot, _)) = sound.iter().rev().find(|(_, point)| point.is_verified()) {
        kept.entry(*slot).or_insert(VERIFIED);
    }
    let newest = newest_complete(points);
    let fate = |slot: i64, point: &Point| match as_unread.get(&slot).or_else(|| kept.get(&slot)) {
        _ if point.is_pinned() => Fate::Stays("it is pinned"),
        _ if slot == this_run => Fate::Stays("it is the run's own"),
        // All of it: of what was taken twice, the other one may be sound.
        Some(_) if point.is_flawed() => Fate::Stays("it would stay had nobody noticed its flaw"),
        Some(why) => Fate::Thins(why),
        None if point.is_complete() => Fate::Goes,
        None if point.is_pending() => Fate::Stays("its point is pending"),
        None if newest.is_none_or(|newest| newest - slot < DAY) => {
            Fate::Stays("its point is partial, and not a day older than the newest complete one")
        }
        None => Fate::Goes,
    };
    points.iter().map(|(slot, point)| (*slot, fate(*slot, point))).collect()
}

/// Of complete points, oldest first, those that stay, and why.
fn kept(complete: &[(i64, &Point)], rules: &Rules) -> BTreeMap<i64, &'static str> {
    let slots: Vec<i64> = complete.iter().map(|(slot, _)| *slot).collect();
    let mut kept: BTreeMap<i64, &str> =
        rules.keep(&slots).into_iter().map(|slot| (slot, "RETENTION keeps it")).collect();
    // A volume that was replaced: the last point of the one before, and the first of the one after, which dates it.
    // No case spans the 30 days after which they go.
    for pair in complete.windows(2) {
        let [(before, old), (after, new)] = pair else { unreachable!("windows of two") };
        if old.members().iter().any(|member| new.volume(member).is_some() && old.volume(member) != new.volume(member)) {
            kept.insert(*before, "a volume was replaced after it");
            kept.insert(*after, "a volume was replaced before it");
        }
    }
    if let Some((slot, _)) = complete.last() {
        kept.insert(*slot, "it is the newest complete one");
    }
    kept
}
