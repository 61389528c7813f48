//! Which volume is snapshotted for which member, and what is said where that is in doubt.

use super::fixtures::point;
use super::plans::{SLOT, in_words, planned, scheduled, three_volumes};
use crate::backup::Request;
use crate::recovery_point::RecoveryPoint;
use crate::retention::KeepReason;
use crate::snapshot::SnapshotState::Completed;
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// The three volumes, the last one exchanged for these.
fn with_c(volumes: impl IntoIterator<Item = Volume>) -> Vec<Volume> {
    three_volumes().into_iter().take(2).chain(volumes).collect()
}

/// What the plan says of c, given its volumes; a and b are always snapshotted.
fn c_of(volumes: impl IntoIterator<Item = Volume>) -> Vec<String> {
    let mut words = in_words(&scheduled(with_c(volumes), Vec::new()));
    assert_eq!(words.drain(..2).collect::<Vec<_>>(), ["main: a vol-a create", "main: b vol-b create"]);
    words
}

#[test]
fn every_member_with_one_sound_volume_is_snapshotted() {
    let mut volumes = three_volumes();
    volumes[1] = volumes[1].clone().in_state(VolumeState::Available);
    let plan = scheduled(volumes, Vec::new());
    assert_eq!(in_words(&plan), ["main: a vol-a create", "main: b vol-b create", "main: c vol-c create"]);
    assert_eq!(plan.warnings, Vec::<String>::new());
}

#[test]
fn etcd_clusters_and_clusters_are_told_apart() {
    let events =
        Volume::of_member("a").named("vol-e").without_tag("k8s.io/etcd/main").tagged("k8s.io/etcd/events", "a/a");
    let other = Volume::of_member("a").named("vol-o").tagged(tags::CLUSTER, "other").tagged("k8s.io/etcd/main", "a/a");
    let volumes = || three_volumes().into_iter().chain([events.clone(), other.clone()]).collect();
    let of = |request: &Request| {
        let plan = planned(request, volumes(), Vec::new());
        plan.etcd_clusters.iter().map(|of| format!("{}: {}", of.of, of.members.len())).collect::<Vec<_>>()
    };
    let all = Request::scheduled(SLOT);
    assert_eq!(of(&all), ["events of k8s.example.com: 1", "main of k8s.example.com: 3", "main of other: 1"]);
    assert_eq!(of(&all.clone().of_clusters(&["other"])), ["main of other: 1"]);
    assert_eq!(of(&all.clone().of_etcd_cluster("events")), ["events of k8s.example.com: 1"]);
    assert_eq!(of(&all.of_clusters(&["k8s.example.com"]).of_etcd_cluster("main")), ["main of k8s.example.com: 3"]);
}

#[test]
fn volumes_without_a_cluster_or_an_etcd_tag_are_none_of_ours() {
    let plan = scheduled(
        vec![Volume::of_member("a").without_tag(tags::CLUSTER), Volume::of_member("b").without_tag("k8s.io/etcd/main")],
        Vec::new(),
    );
    assert_eq!(plan.etcd_clusters, []);
    assert_eq!(plan.warnings.len(), 1, "{:?}", plan.warnings);
}

#[test]
fn a_cluster_name_that_is_none_is_passed_over_with_a_warning() {
    let plan = scheduled(
        with_c([Volume::of_member("c"), Volume::of_member("a").named("vol-x").tagged(tags::CLUSTER, "*")]),
        Vec::new(),
    );
    assert_eq!(in_words(&plan).len(), 3);
    assert_eq!(
        plan.warnings,
        ["volume vol-x is passed over: `*` is not a kops cluster name: letters, digits, `.`, `-` and `_`, at most 253"]
    );
}

#[test]
fn an_unreadable_tag_is_a_finding_of_a_nameless_member() {
    assert_eq!(
        c_of([Volume::of_member("c").tagged("k8s.io/etcd/main", "c/a,b")]),
        [
            "main: c - nothing: no volume bears this member's tag; if the master was lost, restore its volume before \
             `kops update` makes a blank one",
            "main: - vol-c nothing: volume vol-c: tag `k8s.io/etcd/main`: `c/a,b` does not list the member itself; \
             kops writes `<member>/<member>,<member>,...`, e.g. `a/a,b,c`; correct the tag",
        ]
    );
}

#[test]
fn an_etcd_cluster_of_unreadable_tags_alone_still_shows() {
    let volumes = three_volumes().into_iter().map(|volume| volume.tagged("k8s.io/etcd/main", "")).collect();
    let words = in_words(&scheduled(volumes, Vec::new()));
    assert_eq!(words.len(), 3);
    for (word, id) in words.iter().zip(["vol-a", "vol-b", "vol-c"]) {
        assert!(word.starts_with(&format!("main: - {id} nothing: volume {id}: tag")), "{word}");
    }
}

