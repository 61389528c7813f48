//! What stands in the way of a restore, and what takes it out of the way.

use super::super::{Allow, RestoreRequest};
use super::fixtures::{
    LATER_ID, OLDER_SLOT, SLOT, in_the_way, live_volume, new_volume, of_one, old_volume, old_volumes, planned,
    snapshots, tags_of, verified_point,
};
use crate::backup::tests::fixtures::{point, stood};
use crate::ids::VolumeId;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// Of the point of [`SLOT`], where no member has a volume.
fn of_slot() -> RestoreRequest {
    RestoreRequest::of_slot(SLOT)
}

/// The message of the only refusal of that plan.
fn only_refusal(request: &RestoreRequest, volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> String {
    let plan = planned(request, volumes, snapshots);
    let [refusal] = plan.refusals.as_slice() else { panic!("{:?}", plan.refusals) };
    refusal.to_string()
}

/// The point of [`SLOT`], member a's snapshot with these changes.
fn with_a(change: impl FnOnce(Snapshot) -> Snapshot) -> Vec<Snapshot> {
    let mut snapshots = snapshots();
    let a = change(snapshots[0].clone());
    snapshots[0] = a;
    snapshots
}

#[test]
fn nothing_stands_in_the_way_of_a_lost_etcd_cluster() {
    let plan = planned(&of_slot(), Vec::new(), snapshots());
    assert_eq!(plan.refusals, []);
    assert!(plan.forecast.is_ok(), "{:?}", plan.forecast);
}

#[test]
fn an_incomplete_point_is_refused_unless_a_part_is_allowed() {
    use SnapshotState::{Completed, Error, Other};
    for states in [[Completed, Completed, Error], [Completed, Completed, Other]] {
        let snapshots = || point(SLOT, &states).verified().observed();
        let refusal = only_refusal(&of_slot().allowing(Allow::Rollback), Vec::new(), snapshots());
        assert!(refusal.starts_with("IncompleteRecoveryPoint: ") && refusal.contains("member c"), "{refusal}");
        // Some members are some members: that they may go back alone must be allowed too.
        let partial = of_slot().allowing(Allow::Partial);
        assert_eq!(in_the_way(&planned(&partial, Vec::new(), snapshots())), ["MemberRollback"]);
        let plan = planned(&partial.allowing(Allow::Rollback), Vec::new(), snapshots());
        assert_eq!((in_the_way(&plan), plan.members.len()), (Vec::new(), 2));
    }
    let two = || point(SLOT, &[Completed; 2]).verified().observed();
    let plan = planned(&of_slot().for_inspection(), Vec::new(), two());
    assert_eq!(in_the_way(&plan), ["IncompleteRecoveryPoint"], "a volume that is only looked at is not there either");
}

#[test]
fn a_member_that_is_named_must_be_there_whatever_is_allowed() {
    let two = || point(SLOT, &[SnapshotState::Completed; 2]).verified().observed();
    let named = of_slot().of_members(&["b", "c"]).allowing(Allow::Partial).allowing(Allow::Rollback);
    assert_eq!(in_the_way(&planned(&named, Vec::new(), two())), ["IncompleteRecoveryPoint"]);
}

#[test]
fn a_part_without_any_snapshot_is_refused_whatever_is_allowed() {
    let none = point(SLOT, &[SnapshotState::Error; 3]).observed();
    let plan = planned(&of_slot().allowing(Allow::Partial).allowing(Allow::Rollback), Vec::new(), none);
    assert_eq!(in_the_way(&plan), ["IncompleteRecoveryPoint"]);
}

#[test]
fn a_pending_snapshot_is_refused() {
    use SnapshotState::{Completed, Pending};
    let pending = || point(SLOT, &[Completed, Completed, Pending]).verified().observed();
    let refusal = only_refusal(&of_slot().allowing(Allow::Rollback), Vec::new(), pending());
    assert!(refusal.starts_with("SnapshotNotCompleted: ") && refusal.contains("member c"), "{refusal}");
    let others = of_slot().of_members(&["a", "b"]).allowing(Allow::Rollback);
    assert_eq!(in_the_way(&planned(&others, Vec::new(), pending())), Vec::<&str>::new());
}

#[test]
fn an_archived_snapshot_is_refused() {
    let archived = with_a(|snapshot| Snapshot { archived: true, ..snapshot });
    let refusal = only_refusal(&of_slot(), Vec::new(), archived);
    assert!(refusal.starts_with(&format!("SnapshotArchived: snap-a-{SLOT} ")), "{refusal}");
}

#[test]
fn a_corrupt_snapshot_is_refused_unless_that_is_allowed() {
    let corrupt = || with_a(|snapshot| snapshot.tagged(tags::VERIFIED, "corrupt at=then reason=crc"));
    let plan = planned(&of_slot(), Vec::new(), corrupt());
    assert_eq!(in_the_way(&plan), ["CorruptSnapshot", "PositionUnknown"]);
    assert!(
        plan.refusals[0].message.contains("reason=crc") && plan.refusals[0].message.contains("`\"others\": \"empty\"`")
    );
    let allowed = of_slot().allowing(Allow::Corrupt);
    assert_eq!(
        in_the_way(&planned(&allowed, Vec::new(), corrupt())),
        ["PositionUnknown"],
        "where it stands nobody knows"
    );
    let allowed = allowed.allowing(Allow::Unordered);
    assert_eq!(in_the_way(&planned(&allowed, Vec::new(), corrupt())), Vec::<&str>::new());
    let degraded = stood("a", 100, 100).replacen("ok", "degraded", 1);
    for (verdict, expected) in [(degraded.as_str(), vec![]), ("unsupported reason=xfs", vec!["PositionUnknown"])] {
        let snapshots = with_a(|snapshot| snapshot.tagged(tags::VERIFIED, verdict));
        assert_eq!(in_the_way(&planned(&of_slot(), Vec::new(), snapshots)), expected, "{verdict}");
    }
}

#[test]
fn skew_stands_in_nobodys_way() {
    let skewed = verified_point().skewed_by_ms(600_000).observed();
    let plan = planned(&of_slot(), Vec::new(), skewed);
    assert_eq!((in_the_way(&plan), plan.skew.map(|skew| skew.as_millis())), (Vec::new(), Some(600_000)));
}

#[test]
fn a_volume_that_claims_the_member_is_refused_unless_it_is_to_be_replaced() {
    let plan = planned(&of_slot(), old_volumes(), snapshots());
    assert_eq!(in_the_way(&plan), ["MemberClaimed"; 3]);
    assert!(plan.refusals[0].message.contains("vol-a") && plan.refusals[0].message.contains("`replace`"));
    let plan = planned(&of_slot().replacing(), old_volumes(), snapshots());
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    let old = plan.members.iter().map(|member| member.old.iter().map(VolumeId::as_str).collect());
    assert_eq!(old.collect::<Vec<Vec<&str>>>(), [["vol-a"], ["vol-b"], ["vol-c"]]);
}

#[test]
fn every_claimant_of_a_member_is_replaced_whatever_finds_it() {
    let (a, snapshot) = of_one();
    let legacy = a.clone().named("vol-legacy").without_tag("kubernetes.io/cluster/k8s.example.com");
    let manager = a.clone().named("vol-manager").without_tag(tags::CLUSTER).without_tag("k8s.io/role/master");
    let nobodys = a.clone().named("vol-nobodys").without_tag("k8s.io/etcd/main");
    let leaving = a.clone().named("vol-leaving").in_state(VolumeState::Deleting);
    let plan = planned(&of_slot().replacing(), vec![a, legacy, manager, nobodys, leaving], vec![snapshot]);
    let old: Vec<&str> = plan.members[0].old.iter().map(VolumeId::as_str).collect();
    assert_eq!(old, ["vol-a", "vol-legacy", "vol-manager"]);
}

#[test]
fn an_attached_volume_is_refused_unless_that_is_allowed() {
    let (volume, snapshot) = of_one();
    let in_use = volume.clone().in_state(VolumeState::InUse);
    for attached in [volume.clone().attached_to("i-1"), in_use] {
        let refusal = only_refusal(&of_slot().replacing(), vec![attached.clone()], vec![snapshot.clone()]);
        assert!(refusal.starts_with("VolumeAttached: vol-a") && refusal.contains("`in-use`"), "{refusal}");
        let both = planned(&of_slot(), vec![attached.clone()], vec![snapshot.clone()]);
        assert_eq!(in_the_way(&both), ["MemberClaimed", "VolumeAttached"]);
        let plan = planned(&of_slot().replacing().allowing(Allow::Attached), vec![attached], vec![snapshot.clone()]);
        assert_eq!((in_the_way(&plan), plan.allow_attached), (Vec::new(), true));
    }
}

#[test]
fn some_members_alone_are_refused_unless_that_is_allowed() {
    let some = of_slot().of_members(&["a", "b"]);
    let refusal = only_refusal(&some, Vec::new(), snapshots());
    assert!(refusal.starts_with("MemberRollback: ") && refusal.contains("only a, b would go back"), "{refusal}");
    let plan = planned(&some.clone().allowing(Allow::Rollback), Vec::new(), snapshots());
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("allowed all the same: ")), "{:?}", plan.warnings);
    assert_eq!(in_the_way(&planned(&some.for_inspection(), Vec::new(), snapshots())), Vec::<&str>::new());
    let all = of_slot().of_members(&["a", "b", "c"]);
    assert_eq!(in_the_way(&planned(&all, Vec::new(), snapshots())), Vec::<&str>::new());
}

