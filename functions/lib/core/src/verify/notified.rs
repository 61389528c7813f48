//! What a notification calls for. A member's snapshot is done when EC2 says so, a recovery point when the last of them
//! is: its notification has all of them examined, side by side.

use super::daily::first_of_day;
use super::failed::backup_failed;
use super::plan::{Examinations, Observed};
use super::planner::{examination, find, members, why_not_ours};
use super::settings::{Reads, Settings};
use crate::backup::Report;
use crate::ids::SnapshotId;
use crate::recovery_point::{RecoveryPoint, group};
use crate::scope::ClusterSet;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};

/// The examinations that a finished snapshot calls for, or why there are none. A notification can come twice: where all
/// that it calls for has been judged, nothing is read again.
pub(super) fn completed(observed: &Observed, id: &SnapshotId, settings: &Settings) -> Result<Examinations, String> {
    let observed = &believing(observed, id, SnapshotState::Completed);
    let ours = notified(observed, id, &settings.clusters)?;
    if !ours.state.is_good() || find(observed, id).is_some_and(|snapshot| snapshot.archived) {
        return Err(format!("{id} cannot be read any more: it failed, or lies in the Recycle Bin or the archive"));
    }
    let point = point_of(&ours, observed);
    let (whole, taken) = (point.chosen(), point.taken());
    let pending: Vec<&str> = taken.keys().filter(|one| !whole.contains_key(*one)).map(|one| one.as_str()).collect();
    if !pending.is_empty() {
        let (of, slot, pending) = (&ours.lineage.of, ours.slot, pending.join(", "));
        return Err(format!("{slot}: {of} is examined when all its snapshots are whole; still pending: {pending}"));
    }
    if settings.reads == Reads::Daily {
        is_the_days(&point, &ours, observed)?;
    }
    let (mut list, refusals) = members(observed, &point, false);
    if !list.iter().any(|one| one.snapshot == *id) {
        list.push(examination(&point, &ours, false));
    }
    if list.iter().all(|one| one.was.is_some()) {
        return Err(format!("{}, {}, has been judged already", ours.slot, ours.lineage.of));
    }
    let warnings = observed.unreadable.iter().cloned().chain(refusals.into_iter().map(|refusal| refusal.message));
    Ok(Examinations { list, is_sweep: false, warnings: warnings.collect() })
}

/// An error: of its day another point is read, or none yet.
fn is_the_days(point: &RecoveryPoint, ours: &OurSnapshot, observed: &Observed) -> Result<(), String> {
    let of = &ours.lineage.of;
    let all = observed.snapshots.iter().filter_map(Snapshot::ours).filter(|one| one.lineage.of == *of);
    let points = group(all.collect()).remove(of).unwrap_or_default();
    let told = match first_of_day(&points, point.slot.day()) {
        Some(first) if first.slot == point.slot => return Ok(()),
        Some(first) => format!("the first complete one was {}", first.slot),
        None => "none is complete yet".to_owned(),
    };
    Err(format!("{}, {of}, is not read: `VERIFY` is `daily`, and of its day {told}", point.slot))
}

/// The report of a backup whose snapshot failed, or why there is nothing to tell.
pub(super) fn failed(
    observed: &Observed,
    id: &SnapshotId,
    cause: Option<&str>,
    clusters: &ClusterSet,
) -> Result<Report, String> {
    let observed = &believing(observed, id, SnapshotState::Error);
    let ours = notified(observed, id, clusters)?;
    backup_failed(&ours, &point_of(&ours, observed), cause, &observed.unreadable)
}

/// The notification is believed where EC2's listing lags behind it and says `pending`.
fn believing(observed: &Observed, id: &SnapshotId, state: SnapshotState) -> Observed {
    let mut observed = observed.clone();
    let notified = observed.snapshots.iter_mut().filter(|one| one.id == *id && one.state == SnapshotState::Pending);
    notified.for_each(|one| one.state = state);
    observed
}

/// The snapshot that a notification is about, or why it is no matter of ours.
fn notified(observed: &Observed, id: &SnapshotId, clusters: &ClusterSet) -> Result<OurSnapshot, String> {
    let snapshot = find(observed, id).ok_or_else(|| format!("{id} is not there any more"))?;
    let ours = snapshot.ours().ok_or_else(|| why_not_ours(snapshot))?;
    if clusters.contains(&ours.lineage.of.cluster) {
        Ok(ours)
    } else {
        Err(format!("{id} is of {}, which is not one of CLUSTERS", ours.lineage.of.cluster))
    }
}

/// The notified snapshot's point, as far as it was observed.
fn point_of(ours: &OurSnapshot, observed: &Observed) -> RecoveryPoint {
    let all = observed.snapshots.iter().filter_map(Snapshot::ours);
    let of_point = all.filter(|one| one.lineage.of == ours.lineage.of && one.slot == ours.slot);
    RecoveryPoint::new(ours.slot, of_point.collect())
}
