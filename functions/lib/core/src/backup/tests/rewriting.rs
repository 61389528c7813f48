//! Whoever may write tags can keep a run from deleting, and never make it delete more.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{Observed, Request, Settings, plan};
use super::fixtures::{MEMBERS, our_snapshot};
use super::histories::{Run, runs};
use crate::ids::{Cluster, SnapshotId, VolumeId};
use crate::recovery_point::{PointState, RecoveryPoint};
use crate::retention::tests::policies::policies;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::tags;
use crate::volume::Volume;

const CLUSTERS: [&str; 2] = ["one", "two"];
/// What an operator and `verify` write after the snapshot was taken: their words protect points, and taking them away
/// takes the protection.
const LATER: [&str; 2] = [tags::KEEP, tags::VERIFIED];

/// One thing that somebody does to tags. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Rewriting {
    /// A snapshot loses a tag.
    Remove(Index, Index),
    /// A snapshot's tag gets the value that another one's has.
    Take(Index, Index, Index),
    /// A snapshot bears all that another one bears.
    Become(Index, Index),
    /// A snapshot loses all tags.
    Clear(Index),
    /// A snapshot gets this tag.
    Add(Index, &'static str, &'static str),
    /// A volume loses its etcd tag.
    Unclaim(Index),
    /// A volume's etcd tag says so.
    Claim(Index, &'static str, &'static str),
}

fn rewritings() -> impl Strategy<Value = Vec<Rewriting>> {
    let index = any::<Index>;
    let added = prop::sample::select(vec![
        (tags::CLUSTER, "one"),
        ("k8s.io/etcd/main", "a/a"),
        (tags::RECOVERY_POINT, "2096-01-01T00:00:00Z"),
        (tags::RECOVERY_POINT, "2026-02-27T20:00:00Z"),
        (tags::SNAPSHOT_CLUSTER, "elsewhere"),
        (tags::SNAPSHOT_MEMBER, "a/a"),
        (tags::SNAPSHOT_MEMBER, "b/a,b,c,d"),
        (tags::TRIGGER, "manual"),
        ("etcd-backup/tags/9", "x"),
    ]);
    let claimed = prop::sample::select(vec![
        ("k8s.io/etcd/main", "a/a"),
        ("k8s.io/etcd/main", "b/a,b"),
        ("k8s.io/etcd/main", "d/a,b,c,d"),
        ("k8s.io/etcd/main", "?"),
        ("k8s.io/etcd/x", "a/a"),
    ]);
    let rewriting = prop_oneof![
        3 => (index(), index()).prop_map(|(which, key)| Rewriting::Remove(which, key)),
        3 => (index(), index(), index()).prop_map(|(which, other, key)| Rewriting::Take(which, other, key)),
        2 => (index(), index()).prop_map(|(which, other)| Rewriting::Become(which, other)),
        2 => index().prop_map(Rewriting::Clear),
        4 => (index(), added).prop_map(|(which, (key, value))| Rewriting::Add(which, key, value)),
        1 => index().prop_map(Rewriting::Unclaim),
        1 => (index(), claimed).prop_map(|(which, (key, value))| Rewriting::Claim(which, key, value)),
    ];
    prop::collection::vec(rewriting, 1..6)
}

impl Rewriting {
    fn apply(&self, observed: &mut Observed) {
        let snapshots = &mut observed.snapshots;
        match self {
            Self::Remove(which, key) => {
                let tags = &mut which.get_mut(snapshots).tags;
                let mut keys: Vec<String> = tags.keys().cloned().collect();
                keys.retain(|key| !LATER.contains(&key.as_str()));
                if !keys.is_empty() {
                    tags.remove(key.get(&keys));
                }
            }
            Self::Take(which, other, key) => {
                let mut other = other.get(snapshots).tags.clone();
                other.retain(|key, _| !LATER.contains(&key.as_str()));
                let pairs: Vec<_> = other.into_iter().collect();
                if !pairs.is_empty() {
                    which.get_mut(snapshots).tags.extend([key.get(&pairs).clone()]);
                }
            }
            Self::Become(which, other) => {
                let other = other.get(snapshots).tags.clone();
                let tags = &mut which.get_mut(snapshots).tags;
                tags.retain(|key, _| LATER.contains(&key.as_str()));
                tags.extend(other.into_iter().filter(|(key, _)| !LATER.contains(&key.as_str())));
            }
            Self::Clear(which) => {
                which.get_mut(snapshots).tags.retain(|key, _| LATER.contains(&key.as_str()));
            }
            Self::Add(which, key, value) => {
                which.get_mut(snapshots).tags.insert((*key).to_owned(), (*value).to_owned());
            }
            Self::Unclaim(which) => {
                which.get_mut(&mut observed.volumes).tags.remove("k8s.io/etcd/main");
            }
            Self::Claim(which, key, value) => {
                which.get_mut(&mut observed.volumes).tags.insert((*key).to_owned(), (*value).to_owned());
            }
        }
    }
}

