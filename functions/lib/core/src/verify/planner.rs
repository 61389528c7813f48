//! The planner: from what was observed and the request to a plan.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::daily::first_of_day;
use super::notified::{completed, failed};
use super::plan::{Examination, Examinations, Observed, VerifyPlan};
use super::request::{At, Request};
use super::settings::{Reads, Settings};
use crate::ids::{EtcdClusterId, Member, SnapshotId};
use crate::provenance::{Provenance, provenance, sorted};
use crate::recovery_point::{PointState, RecoveryPoint, group, position};
use crate::restore::{Refusal, RefusalKind, unready};
use crate::scope::ClusterSet;
use crate::set::Unplaced;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::verdict;

/// For how long after its point a sweep fails over a snapshot that it cannot read. Some never can be again, a key gone,
/// and would keep the alarm from telling anything else.
const UNREAD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why nothing is read that was not asked for by hand.
const OFF: &str = "`VERIFY` is `off`: snapshots are read by hand alone";

/// Decides a run. What was asked for by hand and cannot be done is refused; a notification of what is none of ours, or
/// of a cluster that is not looked after, is nothing to do.
pub fn plan(
    observed: &Observed,
    request: &Request,
    settings: &Settings,
    now: Timestamp,
) -> Result<VerifyPlan, Refusal> {
    let clusters = &settings.clusters;
    match request {
        Request::Snapshot { id, deep } => by_hand(observed, id, *deep, clusters).map(VerifyPlan::Examine),
        Request::Point { of, at, deep } => point(observed, of, *at, *deep).map(VerifyPlan::Examine),
        Request::Completed(_) | Request::Sweep if settings.reads == Reads::Off => {
            Ok(VerifyPlan::Nothing(OFF.to_owned()))
        }
        Request::Completed(id) => {
            let planned = completed(observed, id, settings);
            Ok(planned.map_or_else(VerifyPlan::Nothing, VerifyPlan::Examine))
        }
        Request::Failed { id, cause } => {
            let failed = failed(observed, id, cause.as_deref(), clusters);
            Ok(failed.map_or_else(VerifyPlan::Nothing, |report| VerifyPlan::BackupFailed(Box::new(report))))
        }
        Request::Sweep => Ok(VerifyPlan::Examine(sweep(observed, settings, now))),
        Request::Other(what) => Ok(VerifyPlan::Nothing(what.clone())),
    }
}

pub(super) fn find<'a>(observed: &'a Observed, id: &SnapshotId) -> Option<&'a Snapshot> {
    observed.snapshots.iter().find(|snapshot| snapshot.id == *id)
}

fn by_hand(observed: &Observed, id: &SnapshotId, deep: bool, clusters: &ClusterSet) -> Result<Examinations, Refusal> {
    let snapshot = find(observed, id).ok_or_else(|| {
        let message = format!("snapshot: this account has no {id} in this region");
        Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
    })?;
    let not_ours = || Refusal::new(RefusalKind::NotOurs, format!("snapshot: {}", why_not_ours(snapshot)));
    let ours = snapshot.ours().ok_or_else(not_ours)?;
    clusters.named(ours.lineage.of.cluster.as_str()).map_err(Refusal::invalid)?;
    match unready(snapshot) {
        Some(refusal) => Err(refusal),
        None => Ok(alone(&ours, deep, observed)),
    }
}

pub(super) fn why_not_ours(snapshot: &Snapshot) -> String {
    let id = &snapshot.id;
    match provenance(snapshot) {
        Provenance::Doubtful(doubtful) => format!("{id} is doubtful: {}", doubtful.doubt),
        Provenance::Copy => format!("{id} is a copy"),
        Provenance::Ours(_) | Provenance::Foreign => {
            format!("{id} is not ours: `backup` did not take it in this account")
        }
    }
}

fn alone(ours: &OurSnapshot, deep: bool, observed: &Observed) -> Examinations {
    let mut examination = examination(&RecoveryPoint::new(ours.slot, vec![ours.clone()]), ours, deep);
    let others = examination.members.iter_mut().filter(|(member, _)| **member != ours.lineage.member);
    others.for_each(|(_, position)| *position = Err(Unplaced::NotLookedAt));
    Examinations { list: vec![examination], is_sweep: false, warnings: observed.unreadable.clone() }
}

pub(super) fn examination(point: &RecoveryPoint, snapshot: &OurSnapshot, deep: bool) -> Examination {
    let chosen = point.chosen();
    let known = |member: &&Member| ((*member).clone(), position(chosen.get(*member).copied()));
    let own = chosen.get(&snapshot.lineage.member).map(|chosen| &chosen.id);
    Examination {
        snapshot: snapshot.id.clone(),
        lineage: snapshot.lineage.clone(),
        slot: snapshot.slot,
        size_gib: snapshot.volume.size_gib,
        deep,
        members: point.expected().iter().map(known).collect(),
        surplus: own.is_some_and(|own| *own != snapshot.id),
        was: snapshot.verdict(),
        again: snapshot.verified.as_deref().is_some_and(verdict::is_begun),
        old: false,
    }
}

