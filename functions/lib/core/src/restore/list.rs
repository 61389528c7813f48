//! The recovery points that there are.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::under_way::under_way;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Member, SnapshotId, VolumeId, Zone};
use crate::provenance::sorted;
use crate::recovery_point::{PointState, RecoveryPoint, group};
use crate::scope::{ClusterSet, Scope};
use crate::set::Set;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::told;
use crate::volume::Volume;

/// The answer to `list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListResult {
    /// `listed`.
    pub outcome: &'static str,
    /// Per etcd cluster, newest first.
    pub recovery_points: Vec<ListedPoint>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// A recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedPoint {
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// Its time.
    pub recovery_point: Slot,
    /// How far it is.
    pub state: PointState,
    /// What makes it count for nothing, and never be `latest`, though it be complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// In seconds.
    pub age_seconds: i64,
    /// In milliseconds; `null` without a completed snapshot.
    pub skew_ms: Option<i128>,
    /// Whether that is more than `MAX_SKEW`.
    pub skewed: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// The worst of the members' verdicts; `null` while one has none, unless another is worse than `ok`.
    pub verified: Option<String>,
    /// How the members can be started together, or why that cannot be said.
    #[serde(flatten)]
    pub set: Set,
    /// Every member that it should have.
    pub members: Vec<ListedMember>,
}

/// A member of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedMember {
    /// The member.
    pub member: Member,
    /// Its snapshot: the one that a restore would take, else the one that there is.
    pub snapshot: Option<SnapshotId>,
    /// The volume that it was taken of.
    pub volume: Option<VolumeId>,
    /// That volume's zone.
    pub zone: Option<Zone>,
    /// That volume's size.
    pub size_gib: Option<u32>,
    /// `completed`, `pending`, `error`, `other` or `missing`.
    pub state: &'static str,
    /// What `verify` wrote.
    pub verified: Option<String>,
}

/// Lists a scope's recovery points, of each etcd cluster the `limit` newest. Clusters whose volumes are all gone have
/// theirs too. Of the volumes those count that a restore has marked as its own.
#[must_use]
pub fn list(
    (snapshots, volumes, mut warnings): (&[Snapshot], &[Volume], Vec<String>),
    scope: &Scope,
    limit: usize,
    max_skew: SignedDuration,
    now: Timestamp,
) -> ListResult {
    let (mut ours, mut doubtful) = sorted(snapshots);
    ours.retain(|one| scope.contains(&one.lineage.of));
    doubtful.retain(|one| one.of.as_ref().is_none_or(|of| scope.contains(of)));
    warnings.extend(doubtful.iter().map(ToString::to_string));
    let points: BTreeMap<EtcdClusterId, Vec<RecoveryPoint>> = group(ours);
    for restore in under_way(volumes).into_iter().filter(|restore| scope.contains(&restore.of)) {
        let told = restore.told(volumes, snapshots);
        warnings.push(format!("{}: restore {}: {told}", restore.of, told::value(&restore.id)));
    }
    if let ClusterSet::Named(names) = &scope.clusters {
        let without = names.iter().filter(|name| !points.keys().any(|of| of.cluster == **name));
        warnings.extend(without.map(|name| format!("{name} has no recovery points in this account and region")));
    }
    let listed =
        points.iter().flat_map(|(of, points)| points.iter().take(limit).map(|point| listed(of, point, max_skew, now)));
    ListResult { outcome: "listed", recovery_points: listed.collect(), warnings }
}

fn listed(of: &EtcdClusterId, point: &RecoveryPoint, max_skew: SignedDuration, now: Timestamp) -> ListedPoint {
    let skew = point.skew();
    let chosen = point.chosen();
    let member = |member: &Member| {
        let of_member = || point.snapshots.iter().filter(|one| one.lineage.member == *member);
        let pending = || of_member().find(|one| one.state == SnapshotState::Pending);
        let shown = chosen.get(member).copied().or_else(pending).or_else(|| of_member().next());
        listed_member(member, shown)
    };
    ListedPoint {
        cluster: of.cluster.clone(),
        etcd_cluster: of.etcd_cluster.clone(),
        recovery_point: point.slot,
        state: point.state(),
        flaw: point.flaw().map(|flaw| flaw.to_string()),
        age_seconds: now.duration_since(point.slot.time()).as_secs(),
        skew_ms: skew.map(|skew| skew.as_millis()),
        skewed: skew.is_some_and(|skew| skew > max_skew),
        pinned: point.is_pinned(),
        verified: point.verdict().map(|verdict| verdict.word().to_owned()),
        set: point.set(),
        members: point.expected().into_iter().map(member).collect(),
    }
}

fn listed_member(member: &Member, shown: Option<&OurSnapshot>) -> ListedMember {
    ListedMember {
        member: member.clone(),
        snapshot: shown.map(|one| one.id.clone()),
        volume: shown.map(|one| one.volume.id.clone()),
        zone: shown.map(|one| one.volume.zone.clone()),
        size_gib: shown.map(|one| one.volume.size_gib),
        state: shown.map_or("missing", |one| one.state.word()),
        verified: shown.and_then(|one| one.verified.clone()),
    }
}
