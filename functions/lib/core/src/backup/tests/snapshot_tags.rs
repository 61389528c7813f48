//! The tags that a snapshot is given, and which of the volume's are left out where there is no room.

use super::super::{BackupPlan, Step};
use super::fixtures::MEMBERS;
use super::plans::{SLOT, in_words, planned, scheduled, three_volumes};
use crate::backup::Request;
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// What member a's snapshot would bear.
fn tags_of_a(plan: &BackupPlan) -> &Tags {
    let Step::Create(new) = &plan.etcd_clusters[0].members[0].step else { panic!("no snapshot: {:?}", in_words(plan)) };
    &new.tags
}

fn keys(tags: &Tags) -> Vec<&str> {
    tags.keys().map(String::as_str).collect()
}

/// All three volumes, a's with these changes.
fn volumes_with_a(change: impl FnOnce(Volume) -> Volume) -> Vec<Volume> {
    let mut volumes = three_volumes();
    volumes[0] = change(Volume::of_member(MEMBERS[0]));
    volumes
}

/// A volume with the two tags that every volume here bears, and labels up to that many in all.
fn with_labels_up_to(most: usize) -> impl FnOnce(Volume) -> Volume {
    move |volume| (volume.tags.len()..most).fold(volume, |volume, n| volume.tagged(&format!("label-{n:02}"), "x"))
}

