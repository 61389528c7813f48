//! How far an earlier try came, as the volumes tell, and what the same event makes of it.

use super::super::parking;
use super::super::progress::{Progress, progress};
use super::super::{MemberState, RefusalKind, RestoreId, RestorePlan, RestoreRequest};
use super::fixtures::{
    EARLIER_ID, ID, LATER_ID, SLOT, id, in_the_way, lineage, live_volume, new_volume, now, of_one, old_volume, planned,
    restore_id, snapshots, try_plan, volume_id,
};
use crate::ids::VolumeId;
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// In one word, with the volume or the reason.
fn found(volumes: &[Volume]) -> String {
    let plan = planned(&RestoreRequest::of_slot(SLOT), Vec::new(), snapshots());
    match progress(volumes, &id(), &lineage("a"), (&plan.members[0].new, true)) {
        Progress::None => "none".to_owned(),
        Progress::Made(volume) => format!("made {}", volume.id),
        Progress::Live(volume) => format!("live {}", volume.id),
        Progress::Over(why) => format!("over: {why}"),
        Progress::Unclear(one, other) => format!("unclear: {} {}", one.id, other.id),
    }
}

/// The old volume, retired in favour of that one by that restore.
fn retired(replaced_by: &str, restore: &RestoreId) -> Volume {
    let volume = old_volume("a");
    let retirement = parking::retire(&volume, Some(restore), Some(&volume_id(replaced_by)), now()).expect("it fits");
    volume.changed(&retirement)
}

/// A volume that was undone or withdrawn.
fn undone(volume: Volume) -> Volume {
    let retirement = parking::retire(&volume, None, None, now()).expect("it fits");
    volume.changed(&retirement)
}

fn only<'a>(plan: &'a RestorePlan) -> (Option<&'a str>, MemberState, Vec<&'a str>, Vec<&'a str>) {
    let [one] = plan.members.as_slice() else { panic!("{:?}", plan.members) };
    let ids = |volumes: &'a [VolumeId]| volumes.iter().map(VolumeId::as_str).collect();
    (one.made.as_ref().map(VolumeId::as_str), one.state, ids(&one.old), ids(&one.retired))
}

/// The plan of an etcd cluster of one.
fn plan_of_one(volumes: Vec<Volume>) -> RestorePlan {
    planned(&RestoreRequest::of_slot(SLOT).replacing(), volumes, vec![of_one().1])
}

/// As in an etcd cluster of one.
fn alone(mut volume: Volume) -> Volume {
    if let Some(value) = volume.tags.get_mut("k8s.io/etcd/main") {
        "a/a".clone_into(value);
    }
    volume
}

#[test]
fn of_two_volumes_that_bear_its_marks_it_takes_neither() {
    let planted = new_volume("a", ID).named("vol-planted");
    let volumes = vec![planted.clone(), new_volume("a", ID)];
    assert_eq!(found(&volumes), "unclear: vol-planted vol-new-a");
    let refusal = try_plan(&RestoreRequest::of_slot(SLOT).replacing(), volumes, snapshots()).expect_err("unclear");
    assert_eq!(refusal.kind, RefusalKind::InvalidRequest);
    assert!(refusal.message.contains("find in CloudTrail which of them its CreateVolume made"), "{refusal}");
    // Of the other one nothing is left.
    for gone in [undone(planted.clone()), planted.in_state(VolumeState::Deleting)] {
        assert_eq!(found(&[gone, new_volume("a", ID)]), "made vol-new-a");
    }
}

#[test]
fn where_there_is_nothing_of_it_it_begins() {
    for nothing in [
        vec![],
        vec![old_volume("a")],
        vec![new_volume("a", LATER_ID)],
        vec![new_volume("b", ID)],
        vec![new_volume("a", ID).tagged(tags::LINEAGE, "events/a")],
        vec![live_volume("b")],
    ] {
        assert_eq!(found(&nothing), "none", "{nothing:?}");
    }
    let plan = plan_of_one(vec![of_one().0]);
    assert_eq!(only(&plan), (None, MemberState::New, vec!["vol-a"], vec![]));
}

