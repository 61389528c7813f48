//! The set that a restore takes of a point with surplus snapshots: no other one is closer together.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::histories::{Run, runs};
use crate::ids::Member;
use crate::recovery_point::RecoveryPoint;
use crate::snapshot::SnapshotState::Completed;

/// Every way to take one completed snapshot of each member that has any.
fn all_sets(point: &RecoveryPoint) -> Vec<Vec<Timestamp>> {
    let completed = || point.snapshots.iter().filter(|snapshot| snapshot.state == Completed);
    let members: BTreeSet<&Member> = completed().map(|snapshot| &snapshot.lineage.member).collect();
    members.into_iter().fold(vec![Vec::new()], |sets, member| {
        let of_member = || completed().filter(|snapshot| snapshot.lineage.member == *member);
        let with = |set: Vec<Timestamp>| of_member().map(move |snapshot| [&set[..], &[snapshot.started]].concat());
        sets.into_iter().flat_map(with).collect()
    })
}

fn skew(set: &[Timestamp]) -> Option<SignedDuration> {
    Some(set.iter().max()?.duration_since(*set.iter().min()?))
}

proptest! {
    #[test]
    fn no_other_set_is_closer_together(Run { points, .. } in runs()) {
        for point in &points {
            let chosen: Vec<Timestamp> = point.chosen().values().map(|snapshot| snapshot.started).collect();
            let sets = all_sets(point);
            prop_assert_eq!(chosen.len(), sets[0].len(), "one snapshot of every member");
            prop_assert_eq!(skew(&chosen), sets.iter().filter_map(|set| skew(set)).min());
        }
    }
}
