//! Recovery points: the snapshots of one etcd cluster's members for one slot.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ids::{EtcdClusterId, Member, VolumeId};
use crate::raft::Position;
use crate::set::{Set, Unplaced};
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, SnapshotState};
use crate::verdict::Verdict;

/// How far a recovery point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointState {
    /// One completed snapshot for every expected member.
    Complete,
    /// Every expected member has one, some still pending.
    Pending,
    /// Anything else.
    Partial,
}

impl PointState {
    /// Its name in an answer.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pending => "pending",
            Self::Partial => "partial",
        }
    }
}

/// For how long fewer members than before are not believed.
pub(crate) const SHRUNK_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Most snapshots of a slot. Concurrent deliveries add one or two a member; more than this is somebody's doing.
const MOST_OF_SLOT: usize = 64;

/// The snapshots of one etcd cluster for one slot, whatever their state. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// The point's time.
    pub slot: Slot,
    /// All its snapshots, surplus and failed ones included.
    pub snapshots: Vec<OurSnapshot>,
    /// Whether the etcd cluster had more members in a complete point less than seven days before, and nobody said that
    /// the others are gone on purpose.
    pub shrunk: bool,
}

/// What makes a complete point count for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Which of the volumes was the member's cannot be told.
    #[error("member {0} has snapshots of several volumes")]
    Contested(Member),
    /// See [`RecoveryPoint::shrunk`].
    #[error("it has fewer members than the points before")]
    Shrunk,
    /// More snapshots than deliveries explain.
    #[error("it has {0} snapshots, more than {most}", most = MOST_OF_SLOT)]
    Crowded(usize),
}

/// Groups snapshots into recovery points, newest first.
#[must_use]
pub fn group(snapshots: Vec<OurSnapshot>) -> BTreeMap<EtcdClusterId, Vec<RecoveryPoint>> {
    let mut slots: BTreeMap<EtcdClusterId, BTreeMap<Slot, Vec<OurSnapshot>>> = BTreeMap::new();
    for snapshot in snapshots {
        let of = slots.entry(snapshot.lineage.of.clone()).or_default();
        of.entry(snapshot.slot).or_default().push(snapshot);
    }
    let newest_first = |slots: BTreeMap<Slot, Vec<OurSnapshot>>| {
        let points = slots.into_iter().map(|(slot, snapshots)| RecoveryPoint::new(slot, snapshots));
        let mut points: Vec<RecoveryPoint> = points.collect();
        mark_shrunk(&mut points);
        points.reverse();
        points
    };
    slots.into_iter().map(|(of, slots)| (of, newest_first(slots))).collect()
}

/// Marks the points, given oldest first, that have fewer members than a complete one of the seven days before. A run
/// that was told so, or seven days, make the fewer members the expected ones.
fn mark_shrunk(points: &mut [RecoveryPoint]) {
    let mut most: Option<(Slot, usize)> = None;
    for point in points {
        let members = point.expected().len();
        let accepts = point.snapshots.iter().any(|snapshot| snapshot.accepts_members);
        point.shrunk =
            most.is_some_and(|(slot, most)| members < most && point.slot.since(slot) < SHRUNK_FOR) && !accepts;
        if !point.shrunk && point.state() == PointState::Complete && point.flaw().is_none() {
            most = Some((point.slot, members));
        }
    }
}

impl RecoveryPoint {
    /// A point by itself.
    #[must_use]
    pub fn new(slot: Slot, snapshots: Vec<OurSnapshot>) -> Self {
        Self { slot, snapshots, shrunk: false }
    }

    /// The members that the etcd cluster had at the time: the union of the lists on the point's own snapshots.
    #[must_use]
    pub fn expected(&self) -> BTreeSet<&Member> {
        self.snapshots.iter().flat_map(|snapshot| &snapshot.members).collect()
    }