#[test]
fn a_snapshot_bears_marks_and_labels_and_no_tag_of_kops() {
    let labelled = |volume: Volume| volume.tagged("Name", " a.etcd-main ").tagged("team", "");
    let plan = scheduled(volumes_with_a(labelled), Vec::new());
    let expected = [
        ("Name", " a.etcd-main "),
        ("etcd-backup/cluster", "k8s.example.com"),
        ("etcd-backup/etcd-cluster", "main"),
        ("etcd-backup/member", "a/a,b,c"),
        ("etcd-backup/recovery-point", SLOT),
        (
            "etcd-backup/tags/1",
            "KubernetesCluster=k8s.example.com;Name=%20a.etcd-main%20;k8s.io/etcd/main=a/a,b,c;team=",
        ),
        ("etcd-backup/trigger", "schedule"),
        ("etcd-backup/volume", "id=vol-a type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true"),
        ("team", ""),
    ];
    assert_eq!(*tags_of_a(&plan), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
}

#[test]
fn a_snapshot_by_hand_says_so_and_may_be_pinned() {
    let by_hand = Request::by_hand("1");
    let plan = planned(&by_hand, three_volumes(), Vec::new());
    assert_eq!(tags_of_a(&plan)[tags::TRIGGER], "manual");
    assert_eq!(tags_of_a(&plan)[tags::RECOVERY_POINT], "2026-11-23T02:00:40Z");
    assert_eq!(tags_of_a(&plan).get(tags::KEEP), None);
    let plan = planned(&Request { keep: true, ..by_hand }, three_volumes(), Vec::new());
    assert_eq!(tags_of_a(&plan)[tags::KEEP], "true");
}

#[test]
fn awss_tags_and_ours_on_the_volume_are_not_copied() {
    let marked = |volume: Volume| {
        volume
            .tagged("aws:cloudformation:stack-name", "x")
            .tagged("etcd-backup/keep", "true")
            .tagged("etcd-backup/recovery-point", "2020-01-01T00:00:00Z")
            .tagged("etcd-backup/retired-at", "2020-01-01T00:00:00Z")
            .tagged("etcd-backup/verified", "ok")
            .tagged("etcd-backups/mine", "a label like any other")
    };
    let plan = scheduled(volumes_with_a(marked), Vec::new());
    assert_eq!(
        keys(tags_of_a(&plan)),
        [
            "etcd-backup/cluster",
            "etcd-backup/etcd-cluster",
            "etcd-backup/member",
            "etcd-backup/recovery-point",
            "etcd-backup/tags/1",
            "etcd-backup/trigger",
            "etcd-backup/volume",
            "etcd-backups/mine",
        ]
    );
    assert_eq!(tags_of_a(&plan)[tags::RECOVERY_POINT], SLOT);
}

/// IAM does not tell small letters from large in a tag's key, so a grant by kops' tag, or a rule of ours, would reach it.
#[test]
fn what_iam_takes_for_a_tag_of_kops_or_ours_is_packed_alone() {
    let keys = [
        "kubernetescluster",
        "KUBERNETESCLUSTER",
        "\u{212a}ubernete\u{17f}Cluster",
        "K8s.io/etcd/main",
        "Kubernetes.IO/cluster/k8s.example.com",
        "x.K8S.io/y",
        "Etcd-Backup/Keep",
    ];
    let tagged = |volume| keys.into_iter().fold(volume, |volume: Volume, key| volume.tagged(key, "k8s.example.com"));
    let plan = scheduled(volumes_with_a(tagged), Vec::new());
    let tags = tags_of_a(&plan);
    let packed = crate::marks::unpack(tags).expect("packed");
    for key in keys {
        assert!(!tags.contains_key(key), "{key}");
        assert_eq!(packed[key], "k8s.example.com", "{key}");
    }
}

#[test]
fn tags_that_fit_with_room_for_keep_and_verified_are_all_copied() {
    // Two of kops, which are only packed, and six marks; two values hold all that is packed.
    let plan = scheduled(volumes_with_a(with_labels_up_to(42)), Vec::new());
    assert_eq!(tags_of_a(&plan).len(), 48);
    assert_eq!(plan.warnings, Vec::<String>::new());
}

#[test]
fn of_fifty_tags_the_first_cost_labels_are_left_out() {
    let plan = scheduled(volumes_with_a(with_labels_up_to(50)), Vec::new());
    let tags = tags_of_a(&plan);
    assert_eq!(tags.len(), 48, "two are left for `keep` and `verified`");
    assert_eq!(tags.keys().find(|key| key.starts_with("label-")).map(String::as_str), Some("label-11"));
    assert_eq!(
        plan.warnings,
        ["member a of main of k8s.example.com: too many tags, these labels are not tags of the snapshot: label-02, \
          label-03, label-04, label-05, label-06, label-07, label-08, label-09, label-10"]
    );
    let all = crate::marks::unpack(tags).expect("packed");
    assert_eq!(all.len(), 50, "a restore gives back all of them");
}

#[test]
fn a_pin_takes_the_room_that_is_kept_for_it() {
    let request = Request { keep: true, ..Request::by_hand("1") };
    let plan = planned(&request, volumes_with_a(with_labels_up_to(50)), Vec::new());
    assert_eq!(tags_of_a(&plan).len(), 49, "one is left for `verified`");
}

#[test]
fn awss_tags_take_no_room() {
    let awss = |volume: Volume| (0..20).fold(volume, |volume, n| volume.tagged(&format!("aws:x-{n}"), ""));
    let plan = scheduled(volumes_with_a(|volume| awss(with_labels_up_to(42)(volume))), Vec::new());
    assert_eq!((tags_of_a(&plan).len(), plan.warnings.len()), (48, 0));
}

/// A volume whose tags are as long as EC2 lets them be.
fn with_long_tags(kops: usize, labels: usize) -> impl FnOnce(Volume) -> Volume {
    let long = |text: &str, most: usize| format!("{text:x<most$}");
    move |volume| {
        let keys = (0..kops).map(|n| format!("k8s.io/{n:02}")).chain((0..labels).map(|n| format!("label-{n:02}")));
        keys.fold(volume, |volume, key| volume.tagged(&long(&key, 128), &long("", 256)))
    }
}

#[test]
fn kops_tags_are_never_left_out() {
    let plan = scheduled(volumes_with_a(with_long_tags(26, 4)), Vec::new());
    let tags = tags_of_a(&plan);
    assert!(tags.len() <= 48);
    let kept = crate::marks::unpack(tags).expect("packed");
    assert_eq!(kept.keys().filter(|key| tags::is_kops(key)).count(), 28);
    let told = "too many tags, these labels are not given back by a restore: label-00";
    assert!(plan.warnings.iter().any(|warning| warning.contains(told)), "{:?}", plan.warnings);
}

#[test]
fn more_tags_of_kops_than_fit_fail_the_member_alone() {
    let plan = scheduled(volumes_with_a(with_long_tags(40, 0)), Vec::new());
    assert_eq!(
        in_words(&plan),
        [
            "main: a vol-a nothing: its volume's tags of kops do not fit on a snapshot, beside ours: 19 tags too many",
            "main: b vol-b create",
            "main: c vol-c create",
        ]
    );
}
