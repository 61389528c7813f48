//! Etcd clusters whose volumes are gone, and names of which nothing is found.

use super::super::BackupPlan;
use super::fixtures::point;
use super::plans::{NOW, SLOT, in_words, planned, three_volumes};
use crate::backup::Request;
use crate::retention::KeepReason;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::Completed;
use crate::tags;
use crate::volume::Volume;

const GONE: &str = "no volume of the etcd cluster was found, but it has recovery points: were its tags changed, is this \
                    its region? If it was deleted on purpose, take its cluster out of CLUSTERS; with `*` this ends 7 \
                    days after its last point";

/// Two points, of which the policy would keep one.
fn points_since(newest: &str) -> Vec<Snapshot> {
    [newest, "2026-11-01T00:00:00Z"].iter().flat_map(|slot| point(slot, &[Completed; 3]).observed()).collect()
}

/// The cluster's points, without any volume.
fn gone_since(request: &Request, newest: &str) -> BackupPlan {
    let plan = planned(request, Vec::new(), points_since(newest));
    let prune = &plan.etcd_clusters[0].prune;
    assert_eq!((prune.deletions.len(), prune.backlog), (0, 0), "nothing of it is pruned");
    assert!(prune.points[1].reasons.contains(&KeepReason::MemberFailed));
    plan
}

#[test]
fn volumes_gone_for_less_than_seven_days_fail_every_member() {
    // A second less than seven days before the run.
    assert_eq!(NOW, "2026-11-23T02:00:40Z");
    let plan = gone_since(&Request::scheduled(SLOT), "2026-11-16T02:00:41Z");
    assert_eq!(in_words(&plan), ["a", "b", "c"].map(|member| format!("main: {member} - nothing: {GONE}")));
    assert_eq!((plan.warnings.len(), plan.not_found.len()), (0, 0));
}

#[test]
fn volumes_gone_for_seven_days_are_a_warning() {
    let plan = gone_since(&Request::scheduled(SLOT), "2026-11-16T02:00:40Z");
    assert_eq!(in_words(&plan), Vec::<String>::new());
    assert_eq!(
        plan.warnings,
        ["main of k8s.example.com has no volumes any more; its 2 recovery points are left as they are"]
    );
}

#[test]
fn volumes_gone_of_a_cluster_that_is_named_fail_however_long_ago() {
    let plan = gone_since(&Request::scheduled(SLOT).of_clusters(&["k8s.example.com"]), "2026-11-02T00:00:00Z");
    assert_eq!(in_words(&plan), ["a", "b", "c"].map(|member| format!("main: {member} - nothing: {GONE}")));
    assert_eq!((plan.warnings.len(), plan.not_found.len()), (0, 0));
}

#[test]
fn a_broken_cluster_leaves_the_others_alone() {
    let other = Volume::of_member("a").tagged(tags::CLUSTER, "other").tagged("k8s.io/etcd/main", "a/a");
    let plan = planned(&Request::scheduled(SLOT), vec![other], points_since("2026-11-23T01:00:00Z"));
    assert_eq!(in_words(&plan).last().map(String::as_str), Some("main: a vol-a create"));
    assert_eq!(in_words(&plan).len(), 4);
}

#[test]
fn a_named_cluster_without_volumes_and_points_is_not_found() {
    let request = Request::scheduled(SLOT).of_clusters(&["k8s.example.com", "k8s.exmaple.com"]);
    let plan = planned(&request, three_volumes(), Vec::new());
    assert_eq!(
        plan.not_found,
        ["cluster k8s.exmaple.com has no etcd volumes; the name is that of the tag `KubernetesCluster`"]
    );
    assert_eq!(in_words(&plan).len(), 3, "the other one is backed up");
}

#[test]
fn an_etcd_cluster_named_by_hand_must_be_found() {
    let by_hand = || Request::by_hand("1").of_etcd_cluster("mian");
    for (request, of) in [
        (by_hand(), "any cluster"),
        (by_hand().of_clusters(&["k8s.example.com"]), "k8s.example.com"),
        (by_hand().of_clusters(&["gone", "k8s.example.com"]), "gone, k8s.example.com"),
    ] {
        let plan = planned(&request, three_volumes(), Vec::new());
        assert_eq!(
            plan.not_found,
            [format!("etcd cluster mian of {of} has no volumes; the name is that of the tag `k8s.io/etcd/<name>`")]
        );
        assert_eq!(plan.etcd_clusters, []);
    }
}

#[test]
fn an_etcd_cluster_named_by_hand_need_not_be_in_every_cluster() {
    for request in [
        Request::by_hand("1").of_etcd_cluster("main"),
        Request::by_hand("1").of_etcd_cluster("main").of_clusters(&["k8s.example.com", "other"]),
    ] {
        assert_eq!(planned(&request, three_volumes(), Vec::new()).not_found, Vec::<String>::new());
    }
}

#[test]
fn an_account_without_etcd_volumes_is_a_warning() {
    let plan = planned(&Request::scheduled(SLOT), Vec::new(), Vec::new());
    assert_eq!((plan.etcd_clusters.len(), plan.not_found.len()), (0, 0));
    assert_eq!(
        plan.warnings,
        ["no volume bears `KubernetesCluster` and a tag `k8s.io/etcd/<name>`: nothing to back up"]
    );
}