#[test]
fn a_volume_that_bears_its_mark_is_its_own_in_whatever_state() {
    for (state, reached) in [
        (VolumeState::Creating, MemberState::Creating),
        (VolumeState::Available, MemberState::Available),
        (VolumeState::InUse, MemberState::Available),
    ] {
        let volume = new_volume("a", ID).in_state(state);
        assert_eq!(found(&[old_volume("a"), volume.clone()]), "made vol-new-a");
        let plan = plan_of_one(vec![of_one().0, volume]);
        assert_eq!(only(&plan), (Some("vol-new-a"), reached, vec!["vol-a"], vec![]));
        assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    }
    let tagged = Volume {
        tags: live_volume("a").tags.into_iter().chain(new_volume("a", ID).tags).collect(),
        ..new_volume("a", ID)
    };
    assert_eq!(found(&[retired("vol-new-a", &id()), tagged]), "made vol-new-a", "tagged, its mark not yet taken");
}

#[test]
fn the_old_volume_tells_which_one_is_live() {
    let old = retired("vol-new-a", &id());
    // However old it says it is, whatever it says it was made from.
    let live = live_volume("a").created_at("2020-01-01T00:00:00Z").made_from("snap-x");
    assert_eq!(found(&[old.clone(), live]), "live vol-new-a");
    let plan = plan_of_one(vec![alone(old), alone(live_volume("a"))]);
    assert_eq!(only(&plan), (Some("vol-new-a"), MemberState::Live, vec![], vec!["vol-a"]));
    assert!(plan.is_done());
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
}

#[test]
fn without_an_old_volume_snapshot_and_age_tell_which_one_is_live() {
    assert_eq!(found(&[live_volume("a")]), "live vol-new-a");
    assert_eq!(found(&[live_volume("a").attached_to("i-1")]), "live vol-new-a");
    assert_eq!(found(&[live_volume("a").created_at("2026-11-23T02:15:00.041Z")]), "live vol-new-a");
    let plan = plan_of_one(vec![alone(live_volume("a"))]);
    assert_eq!((only(&plan).1, plan.is_done()), (MemberState::Live, true));
}

#[test]
fn a_volume_that_was_there_before_the_plan_or_is_of_another_snapshot_is_not_taken_for_its_own() {
    let older = live_volume("a").created_at("2026-11-23T02:15:00.040Z");
    assert_eq!(found(std::slice::from_ref(&older)), "none");
    assert_eq!(found(&[live_volume("a").made_from("snap-x")]), "none");
    assert_eq!(found(&[live_volume("a").without_tag("k8s.io/etcd/main")]), "none");
    let plan = planned(&RestoreRequest::of_slot(SLOT), vec![alone(older)], vec![of_one().1]);
    assert_eq!(only(&plan), (None, MemberState::New, vec!["vol-new-a"], vec![]));
    assert_eq!(in_the_way(&plan), ["MemberClaimed"]);
}

#[test]
fn a_volume_that_another_restore_made_meanwhile_is_not_taken_for_its_own() {
    let of_other = retired("vol-new-a", &restore_id(LATER_ID));
    assert_eq!(found(&[of_other, live_volume("a")]), "none");
}

#[test]
fn a_restore_of_which_a_volume_was_undone_failed_or_went_is_over() {
    let error = new_volume("a", ID).in_state(VolumeState::Error);
    let with_key = Volume { kms_key: Some("arn:key".to_owned()), ..error.clone() };
    for (volumes, why) in [
        (vec![error], "its volume vol-new-a is `error`"),
        (vec![with_key], "may the function's role, and EC2, use the KMS key arn:key"),
        (vec![new_volume("a", ID).made_from("snap-x")], "its volume vol-new-a was made with other settings"),
        (vec![undone(new_volume("a", ID))], "its volume vol-new-a was undone or withdrawn"),
        (vec![undone(live_volume("a"))], "its volume vol-new-a was undone"),
        (vec![old_volume("a"), undone(live_volume("a"))], "its volume vol-new-a was undone"),
        (vec![retired("vol-new-a", &id()), undone(live_volume("a"))], "its volume vol-new-a was undone or its tags"),
        (vec![retired("vol-new-a", &id()), live_volume("a").without_tag("k8s.io/etcd/main")], "its tags were changed"),
        (vec![retired("vol-new-a", &id())], "its volume vol-new-a is gone, or its tags were changed"),
    ] {
        let said = found(&volumes);
        assert!(said.starts_with("over: ") && said.contains(why), "{said}");
        let refused = try_plan(&RestoreRequest::of_slot(SLOT), volumes, vec![of_one().1]).expect_err("it is over");
        assert_eq!(refused.kind, RefusalKind::InvalidRequest);
        assert!(refused.message.starts_with("id: ") && refused.message.ends_with("plan again"), "{refused}");
    }
}