/// Every completed snapshot of ours without a verdict that counts, newest point first, and after them those that an earlier
/// look may have died of: if they end this one too, all others have been read. What lies in the archive tier is not readable,
/// and passed over.
fn sweep(observed: &Observed, settings: &Settings, now: Timestamp) -> Examinations {
    let (points, warnings) = points(observed, |of| settings.clusters.contains(&of.cluster));
    let mut list = Vec::new();
    let wanted = points.values().flat_map(|points| match settings.reads {
        Reads::All => points.iter().collect(),
        Reads::Daily => first_of_day(points, Slot::at(now).day()).into_iter().collect(),
        Reads::Off => Vec::new(),
    });
    for point in wanted {
        let unjudged = point.snapshots.iter().filter(|snapshot| snapshot.verdict().is_none());
        let readable = unjudged.filter(|ours| find(observed, &ours.id).is_some_and(|it| unready(it).is_none()));
        let old = now.duration_since(point.slot.time()) > UNREAD_FOR;
        list.extend(readable.map(|snapshot| Examination { old, ..examination(point, snapshot, false) }));
    }
    list.sort_by(|a, b| {
        let key =
            |one: &Examination| (one.again, Reverse(one.slot), one.lineage.clone(), one.surplus, one.snapshot.clone());
        key(a).cmp(&key(b))
    });
    Examinations { list, is_sweep: true, warnings }
}

/// The recovery points of these etcd clusters, newest first, and what is doubtful or could not be read.
fn points(
    observed: &Observed,
    is_meant: impl Fn(&EtcdClusterId) -> bool,
) -> (BTreeMap<EtcdClusterId, Vec<RecoveryPoint>>, Vec<String>) {
    let (mut ours, mut doubtful) = sorted(&observed.snapshots);
    ours.retain(|one| is_meant(&one.lineage.of));
    doubtful.retain(|one| one.of.as_ref().is_none_or(&is_meant));
    let warnings = observed.unreadable.iter().cloned().chain(doubtful.iter().map(ToString::to_string));
    (group(ours), warnings.collect())
}

/// The members of a point, of each the snapshot that a restore would take. Those that cannot be read are told; it is
/// refused where that is so of all.
fn point(observed: &Observed, of: &EtcdClusterId, at: At, deep: bool) -> Result<Examinations, Refusal> {
    let (mut points, mut warnings) = points(observed, |one| one == of);
    let points = points.remove(of).unwrap_or_default();
    let meant = points.iter().find(|point| match at {
        At::Latest => point.state() == PointState::Complete && point.flaw().is_none(),
        At::Slot(slot) => point.slot == slot,
    });
    let point = meant.ok_or_else(|| no_such_point(of, at, points.len()))?;
    let (list, refusals) = members(observed, point, deep);
    if let (true, Some(refusal)) = (list.is_empty(), Refusal::all(&refusals)) {
        return Err(refusal);
    }
    warnings.extend(refusals.into_iter().map(|refusal| refusal.message));
    Ok(Examinations { list, is_sweep: false, warnings })
}

/// Of each member of a point the snapshot that a restore would take, or why it cannot be read.
pub(super) fn members(observed: &Observed, point: &RecoveryPoint, deep: bool) -> (Vec<Examination>, Vec<Refusal>) {
    let chosen = point.chosen();
    let mut list = Vec::new();
    let mut refusals = Vec::new();
    for member in point.expected() {
        let snapshot = chosen.get(member).copied();
        let unready = snapshot.map_or_else(
            || Some(not_completed(point, member)),
            |snapshot| find(observed, &snapshot.id).and_then(unready),
        );
        list.extend(snapshot.filter(|_| unready.is_none()).map(|snapshot| examination(point, snapshot, deep)));
        refusals.extend(unready);
    }
    (list, refusals)
}

fn no_such_point(of: &EtcdClusterId, at: At, points: usize) -> Refusal {
    let which = match at {
        At::Latest => "complete recovery point".to_owned(),
        At::Slot(slot) => format!("recovery point {slot}"),
    };
    let message = format!(
        "{of} has no {which}; it has {points} points in this account and region. `restore` lists them, in its mode `list`"
    );
    Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
}

fn not_completed(point: &RecoveryPoint, member: &Member) -> Refusal {
    let is_pending = |one: &OurSnapshot| one.lineage.member == *member && one.state == SnapshotState::Pending;
    let why = if point.snapshots.iter().any(is_pending) { "is still pending" } else { "is not there" };
    let message = format!("{}: member {member}'s snapshot {why}", point.slot);
    Refusal::new(RefusalKind::SnapshotNotCompleted, message)
}
