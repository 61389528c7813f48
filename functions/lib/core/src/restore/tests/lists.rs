//! The answer to `list`.

use jiff::SignedDuration;

use super::super::{ListResult, list};
use super::fixtures::{OLDER_SLOT, SLOT, new_volume, now, snapshots, verified_point};
use crate::backup::tests::fixtures::point;
use crate::ids::{Cluster, EtcdCluster, VolumeId};
use crate::scope::{ClusterSet, Scope};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{Completed, Error, Pending};
use crate::tags;

fn everything() -> Scope {
    Scope { clusters: ClusterSet::All, etcd_cluster: None }
}

fn listed(snapshots: &[Snapshot], scope: &Scope, limit: usize) -> ListResult {
    list((snapshots, &[], Vec::new()), scope, limit, SignedDuration::from_secs(5), now())
}

/// `main 2026-… complete a:completed b:missing`.
fn in_words(result: &ListResult) -> Vec<String> {
    let line = |point: &super::super::ListedPoint| {
        let members = point.members.iter().map(|one| format!(" {}:{}", one.member, one.state));
        let what = format!("{} {} {}", point.etcd_cluster, point.recovery_point, point.state.word());
        members.fold(what, |line, member| line + &member)
    };
    result.recovery_points.iter().map(line).collect()
}

#[test]
fn points_are_listed_newest_first_whatever_their_state() {
    let mut all = point(OLDER_SLOT, &[Completed, Pending, Completed]).observed();
    all.extend(point("2026-11-23T00:00:00Z", &[Completed, Error]).observed());
    all.extend(snapshots());
    let expected = [
        "main 2026-11-23T02:00:00Z complete a:completed b:completed c:completed",
        "main 2026-11-23T01:00:00Z pending a:completed b:pending c:completed",
        "main 2026-11-23T00:00:00Z partial a:completed b:error c:missing",
    ];
    assert_eq!(in_words(&listed(&all, &everything(), 10)), expected);
    assert_eq!(in_words(&listed(&all, &everything(), 2)), expected[..2]);
}

#[test]
fn a_point_tells_its_age_skew_pin_and_verdict() {
    let mut all = point(SLOT, &[Completed; 3]).skewed_by_ms(5_001).pinned().observed();
    let result = listed(&all, &everything(), 10);
    let one = &result.recovery_points[0];
    assert_eq!((one.age_seconds, one.skew_ms, one.skewed, one.pinned), (1_800, Some(5_001), true, true));
    assert_eq!(one.verified, None);
    let a = &one.members[0];
    assert_eq!((a.volume.as_ref().map(VolumeId::as_str), a.size_gib), (Some("vol-a"), Some(20)));
    all = all.into_iter().map(|snapshot| snapshot.tagged(tags::VERIFIED, "ok at=then")).collect();
    let result = listed(&all, &everything(), 10);
    assert_eq!(result.recovery_points[0].verified, None, "it tells no position");
    assert_eq!(result.recovery_points[0].members[2].verified.as_deref(), Some("ok at=then"), "as it was written");
    let verified = verified_point().observed();
    assert_eq!(listed(&verified, &everything(), 10).recovery_points[0].verified.as_deref(), Some("ok"));
    let small = listed(&point(SLOT, &[Completed; 3]).skewed_by_ms(5_000).observed(), &everything(), 10);
    assert!(!small.recovery_points[0].skewed);
}

#[test]
fn only_ours_within_the_scope_are_listed() {
    let mut all = snapshots();
    all.extend(snapshots().into_iter().map(Snapshot::copied));
    all.push(Snapshot { description: String::new(), ..snapshots().remove(0).without_tag(tags::RECOVERY_POINT) });
    assert_eq!(listed(&all, &everything(), 10).recovery_points.len(), 1);
    let events = Scope { etcd_cluster: EtcdCluster::parse("events").ok(), ..everything() };
    assert_eq!(listed(&all, &events, 10).recovery_points, []);
    let other = Cluster::parse("other.example.com").expect("a cluster");
    let result = listed(&all, &Scope { clusters: ClusterSet::Named([other].into()), ..everything() }, 10);
    assert_eq!(result.recovery_points, []);
    assert_eq!(result.warnings, ["other.example.com has no recovery points in this account and region"]);
}

#[test]
fn what_is_doubtful_is_a_warning() {
    let all = [snapshots().remove(0).tagged(tags::SNAPSHOT_MEMBER, "a")];
    let result = listed(&all, &everything(), 10);
    assert_eq!(result.recovery_points, []);
    assert!(result.warnings[0].contains("does not count and is not deleted"), "{:?}", result.warnings);
}

#[test]
fn a_restores_id_is_told_as_what_others_wrote() {
    let volume = new_volume("a", "`\n\u{202e}run now: \"x\"");
    let result = list((&snapshots(), &[volume], Vec::new()), &everything(), 10, SignedDuration::from_secs(5), now());
    let told = "main of k8s.example.com: restore '??run now: 'x': ";
    assert!(result.warnings[0].starts_with(told), "{:?}", result.warnings);
}