#[test]
fn a_volume_of_two_etcd_clusters_is_a_finding_in_both() {
    let volumes = with_c([Volume::of_member("c").tagged("k8s.io/etcd/events", "c/c")]);
    let finding = "volume vol-c bears several etcd tags (k8s.io/etcd/events, k8s.io/etcd/main), it is snapshotted \
                   for each; remove all but one `k8s.io/etcd/<name>`";
    let both = scheduled(volumes.clone(), Vec::new());
    assert_eq!(
        in_words(&both),
        [
            format!("events: c vol-c create: {finding}"),
            "main: a vol-a create".to_owned(),
            "main: b vol-b create".to_owned(),
            format!("main: c vol-c create: {finding}"),
        ]
    );
    let main_alone = planned(&Request::scheduled(SLOT).of_etcd_cluster("main"), volumes, Vec::new());
    assert_eq!(in_words(&main_alone)[2], format!("main: c vol-c create: {finding}"));
}

#[test]
fn all_volumes_that_claim_one_member_are_snapshotted_and_the_member_failed() {
    use VolumeState::{Available, Creating, Error, InUse};
    let claim = "volumes vol-c, vol-c2 all claim this member, each is snapshotted; remove the etcd tags of all but one";
    for (states, steps) in [
        ([InUse, Available], ["create", "create"]),
        ([Available, Available], ["create", "create"]),
        ([InUse, Creating], ["create", "nothing"]),
        ([Error, InUse], ["nothing", "create"]),
    ] {
        let [first, second] = states;
        let volumes = [Volume::of_member("c").in_state(first), Volume::of_member("c").named("vol-c2").in_state(second)];
        let expected =
            [format!("main: c vol-c {}: {claim}", steps[0]), format!("main: c vol-c2 {}: {claim}", steps[1])];
        assert_eq!(c_of(volumes), expected, "{states:?}");
    }
}

#[test]
fn an_expected_member_without_a_volume_is_a_finding() {
    assert_eq!(
        c_of([]),
        [
            "main: c - nothing: no volume bears this member's tag; if the master was lost, restore its volume before `kops \
          update` makes a blank one"
        ]
    );
}

#[test]
fn every_member_that_any_volume_lists_is_expected() {
    let plan = scheduled(with_c([Volume::of_member("c").tagged("k8s.io/etcd/main", "c/b,c,d")]), Vec::new());
    let words = in_words(&plan);
    assert_eq!(words[..3], ["main: a vol-a create", "main: b vol-b create", "main: c vol-c create"]);
    assert!(words[3].starts_with("main: d - nothing: no volume bears"), "{words:?}");
    assert_eq!(
        plan.warnings,
        [
            "main of k8s.example.com: the volumes disagree on the members (a, b, c / b, c, d): every one named is expected"
        ]
    );
}

#[test]
fn a_volume_that_is_not_ready_is_not_snapshotted() {
    use VolumeState::{Creating, Deleted, Deleting, Error};
    for state in [Creating, Deleting, Deleted, Error] {
        assert_eq!(
            c_of([Volume::of_member("c").in_state(state)]),
            [format!(
                "main: c vol-c nothing: volume vol-c is `{state}`, only `available` and `in-use` volumes are snapshotted"
            )]
        );
    }
}

#[test]
fn a_volume_on_its_way_out_is_no_rival_of_its_successor() {
    for state in [VolumeState::Deleting, VolumeState::Deleted] {
        let leaving = Volume::of_member("c").in_state(state).tagged("k8s.io/etcd/main", "c/a,c,z");
        let plan = scheduled(with_c([leaving, Volume::of_member("c").named("vol-c2")]), Vec::new());
        assert_eq!(in_words(&plan), ["main: a vol-a create", "main: b vol-b create", "main: c vol-c2 create"]);
        assert_eq!(plan.warnings, Vec::<String>::new());
    }
}

#[test]
fn a_finding_of_one_member_stops_the_pruning_of_its_etcd_cluster_alone() {
    let events = |volume: Volume| {
        let id = format!("{}-events", volume.id);
        volume.named(&id).without_tag("k8s.io/etcd/main").tagged("k8s.io/etcd/events", "a/a")
    };
    let old_points = ["2026-11-23T01:00:00Z", "2026-11-23T00:00:00Z"].map(|slot| point(slot, &[Completed; 3]));
    let mut snapshots: Vec<_> = old_points.iter().flat_map(RecoveryPoint::observed).collect();
    snapshots.extend(old_points.iter().map(|point| {
        let mut snapshot = point.snapshots[0].clone();
        snapshot.members.retain(|member| member.as_str() == "a");
        snapshot.lineage.of.etcd_cluster = crate::ids::EtcdCluster::parse("events").expect("a name");
        snapshot.id = crate::ids::SnapshotId::parse(&format!("{}-events", snapshot.id)).expect("an id");
        snapshot.observed()
    }));
    let plan = scheduled(with_c([events(Volume::of_member("a"))]), snapshots);
    let deletions: Vec<usize> = plan.etcd_clusters.iter().map(|of| of.prune.deletions.len()).collect();
    assert_eq!(deletions, [1, 0], "events is pruned, main is not");
    assert!(plan.etcd_clusters[1].prune.points[1].reasons.contains(&KeepReason::MemberFailed));
}
