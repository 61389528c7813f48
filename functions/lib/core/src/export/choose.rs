//! Which snapshot an export is made of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::request::{At, ExportRequest, What};
use crate::ids::{EtcdClusterId, Lineage, Member, SnapshotId};
use crate::provenance::{Provenance, provenance, sorted};
use crate::recovery_point::{RecoveryPoint, group};
use crate::restore::{Refusal, RefusalKind, unready};
use crate::scope::{ClusterSet, Scope};
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot};
use crate::verdict::Verdict;

/// What was listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What could not be read as one.
    pub unreadable: Vec<String>,
}

impl Observed {
    /// The etcd clusters of a scope that have recovery points, and the one that it names.
    #[must_use]
    pub fn etcd_clusters(&self, scope: &Scope) -> BTreeSet<EtcdClusterId> {
        let named = match (&scope.clusters, &scope.etcd_cluster) {
            (ClusterSet::Named(clusters), Some(etcd_cluster)) => clusters
                .iter()
                .map(|cluster| EtcdClusterId { cluster: cluster.clone(), etcd_cluster: etcd_cluster.clone() })
                .collect(),
            _ => BTreeSet::new(),
        };
        let (ours, _) = sorted(&self.snapshots);
        ours.into_iter().map(|one| one.lineage.of).filter(|of| scope.contains(of)).chain(named).collect()
    }

    /// The time of the oldest point of each etcd cluster.
    #[must_use]
    pub fn oldest_points(&self) -> BTreeMap<EtcdClusterId, Timestamp> {
        let (ours, _) = sorted(&self.snapshots);
        let mut oldest = BTreeMap::new();
        for one in ours {
            let time = one.slot.time();
            oldest
                .entry(one.lineage.of)
                .and_modify(|oldest: &mut Timestamp| *oldest = (*oldest).min(time))
                .or_insert(time);
        }
        oldest
    }
}

/// A snapshot that an export can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Of which member.
    pub lineage: Lineage,
    /// Of which point.
    pub slot: Slot,
    /// The moment that it captured.
    pub started: Timestamp,
}

/// What is tried, best first: where one turns out to be no sound etcd, the next is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Never empty.
    pub candidates: Vec<Candidate>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Decides which snapshots come into question.
pub fn choose(observed: &Observed, request: &ExportRequest, clusters: &ClusterSet) -> Result<Choice, Refusal> {
    match &request.what {
        What::Snapshot(id) => named(observed, id, clusters),
        What::Point { of, at, member } => of_point(observed, of, *at, member.as_ref()),
    }
}

fn named(observed: &Observed, id: &SnapshotId, clusters: &ClusterSet) -> Result<Choice, Refusal> {
    let snapshot = observed.snapshots.iter().find(|snapshot| snapshot.id == *id).ok_or_else(|| {
        let message = format!("snapshot: this account has no {id} in this region");
        Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
    })?;
    let ours = match provenance(snapshot) {
        Provenance::Ours(ours) => ours,
        Provenance::Doubtful(doubtful) => return Err(Refusal::new(RefusalKind::Foreign, doubtful.to_string())),
        Provenance::Copy | Provenance::Foreign => {
            let message = format!("snapshot: {id} is not one that `backup` took in this account");
            return Err(Refusal::new(RefusalKind::NotOurs, message));
        }
    };
    clusters.named(ours.lineage.of.cluster.as_str()).map_err(Refusal::invalid)?;
    if let Some(refusal) = unready(snapshot) {
        return Err(refusal);
    }
    Ok(Choice { candidates: vec![candidate(&ours)], warnings: observed.unreadable.clone() })
}

fn of_point(observed: &Observed, of: &EtcdClusterId, at: At, member: Option<&Member>) -> Result<Choice, Refusal> {
    let (ours, doubtful) = sorted(&observed.snapshots);
    let mut warnings = observed.unreadable.clone();
    warnings.extend(doubtful.iter().map(ToString::to_string));
    let points = group(ours).remove(of).unwrap_or_default();
    let is_meant = |point: &&RecoveryPoint| match at {
        At::Latest => point.flaw().is_none() && !ranked(point, member).is_empty(),
        At::Slot(slot) => point.slot == slot,
    };
    let point = points.iter().find(is_meant).ok_or_else(|| none(of, at, member))?;
    if let Some(flaw) = point.flaw() {
        return Err(Refusal::new(
            RefusalKind::IncompleteRecoveryPoint,
            format!("{}: {flaw}; name a snapshot", point.slot),
        ));
    }
    let candidates = ranked(point, member);
    if candidates.is_empty() {
        return Err(unusable(point, member));
    }
    Ok(Choice { candidates: candidates.into_iter().map(candidate).collect(), warnings })
}

/// The members' snapshots that come into question, best first: those found `ok` before those that nobody has read, and of
/// these the one with the greatest revision. What was found corrupt, or cannot be read, is none.
fn ranked<'p>(point: &'p RecoveryPoint, member: Option<&Member>) -> Vec<&'p OurSnapshot> {
    let chosen = point.chosen().into_values();
    let is_meant = |one: &&OurSnapshot| member.is_none_or(|member| one.lineage.member == *member);
    let can_be_read = |one: &&OurSnapshot| one.verdict().is_none_or(Verdict::is_restorable);
    let mut ranked: Vec<&OurSnapshot> = chosen.filter(is_meant).filter(can_be_read).collect();
    let rank = |one: &&OurSnapshot| {
        let position = one.position();
        let revision = position.map_or((None, None), |at| (at.revision, at.index));
        (one.verdict().map_or(1, |verdict| if verdict == Verdict::Ok { 0 } else { 2 }), Reverse(revision))
    };
    ranked.sort_by_key(|one| (rank(one), one.lineage.member.clone()));
    ranked
}

fn candidate(ours: &OurSnapshot) -> Candidate {
    Candidate { snapshot: ours.id.clone(), lineage: ours.lineage.clone(), slot: ours.slot, started: ours.started }
}

fn none(of: &EtcdClusterId, at: At, member: Option<&Member>) -> Refusal {
    let whose = member.map_or(String::new(), |member| format!(" with a snapshot of member {member}"));
    let message = match at {
        At::Latest => format!("{of} has no recovery point{whose} that can be read, in this account and region"),
        At::Slot(slot) => format!("{of} has no recovery point of {slot} in this account and region"),
    };
    Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
}

fn unusable(point: &RecoveryPoint, member: Option<&Member>) -> Refusal {
    let chosen = point.chosen();
    let found = chosen.values().filter(|one| member.is_none_or(|member| one.lineage.member == *member));
    let found: Vec<String> = found
        .map(|one| {
            format!("{} of member {} is {}", one.id, one.lineage.member, one.verdict().map_or("unread", Verdict::word))
        })
        .collect();
    if found.is_empty() {
        let whose = member.map_or("any member".to_owned(), |member| format!("member {member}"));
        let message = format!("{}: there is no completed snapshot of {whose}", point.slot);
        return Refusal::new(RefusalKind::IncompleteRecoveryPoint, message);
    }
    let message = format!("{}: {}; take another point or member", point.slot, found.join(", "));
    Refusal::new(RefusalKind::CorruptSnapshot, message)
}
