//! Verdicts: what `verify`, or an operator, writes on snapshots, and what it means for a point.

use std::cmp::Reverse;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use scenarios::tags;

use super::points::{Point, Points};
use super::retention::{Fate, VERIFIED, fates, newest_complete};
use super::world::World;
use crate::sequences::pick;

pub(super) const TAG: &str = "etcd-backup/verified";

const BESIDE_CORRUPT: &str = "failed or partial, kept beside a corrupt one";

/// What is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    Ok,
    Degraded,
    Unsupported,
    Corrupt,
    /// By hand, in an operator's own words.
    Corrupted,
    /// It looks like a verdict, and is none.
    Okay,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Ok,
    Corrupt,
    /// No more than if nobody had read the snapshot.
    Nothing,
}

impl Written {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "verdict: ok",
            Self::Degraded => "verdict: degraded",
            Self::Unsupported => "verdict: unsupported",
            Self::Corrupt => "verdict: corrupt",
            Self::Corrupted => "verdict: corrupt, by hand",
            Self::Okay => "verdict: none",
        }
    }

    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Ok => "ok at=2026-11-23T02:01:07Z revision=119172 index=119600 term=3 last=3.119625 commit=119625",
            Self::Degraded => "degraded at=2026-11-23T02:01:07Z reason=one bbolt meta is broken",
            Self::Unsupported => "unsupported at=2026-11-23T02:01:07Z reason=no ext4",
            Self::Corrupt => "corrupt at=2026-11-23T02:01:07Z reason=both bbolt metas are broken",
            Self::Corrupted => "corrupted!",
            Self::Okay => "okay, at a glance",
        }
    }
}

impl Verdict {
    pub(super) fn read(value: Option<&str>) -> Self {
        match value {
            Some(value) if value.starts_with("corrupt") => Self::Corrupt,
            Some(value) if value.split(' ').next() == Some("ok") => Self::Ok,
            _ => Self::Nothing,
        }
    }
}

/// What was found of one point after the other: often the same.
pub(super) fn found(points: Range<usize>) -> impl Strategy<Value = Vec<Written>> {
    let written = || {
        prop_oneof![
            5 => Just(Written::Ok),
            5 => Just(Written::Corrupt),
            3 => Just(Written::Degraded),
            3 => Just(Written::Unsupported),
            2 => Just(Written::Corrupted),
            3 => Just(Written::Okay),
        ]
    };
    let alike = (written(), points.clone()).prop_map(|(written, points)| vec![written; points]);
    prop_oneof![alike, vec(written(), points)]
}

/// Which point, newest first.
pub(super) fn which() -> impl Strategy<Value = u8> {
    prop_oneof![2 => 0..3_u8, 1 => any::<u8>()]
}

impl World<'_> {
    pub(super) async fn judge(&self, found: &[Written], which: u8, alone: Option<u8>) {
        let (points, _) = self.observe().await;
        let mut newest_first: Vec<(&i64, &Point)> = points.values().flatten().collect();
        newest_first.sort_by_key(|(slot, _)| Reverse(**slot));
        let from = usize::from(which) % newest_first.len().max(1);
        for ((_, point), written) in newest_first[from..].iter().zip(found) {
            let mut ids: Vec<String> = point.0.iter().map(|taken| taken.id.clone()).collect();
            if let Some(id) = alone.and_then(|alone| pick(&ids, alone)) {
                ids = vec![id.clone()];
            }
            self.account.change_snapshots(ids).tags(&tags::of([(TAG, written.value())])).await;
            self.tally.add(written.name(), 1);
        }
    }

    /// Counts what a run that prunes would have done otherwise, had nobody read these points.
    pub(super) fn count_verdicts(&self, points: &Points, this_run: i64) {
        let unread = unread(points);
        let would_be = fates(&unread, &self.setup.rules, this_run);
        let (newest, newest_unread) = (newest_complete(points), newest_complete(&unread));
        for (slot, fate) in fates(points, &self.setup.rules, this_run) {
            let point = &points[&slot];
            let has_failed = point.0.iter().any(|taken| taken.state == "error");
            let surplus = point.members().iter().any(|member| point.count(member, &["completed"]) > 1);
            match (would_be[&slot], fate) {
                (Fate::Goes, Fate::Goes) if point.is_corrupt() => self.tally.add("corrupt points gone", 1),
                (Fate::Goes, Fate::Thins(VERIFIED)) => self.tally.add("kept as verified", 1),
                (Fate::Goes, Fate::Thins(_)) => self.tally.add("kept in place of a corrupt one", 1),
                (Fate::Goes, Fate::Stays(_)) => self.tally.add(BESIDE_CORRUPT, 1),
                (Fate::Thins(_), Fate::Stays(_)) if surplus => self.tally.add("surplus of a corrupt point kept", 1),
                _ if has_failed && newest_unread > Some(slot) && newest <= Some(slot) => {
                    self.tally.add(BESIDE_CORRUPT, 1);
                }
                _ => {}
            }
        }
    }
}

/// The same points, read by nobody.
pub(super) fn unread(points: &Points) -> Points {
    let mut points = points.clone();
    for taken in points.values_mut().flat_map(|point| &mut point.0) {
        taken.verdict = Verdict::Nothing;
    }
    points
}
