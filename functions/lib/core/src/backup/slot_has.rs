//! The snapshots that a run's slot already has.

use super::discovery::FoundMember;
use crate::ids::Member;
use crate::recovery_point::RecoveryPoint;
use crate::slot::Slot;
use crate::snapshot::OurSnapshot;
use crate::volume::Volume;

/// What the slot has.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlotHas<'a> {
    slot: Slot,
    point: Option<&'a RecoveryPoint>,
    /// Whether it had its snapshot of every member before the first of the volumes was made that are newer than the slot.
    was_whole: bool,
}

impl<'a> SlotHas<'a> {
    pub(super) fn of(slot: Slot, points: &'a [RecoveryPoint], found: &[FoundMember<'_>]) -> Self {
        let mut has = Self { slot, point: points.iter().find(|point| point.slot == slot), was_whole: false };
        let volumes =
            || found.iter().filter(|one| one.snapshot).filter_map(|one| Some((one.member.as_ref()?, one.volume?)));
        let first_made = volumes().filter(|(_, volume)| has.is_before(volume)).map(|(_, volume)| volume.created).min();
        has.was_whole = has.point.zip(first_made).is_some_and(|(point, made)| {
            let is_its = |one: &OurSnapshot, volume: &Volume| one.volume.id == volume.id || has.is_before(volume);
            volumes().all(|(member, volume)| good(point, member).any(|one| one.started < made && is_its(one, volume)))
        });
        has
    }

    /// Whether the slot is before the volume, so that the member had another then.
    fn is_before(self, volume: &Volume) -> bool {
        volume.created > self.slot.time()
    }

    /// The good snapshot of a member: of the volume that is the member's now. Or of another, where this one was made
    /// after the slot, and the point needs no snapshot that would be of another time: a restore may have been between.
    /// Beside a volume that was there at the slot, a snapshot of another may be anybody's.
    pub(super) fn of_member(self, member: &Member, volume: &Volume) -> Option<&'a OurSnapshot> {
        let point = self.point?;
        let may_be_anothers = self.was_whole && self.is_before(volume);
        let is_its = |taken: &&OurSnapshot| taken.volume.id == volume.id || may_be_anothers;
        let taken = point.taken().get(member).copied().filter(is_its);
        taken.or_else(|| good(point, member).filter(is_its).min_by_key(|one| (one.started, &one.id)))
    }
}

fn good<'a>(point: &'a RecoveryPoint, member: &Member) -> impl Iterator<Item = &'a OurSnapshot> {
    point.snapshots.iter().filter(move |one| one.lineage.member == *member && one.state.is_good())
}