#[test]
fn a_membership_that_is_no_more_is_refused_unless_that_is_allowed() {
    let grown = Volume::of_member("d").tagged("k8s.io/role/master", "1").tagged("k8s.io/etcd/main", "d/a,b,c,d");
    let refusal = only_refusal(&of_slot(), vec![grown.clone()], snapshots());
    assert!(refusal.starts_with("MemberRollback: ") && refusal.contains("now has a, b, c, d"), "{refusal}");
    let allowed = of_slot().allowing(Allow::Rollback);
    assert_eq!(in_the_way(&planned(&allowed, vec![grown.clone()], snapshots())), Vec::<&str>::new());
    for nobodys in [grown.clone().in_state(VolumeState::Deleting), grown.without_tag("k8s.io/role/master")] {
        assert_eq!(in_the_way(&planned(&of_slot(), vec![nobodys], snapshots())), Vec::<&str>::new());
    }
}

#[test]
fn a_membership_on_which_the_volumes_disagree_as_they_did_at_the_point_is_no_change() {
    let (mut volumes, mut snapshots) = (old_volumes(), snapshots());
    volumes[1].tags.insert("k8s.io/etcd/main".to_owned(), "b/a,b".to_owned());
    snapshots[1] = snapshots[1].clone().marked(&[(tags::SNAPSHOT_MEMBER, "b/a,b")]);
    assert_eq!(in_the_way(&planned(&of_slot().replacing(), volumes, snapshots)), Vec::<&str>::new());
}