/// Two clusters with histories of their own, and all their volumes.
fn accounts() -> impl Strategy<Value = Observed> {
    let one = || (runs(), prop::option::of(any::<Index>()));
    (one(), one()).prop_map(|(one, two)| {
        let mut observed = Observed::default();
        for (cluster, (Run { mut points, .. }, shrinks)) in CLUSTERS.into_iter().zip([one, two]) {
            if let Some(first) = shrinks {
                shrink(&mut points, first);
            }
            let of_cluster = |snapshot: OurSnapshot| ours(cluster, snapshot).observed();
            observed.snapshots.extend(points.into_iter().flat_map(|point| point.snapshots).map(of_cluster));
            observed.volumes.extend(MEMBERS.map(|member| {
                Volume::of_member(member).named(&format!("vol-{member}0-{cluster}")).tagged(tags::CLUSTER, cluster)
            }));
        }
        observed
    })
}

/// From one point on, given newest first, there is only member a; that is accepted until a complete point says so.
fn shrink(points: &mut [RecoveryPoint], first: Index) {
    let mut is_accepted = false;
    let first = first.index(points.len());
    for point in points[..=first].iter_mut().rev() {
        point.snapshots.retain(|one| one.lineage.member.as_str() == "a");
        for one in &mut point.snapshots {
            one.members.retain(|member| member.as_str() == "a");
            one.accepts_members = !is_accepted;
        }
        is_accepted |= !point.snapshots.is_empty() && point.state() == PointState::Complete;
    }
}

fn ours(cluster: &str, mut snapshot: OurSnapshot) -> OurSnapshot {
    snapshot.lineage.of.cluster = Cluster::parse(cluster).expect("a cluster");
    snapshot.id = SnapshotId::parse(&format!("{}-{cluster}", snapshot.id)).expect("an id");
    snapshot.volume.id = VolumeId::parse(&format!("{}-{cluster}", snapshot.volume.id)).expect("an id");
    snapshot
}

fn deleted(observed: &Observed, settings: &Settings, request: &Request) -> BTreeSet<SnapshotId> {
    let now = "2026-11-23T02:00:09Z".parse().expect("a time");
    let plan = plan(observed, request, settings, now);
    let deletions = plan.etcd_clusters.iter().flat_map(|of| &of.prune.deletions);
    deletions.map(|deletion| deletion.snapshot.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_rewritten_nothing_more_is_deleted(
        observed in accounts(), rewritings in rewritings(), policy in policies(), all: bool,
    ) {
        let settings = Settings::keeping(policy);
        let request = Request::scheduled("2026-11-23T02:00:00Z");
        let request = if all { request } else { request.of_clusters(&["one"]) };
        let genuine = deleted(&observed, &settings, &request);
        let mut rewritten = observed;
        for rewriting in &rewritings {
            rewriting.apply(&mut rewritten);
        }
        let deleted = deleted(&rewritten, &settings, &request);
        let more: Vec<_> = deleted.difference(&genuine).collect();
        prop_assert!(more.is_empty(), "{more:?}");
    }

    /// With kops' rights somebody can take snapshots of volumes of their own, and make them look like ours in every way.
    #[test]
    fn whatever_stands_beside_a_members_snapshot_nothing_more_is_deleted(
        observed in accounts(), joins in prop::collection::vec(any::<Index>(), 1..6), policy in policies(),
    ) {
        // That a point is verified protects it only where one volume speaks for each member.
        let mut observed = observed;
        observed.snapshots.iter_mut().for_each(|one| { one.tags.remove(tags::VERIFIED); });
        let settings = Settings::keeping(policy);
        let request = Request::scheduled("2026-11-23T02:00:00Z");
        let genuine = deleted(&observed, &settings, &request);
        let mut joined = observed.clone();
        let completed = |one: &&Snapshot| one.state == SnapshotState::Completed;
        let completed: Vec<&Snapshot> = observed.snapshots.iter().filter(completed).collect();
        prop_assume!(!completed.is_empty());
        for (n, of) in joins.iter().enumerate() {
            joined.snapshots.push(stranger(n, completed[of.index(completed.len())]));
        }
        let deleted = deleted(&joined, &settings, &request);
        let more: Vec<_> = deleted.difference(&genuine).filter(|id| !id.as_str().starts_with("snap-stranger")).collect();
        prop_assert!(more.is_empty(), "{more:?}");
    }
}

/// A snapshot of a volume of nobody's, for the slot and the member of that one.
fn stranger(n: usize, of: &Snapshot) -> Snapshot {
    let of = of.ours().expect("ours");
    let mut stranger = our_snapshot(&of.slot.to_string(), of.lineage.member.as_str(), SnapshotState::Completed);
    stranger.id = SnapshotId::parse(&format!("snap-stranger-{n}")).expect("an id");
    stranger.volume.id = VolumeId::parse(&format!("vol-stranger-{n}")).expect("an id");
    stranger.lineage.of = of.lineage.of;
    stranger.members = of.members;
    stranger.observed()
}