    /// How far the point is.
    #[must_use]
    pub fn state(&self) -> PointState {
        let has = |member: &Member, state| {
            self.snapshots.iter().any(|snapshot| snapshot.lineage.member == *member && snapshot.state == state)
        };
        let expected = self.expected();
        if expected.iter().all(|member| has(member, SnapshotState::Completed)) {
            PointState::Complete
        } else if expected
            .iter()
            .all(|member| has(member, SnapshotState::Completed) || has(member, SnapshotState::Pending))
        {
            PointState::Pending
        } else {
            PointState::Partial
        }
    }

    /// Whether an operator (or a backup by hand) pinned it, on any of its members.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.pinned)
    }

    /// What `verify` found of the set that a restore would take: the worst of its members' verdicts; `ok` only where all
    /// of them are, so nothing while one has none and the others are `ok`. What is surplus does not speak for the point.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let verdicts: Vec<Option<Verdict>> = self.chosen().values().map(|snapshot| snapshot.verdict()).collect();
        let worst = verdicts.iter().flatten().max().copied()?;
        (worst > Verdict::Ok || verdicts.iter().all(Option::is_some)).then_some(worst)
    }

    /// Whether `verify` found it corrupt, that is one of its members.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.verdict() == Some(Verdict::Corrupt)
    }

    /// How the set that a restore would take can be started, where all of the point's members are in it.
    #[must_use]
    pub fn set(&self) -> Set {
        let chosen = self.chosen();
        let expected = self.expected();
        let members = expected.iter().map(|member| (*member, position(chosen.get(member).copied())));
        Set::of(expected.len(), members)
    }

    /// Whether it is complete, every member was found `ok`, and together they can be restored.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.counts() && self.verdict() == Some(Verdict::Ok) && self.set().order().is_some()
    }

    /// Whether it counts as a complete point: it is one, without a flaw, and was not found corrupt.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.state() == PointState::Complete && self.flaw().is_none() && !self.is_corrupt()
    }

    /// What makes it count for nothing though it be complete.
    #[must_use]
    pub fn flaw(&self) -> Option<Flaw> {
        if self.snapshots.len() > MOST_OF_SLOT {
            return Some(Flaw::Crowded(self.snapshots.len()));
        }
        if let Some(member) = self.contested().into_iter().next() {
            return Some(Flaw::Contested(member.clone()));
        }
        self.shrunk.then_some(Flaw::Shrunk)
    }

    /// The members that have good snapshots of several volumes.
    #[must_use]
    pub fn contested(&self) -> BTreeSet<&Member> {
        let mut volumes: BTreeMap<&Member, &VolumeId> = BTreeMap::new();
        let good = self.snapshots.iter().filter(|snapshot| snapshot.state.is_good());
        good.filter_map(|snapshot| {
            let first = *volumes.entry(&snapshot.lineage.member).or_insert(&snapshot.volume.id);
            (*first != snapshot.volume.id).then_some(&snapshot.lineage.member)
        })
        .collect()
    }

    /// The set that a restore would take: of the completed snapshots one a member, those closest together.
    #[must_use]
    pub fn chosen(&self) -> BTreeMap<&Member, &OurSnapshot> {
        self.closest(|state| state == SnapshotState::Completed)
    }

    /// The set that the slot has so far: of the good snapshots one a member, those closest together.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<&Member, &OurSnapshot> {
        self.closest(SnapshotState::is_good)
    }

    /// Concurrent deliveries may have left more than one snapshot of a member.
    fn closest(&self, counts: impl Fn(SnapshotState) -> bool) -> BTreeMap<&Member, &OurSnapshot> {
        let mut counted: Vec<&OurSnapshot> = self.snapshots.iter().filter(|snapshot| counts(snapshot.state)).collect();
        counted.sort_by_key(|snapshot| (snapshot.started, &snapshot.id));
        let mut set = BTreeMap::new();
        for snapshot in &counted[shortest_span(&counted)..] {
            set.entry(&snapshot.lineage.member).or_insert(*snapshot);
        }
        set
    }

    /// The skew of the chosen set.
    #[must_use]
    pub fn skew(&self) -> Option<SignedDuration> {
        skew(self.chosen().values().map(|snapshot| snapshot.started))
    }
}