#[test]
fn a_restore_that_is_under_way_is_refused_and_named_with_the_way_back() {
    let rival = new_volume("b", LATER_ID).named("vol-rival");
    let refusal = only_refusal(&of_slot(), vec![rival.clone()], snapshots());
    let undo = r#"{"mode": "undo", "cluster": "k8s.example.com", "etcd_cluster": "main", "volumes": {"b": "vol-rival"}, "old_volumes": []}"#;
    assert!(refusal.starts_with(&format!("RestoreInProgress: restore {LATER_ID} is making vol-rival")), "{refusal}");
    assert!(refusal.contains(undo), "{refusal}");
    // It has tagged its volume already: still one matter, not two.
    let tagged =
        Volume { tags: live_volume("b").tags.into_iter().chain(rival.tags.clone()).collect(), ..rival.clone() };
    for request in [of_slot(), of_slot().replacing()] {
        let plan = planned(&request, vec![tagged.clone()], snapshots());
        assert_eq!((in_the_way(&plan), plan.members[1].old.len()), (vec!["RestoreInProgress"], 0));
    }
    for over in [
        rival.clone().in_state(VolumeState::Error),
        rival.clone().in_state(VolumeState::Deleting),
        rival.clone().tagged(tags::RETIRED_AT, "2026-11-23T02:21:00Z"),
        rival.clone().without_tag(tags::CLUSTER),
        rival.clone().tagged(tags::CLUSTER, "other.example.com"),
        rival.clone().tagged(tags::LINEAGE, "events/b"),
    ] {
        assert_eq!(in_the_way(&planned(&of_slot(), vec![over.clone()], snapshots())), Vec::<&str>::new(), "{over:?}");
    }
    assert_eq!(in_the_way(&planned(&of_slot().for_inspection(), vec![rival], snapshots())), Vec::<&str>::new());
}

