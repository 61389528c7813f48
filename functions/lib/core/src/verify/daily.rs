//! The point that is read of a day, where not every one is.

use crate::recovery_point::{PointState, RecoveryPoint};

/// The first complete point of a day, of points of one etcd cluster. One with a flaw counts for nothing.
///
/// A sweep makes up for that of its own day alone: when a day is over its points are pruned, and one after the other would
/// become the first.
pub(super) fn first_of_day(points: &[RecoveryPoint], day: i64) -> Option<&RecoveryPoint> {
    let is_whole = |point: &RecoveryPoint| point.state() == PointState::Complete && point.flaw().is_none();
    points.iter().filter(|point| point.slot.day() == day && is_whole(point)).min_by_key(|point| point.slot)
}