/// Where the shortest span begins, of snapshots in the order of their start, that has every member: the earliest of them.
fn shortest_span(sorted: &[&OurSnapshot]) -> usize {
    let members: BTreeSet<&Member> = sorted.iter().map(|snapshot| &snapshot.lineage.member).collect();
    let mut within: BTreeMap<&Member, usize> = BTreeMap::new();
    let mut first = 0;
    let mut shortest: Option<(SignedDuration, Timestamp)> = None;
    for last in sorted {
        *within.entry(&last.lineage.member).or_default() += 1;
        // The first can go while the span has another of its member.
        while let Some(more) = within.get_mut(&sorted[first].lineage.member).filter(|count| **count > 1) {
            *more -= 1;
            first += 1;
        }
        let begins = sorted[first].started;
        let span = last.started.duration_since(begins);
        if within.len() == members.len() && shortest.is_none_or(|(shortest, _)| span < shortest) {
            shortest = Some((span, begins));
        }
    }
    sorted.partition_point(|snapshot| shortest.is_some_and(|(_, begins)| snapshot.started < begins))
}

/// Where a member's snapshot stands, or why that is not known.
pub(crate) fn position(snapshot: Option<&OurSnapshot>) -> Result<Position, Unplaced> {
    let snapshot = snapshot.ok_or(Unplaced::NoSnapshot)?;
    snapshot.position().ok_or_else(|| match snapshot.verdict() {
        Some(verdict @ (Verdict::Corrupt | Verdict::Unsupported)) => Unplaced::Found(verdict),
        _ => Unplaced::Unread(snapshot.id.clone()),
    })
}

/// Newest minus oldest start; `None` of nothing.
pub fn skew(started: impl Iterator<Item = Timestamp> + Clone) -> Option<SignedDuration> {
    Some(started.clone().max()?.duration_since(started.min()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::backup::tests::fixtures::{our_snapshot, point};

    #[test]
    fn a_point_is_as_far_as_its_slowest_member() {
        use SnapshotState::{Completed, Error, Other, Pending};
        for (states, expected) in [
            ([Completed, Completed, Completed], PointState::Complete),
            ([Completed, Pending, Completed], PointState::Pending),
            ([Pending, Pending, Pending], PointState::Pending),
            ([Completed, Error, Completed], PointState::Partial),
            ([Completed, Other, Pending], PointState::Partial),
        ] {
            assert_eq!(point("2026-11-23T02:00:00Z", &states).state(), expected, "{states:?}");
        }
        let mut missing_one = point("2026-11-23T02:00:00Z", &[Completed; 3]);
        missing_one.snapshots.pop();
        assert_eq!(missing_one.state(), PointState::Partial);
    }

    #[test]
    fn the_closest_set_is_chosen() {
        let at = |member, id: &str, started: &str| {
            let mut snapshot = our_snapshot("2026-11-23T02:00:00Z", member, SnapshotState::Completed);
            snapshot.id = crate::ids::SnapshotId::parse(id).expect("an id");
            snapshot.started = started.parse().expect("a time");
            snapshot
        };
        let point = RecoveryPoint {
            slot: Slot::parse("2026-11-23T02:00:00Z").expect("a slot"),
            shrunk: false,
            snapshots: vec![
                at("a", "snap-a1", "2026-11-23T02:00:00.000Z"),
                at("b", "snap-b1", "2026-11-23T02:00:09.000Z"),
                at("c", "snap-c1", "2026-11-23T02:00:00.500Z"),
                at("a", "snap-a2", "2026-11-23T02:00:09.100Z"),
                at("c", "snap-c2", "2026-11-23T02:00:09.200Z"),
            ],
        };
        let chosen: Vec<&str> = point.chosen().values().map(|snapshot| snapshot.id.as_str()).collect();
        assert_eq!(chosen, ["snap-a2", "snap-b1", "snap-c2"]);
        assert_eq!(point.skew(), Some(SignedDuration::from_millis(200)));
    }
}