#[test]
fn tags_that_do_not_fit_are_refused_before_anything_is_changed() {
    // Beside its own an old volume bears `retired-at`, `replaced-by`, `restore` and what one value holds.
    let full = |volume: Volume, up_to| (volume.tags.len()..up_to).fold(volume, |v, n| v.tagged(&format!("l-{n}"), ""));
    let (volume, snapshot) = of_one();
    let request = of_slot().replacing();
    assert_eq!(
        in_the_way(&planned(&request, vec![full(volume.clone(), 46)], vec![snapshot.clone()])),
        Vec::<&str>::new()
    );
    let refusal = only_refusal(&request, vec![full(volume, 48)], vec![snapshot.clone()]);
    assert!(refusal.starts_with("TooManyTags: the old volume vol-a: it would need 50 and 2 more tags"), "{refusal}");
    assert!(refusal.contains(": 2 of its cost labels must go first"), "{refusal}");
    // A new one bears two private tags, and later, with those gone or not, what an undo parks.
    let labelled = |labels| snapshot.clone().of_volume_with(&tags_of((0..labels).map(|n| (format!("l-{n}"), ""))));
    assert_eq!(in_the_way(&planned(&request, Vec::new(), vec![labelled(40)])), Vec::<&str>::new());
    let refusal = only_refusal(&request, Vec::new(), vec![labelled(41)]);
    assert!(refusal.contains("the new volume of member a of main"), "{refusal}");
    assert!(refusal.starts_with("TooManyTags: ") && refusal.contains(": 1 of its cost labels"), "{refusal}");
    assert_eq!(
        in_the_way(&planned(&request.for_inspection(), Vec::new(), vec![labelled(43)])),
        Vec::<&str>::new(),
        "a volume for inspection gets none of them"
    );
}

#[test]
fn a_new_volume_with_too_many_tags_says_at_once_how_many_must_go() {
    let (_, snapshot) = of_one();
    let labelled = snapshot.of_volume_with(&tags_of((0..43).map(|n| (format!("l-{n}"), ""))));
    let refusal = only_refusal(&of_slot(), Vec::new(), vec![labelled]);
    assert!(refusal.contains(": 3 of its cost labels must go first"), "{refusal}");
}

#[test]
fn a_volume_for_inspection_stands_in_nobodys_way_and_is_found_by_nobody() {
    let plan = planned(&of_slot().for_inspection(), old_volumes(), snapshots());
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    for member in &plan.members {
        assert_eq!((member.old.as_slice(), member.retired.as_slice()), (&[][..], &[][..]));
        let keys: Vec<&str> = member.new.tags.keys().map(String::as_str).collect();
        assert_eq!(keys, ["Name", "etcd-backup/lineage", "etcd-backup/restore"]);
        assert!(member.new.tags["Name"].starts_with("inspection of "));
    }
}

#[test]
fn all_that_stands_in_the_way_is_said_at_once() {
    let snapshots = with_a(|snapshot| snapshot.tagged(tags::VERIFIED, "corrupt"));
    let volumes = vec![old_volume("a").attached_to("i-1"), new_volume("a", LATER_ID)];
    let some = of_slot().of_members(&["a"]);
    let expected = ["RestoreInProgress", "MemberClaimed", "VolumeAttached", "CorruptSnapshot", "MemberRollback"];
    assert_eq!(in_the_way(&planned(&some, volumes, snapshots)), expected);
}

#[test]
fn a_point_is_refused_by_its_own_snapshots_alone() {
    let mut all = point(OLDER_SLOT, &[SnapshotState::Error; 3]).observed();
    all.extend(snapshots());
    assert_eq!(in_the_way(&planned(&of_slot(), Vec::new(), all)), Vec::<&str>::new());
}