#[test]
fn a_volume_for_inspection_is_not_the_members_by_the_same_id() {
    let mut inspected = new_volume("a", ID).without_tag(tags::CLUSTER);
    assert!(found(std::slice::from_ref(&inspected)).starts_with("over: "));
    inspected.tags.insert(tags::CLUSTER.to_owned(), "k8s.example.com".to_owned());
    assert_eq!(found(&[inspected]), "made vol-new-a");
}

#[test]
fn a_volume_of_this_restore_that_a_later_one_replaced_ends_it() {
    let later = restore_id(LATER_ID);
    let retirement =
        parking::retire(&live_volume("a"), Some(&later), Some(&volume_id("vol-x")), now()).expect("it fits");
    assert_eq!(found(&[live_volume("a").changed(&retirement)]), "over: its volume vol-new-a was undone");
}

#[test]
fn a_restore_whose_volume_is_being_deleted_is_over() {
    for state in [VolumeState::Deleting, VolumeState::Deleted] {
        let said = found(&[new_volume("a", ID).in_state(state)]);
        assert!(said.starts_with("over: "), "{said}");
    }
}

#[test]
fn what_became_of_other_restores_does_not_end_this_one() {
    for volumes in [
        vec![undone(new_volume("a", EARLIER_ID))],
        vec![new_volume("a", EARLIER_ID).in_state(VolumeState::Error)],
        vec![retired("vol-x", &restore_id(EARLIER_ID))],
        vec![undone(live_volume("a").created_at("2026-11-23T02:15:00Z"))],
    ] {
        assert_eq!(found(&volumes), "none", "{volumes:?}");
    }
}

#[test]
fn a_retirement_that_was_begun_goes_on_and_is_not_asked_about_again() {
    let request = RestoreRequest::of_slot(SLOT);
    let (old, snapshot) = of_one();
    let retirement = parking::retire(&old, Some(&id()), Some(&volume_id("vol-new-a")), now()).expect("it fits");
    let mut written = old.clone();
    written.write(&retirement);
    let half = written.clone().without_tag("k8s.io/etcd/main").without_tag(tags::NAME);
    for begun in [written.clone(), half] {
        let volumes = vec![begun, new_volume("a", ID)];
        let plan = planned(&request, volumes.clone(), vec![snapshot.clone()]);
        assert_eq!(only(&plan), (Some("vol-new-a"), MemberState::Available, vec!["vol-a"], vec![]));
        assert_eq!(in_the_way(&plan), Vec::<&str>::new());
        let rest = plan.retirements(&plan.made(), &volumes, now()).expect("it can be done");
        assert_eq!(rest.len(), 1);
        assert!(parking::discovery(&volumes[0].clone().changed(&rest[0].1).tags).is_empty());
    }
    let whole = old.clone().changed(&retirement);
    let plan = planned(&request, vec![whole, new_volume("a", ID)], vec![snapshot.clone()]);
    assert_eq!(only(&plan), (Some("vol-new-a"), MemberState::Available, vec![], vec!["vol-a"]));
    // One that another restore has begun to retire is asked about.
    let retirement = parking::retire(&old, Some(&restore_id(EARLIER_ID)), Some(&volume_id("vol-x")), now());
    let mut of_other = old;
    of_other.write(&retirement.expect("it fits"));
    let plan = planned(&request, vec![of_other, new_volume("a", ID)], vec![snapshot]);
    assert_eq!(in_the_way(&plan), ["MemberClaimed"]);
}

#[test]
fn what_an_earlier_try_took_from_the_snapshots_is_not_asked_of_them_again() {
    let (old, snapshot) = of_one();
    let corrupt = snapshot.tagged(tags::VERIFIED, "corrupt");
    let request = RestoreRequest::of_slot(SLOT).replacing();
    let with = |volumes| in_the_way(&planned(&request, volumes, vec![corrupt.clone()]));
    assert_eq!(with(vec![old.clone()]), ["CorruptSnapshot"]);
    assert_eq!(with(vec![old, new_volume("a", ID)]), Vec::<&str>::new());
}
