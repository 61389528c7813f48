//! The way back: what may be undone, what is in its way, and that everything is as it was before.

use super::super::{Observed, UndoPlan, UndoRequest, acceptance, parking, plan_undo};
use super::fixtures::{ID, LATER_ID, id, live_volume, master, member, new_volume, now, old_volume, undo_of, volume_id};
use crate::backup::tests::fixtures::main_of_example;
use crate::ids::EtcdCluster;
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// The old volume of a member, retired in favour of its new one.
fn retired(name: &str) -> Volume {
    retired_for(old_volume(name), &format!("vol-new-{name}"))
}

fn retired_for(volume: Volume, new: &str) -> Volume {
    let retirement = parking::retire(&volume, Some(&id()), Some(&volume_id(new)), now()).expect("it fits");
    volume.changed(&retirement)
}

fn undone(volume: Volume) -> Volume {
    let retirement = parking::retire(&volume, None, None, now()).expect("it fits");
    volume.changed(&retirement)
}

fn undo(request: &UndoRequest, volumes: Vec<Volume>) -> Result<UndoPlan, Vec<super::super::Refusal>> {
    let masters = vec![master("i-a", "eu-central-1a", Some("masters-a"))];
    let request = request.naming_old(&volumes);
    plan_undo(&Observed { volumes, masters, ..Observed::default() }, &request)
}

fn undo_a() -> UndoRequest {
    undo_of(&[("a", "vol-new-a")])
}

/// The types and messages of the refusals.
fn refused(request: &UndoRequest, volumes: Vec<Volume>) -> Vec<String> {
    undo(request, volumes).expect_err("it is refused").iter().map(ToString::to_string).collect()
}

fn only_refusal(request: &UndoRequest, volumes: Vec<Volume>) -> String {
    let [refusal] = refused(request, volumes).try_into().expect("one refusal");
    refusal
}

/// Carries a plan out, as the function does; gives what EC2 lists then.
fn carried_out(plan: &UndoPlan, mut volumes: Vec<Volume>) -> Vec<Volume> {
    for (_, change) in plan.retirements(&volumes, now()) {
        apply(&mut volumes, &change);
    }
    for (_, change) in plan.give_backs(&volumes).expect("nobody is in the way") {
        apply(&mut volumes, &change);
    }
    volumes
}

fn apply(volumes: &mut [Volume], change: &super::super::TagChange) {
    let volume = volumes.iter_mut().find(|volume| volume.id == change.volume).expect("it is listed");
    *volume = volume.clone().changed(change);
}

#[test]
fn an_undo_leaves_the_old_volumes_as_before_and_the_new_ones_to_nobody() {
    let before = [old_volume("a").tagged("team", "x").tagged("etcd-backup/keep", ""), old_volume("b")];
    let mut volumes: Vec<Volume> =
        before.iter().cloned().zip(["vol-new-a", "vol-new-b"]).map(|(old, new)| retired_for(old, new)).collect();
    volumes.extend([live_volume("a"), live_volume("b")]);
    let plan = undo(&undo_of(&[("a", "vol-new-a"), ("b", "vol-new-b")]), volumes.clone()).expect("a plan");
    assert!(plan.warnings.iter().any(|warning| warning.contains("since the apply")), "{:?}", plan.warnings);
    let after = carried_out(&plan, volumes);
    assert_eq!(after[..2], before);
    for new in &after[2..] {
        assert_eq!(parking::discovery(&new.tags), tags::Tags::new());
    }
    let found = acceptance(&after, &plan.expected());
    assert!(found.is_ok(), "{found:?}");
    // Once more: there is nothing left.
    let again = only_refusal(&undo_a(), after);
    assert!(again.starts_with("NothingToUndo: vol-new-a of member a of main"), "{again}");
}

#[test]
fn where_there_was_no_old_volume_the_new_one_is_retired_alone() {
    let plan = undo(&undo_a(), vec![live_volume("a")]).expect("a plan");
    assert_eq!((plan.members[0].retire, plan.members[0].old.as_slice()), (true, &[][..]));
    assert_eq!(plan.expected(), Vec::new());
    let after = carried_out(&plan, vec![live_volume("a")]);
    assert_eq!(parking::discovery(&after[0].tags), tags::Tags::new());
    assert!(only_refusal(&undo_a(), after).starts_with("NothingToUndo: "));
}

#[test]
fn a_volume_that_no_restore_of_this_member_made_is_not_touched() {
    let events = UndoRequest {
        of: crate::ids::EtcdClusterId {
            etcd_cluster: EtcdCluster::parse("events").expect("a name"),
            ..main_of_example()
        },
        ..undo_a()
    };
    for (request, volumes, why) in [
        (undo_a(), vec![], "is not of member a of main of k8s.example.com, nor did it replace"),
        (undo_a(), vec![live_volume("a").in_state(VolumeState::Deleting)], "nor did it replace"),
        (undo_of(&[("a", "vol-a")]), vec![old_volume("a")], "was not made from a snapshot"),
        (undo_of(&[("b", "vol-new-a")]), vec![live_volume("a")], "is not of member b of main"),
        (events, vec![live_volume("a")], "is not of member a of events"),
        (undo_a(), vec![live_volume("a").tagged(tags::CLUSTER, "x").tagged("k8s.io/etcd/main", "z/z")], "is not of"),
        (undo_a(), vec![retired_for(old_volume("b"), "vol-new-a"), live_volume("a")], "which was not of member a"),
        (undo_a(), vec![retired("a").without_tag("etcd-backup/was/1"), live_volume("a")], "cannot be read"),
    ] {
        let refusal = only_refusal(&request, volumes);
        assert!(refusal.starts_with("NotOurs: volumes: vol-") && refusal.contains(why), "{refusal}");
    }
}

#[test]
fn a_volume_for_inspection_is_nobodys_already() {
    let marks_alone = new_volume("a", ID).without_tag("Name").without_tag(tags::CLUSTER);
    let refusal = only_refusal(&undo_a(), vec![marks_alone]);
    assert!(refusal.starts_with("NothingToUndo: ") && refusal.contains("made for inspection"), "{refusal}");
}

#[test]
fn a_restored_volume_that_is_attached_is_refused() {
    for attached in [live_volume("a").attached_to("i-1"), live_volume("a").in_state(VolumeState::InUse)] {
        let refusal = only_refusal(&undo_a(), vec![retired("a"), attached.clone()]);
        assert!(refusal.starts_with("VolumeAttached: vol-new-a is `in-use`"), "{refusal}");
        // Once it is nobody's it may be attached: then only the old one is given back.
        let gone = undone(live_volume("a"));
        let attached = Volume { state: attached.state, attached_to: attached.attached_to, ..gone };
        let plan = undo(&undo_a(), vec![retired("a"), attached]).expect("a plan");
        assert_eq!((plan.members[0].retire, plan.members[0].old.len()), (false, 1));
    }
    let old_attached = vec![retired("a").attached_to("i-1"), live_volume("a")];
    assert!(undo(&undo_a(), old_attached).is_ok(), "its tags may go back to the volume they came from");
}

#[test]
fn another_volume_of_the_member_is_refused() {
    let blank = Volume { snapshot: None, ..live_volume("a").named("vol-blank") };
    let refusal = only_refusal(&undo_a(), vec![retired("a"), live_volume("a"), blank.clone()]);
    assert!(refusal.starts_with("MemberClaimed: vol-blank claims member a of main"), "{refusal}");
    let rival = new_volume("a", LATER_ID).named("vol-rival");
    let refusal = only_refusal(&undo_a(), vec![retired("a"), live_volume("a"), rival.clone()]);
    assert!(refusal.starts_with(&format!("RestoreInProgress: restore {LATER_ID} is making vol-rival")), "{refusal}");
    // One that appears on the way stops it before anything is given back, and so does a new one still shown as live.
    let plan = undo(&undo_a(), vec![retired("a"), live_volume("a")]).expect("a plan");
    for (another, why) in [
        (blank, "vol-blank claims member a of main of k8s.example.com by now"),
        (rival, "is making vol-rival for member a of main of k8s.example.com"),
        (live_volume("a"), "EC2 still shows the tags of vol-new-a"),
    ] {
        let error = plan.give_backs(&[retired("a"), another]).expect_err(why);
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn too_many_tags_for_the_way_back_are_refused() {
    let full = |volume: Volume, most| (volume.tags.len()..most).fold(volume, |v, n| v.tagged(&format!("l-{n}"), ""));
    let refusal = only_refusal(&undo_a(), vec![full(live_volume("a"), 50)]);
    assert!(
        refusal.starts_with("TooManyTags: vol-new-a: it would need") && refusal.contains(": 2 of its"),
        "{refusal}"
    );
    assert!(undo(&undo_a(), vec![full(live_volume("a"), 48)]).is_ok());
    let refusal = only_refusal(&undo_a(), vec![full(retired("a"), 47), live_volume("a")]);
    assert!(refusal.starts_with("TooManyTags: vol-a: it would need") && refusal.contains(": 3 of its"), "{refusal}");
    assert!(undo(&undo_a(), vec![full(retired("a"), 44), live_volume("a")]).is_ok());
}

#[test]
fn several_old_volumes_are_all_given_back_with_a_warning() {
    let second = old_volume("a").named("vol-a2");
    let volumes = vec![retired("a"), retired_for(second.clone(), "vol-new-a"), live_volume("a")];
    let plan = undo(&undo_a(), volumes.clone()).expect("a plan");
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("vol-a, vol-a2 all claimed member a")));
    assert_eq!(plan.expected(), Vec::new(), "which of them is found is chance");
    assert_eq!(carried_out(&plan, volumes)[..2], [old_volume("a"), second]);
}

#[test]
fn a_volume_of_an_apply_that_stopped_before_it_was_tagged_is_undone() {
    let volumes = vec![retired("a"), new_volume("a", ID)];
    let plan = undo(&undo_a(), volumes.clone()).expect("a plan");
    assert_eq!(carried_out(&plan, volumes)[0], old_volume("a"));
}

#[test]
fn a_volume_of_an_apply_that_stopped_before_the_old_one_was_retired_is_undone() {
    let volumes = vec![old_volume("a"), new_volume("a", ID)];
    let plan = undo(&undo_a(), volumes.clone()).expect("a plan");
    let after = carried_out(&plan, volumes);
    assert_eq!(after[0], old_volume("a"));
    assert_eq!(parking::discovery(&after[1].tags), tags::Tags::new());
}

#[test]
fn an_undo_that_was_interrupted_goes_on() {
    let request = undo_of(&[("a", "vol-new-a"), ("b", "vol-new-b")]);
    let mut written = live_volume("a");
    written.write(&parking::retire(&written, None, None, now()).expect("it fits"));
    let mut given = retired("a");
    given.write(&parking::give_back(&given).expect("it can be read"));
    for (old, new) in [
        (retired("a"), written.clone()),
        (retired("a"), written.without_tag("k8s.io/etcd/main")),
        (retired("a"), undone(live_volume("a"))),
        (given, undone(live_volume("a"))),
    ] {
        let volumes = vec![old, retired("b"), new, live_volume("b")];
        let after = carried_out(&undo(&request, volumes.clone()).expect("a plan"), volumes);
        assert_eq!(after[..2], [old_volume("a"), old_volume("b")]);
        assert!(after[2..].iter().all(|new| parking::discovery(&new.tags).is_empty()));
    }
}

#[test]
fn of_a_set_that_was_undone_in_part_the_rest_is_undone() {
    let request = undo_of(&[("a", "vol-new-a"), ("b", "vol-new-b")]);
    let volumes = vec![old_volume("a"), retired("b"), undone(live_volume("a")), live_volume("b")];
    let plan = undo(&request, volumes.clone()).expect("a plan");
    let members: Vec<_> = plan.members.iter().map(|one| one.lineage.member.clone()).collect();
    assert_eq!(members, [member("b")]);
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("vol-new-a of member a")), "{:?}", plan.warnings);
    assert_eq!(carried_out(&plan, volumes)[..2], [old_volume("a"), old_volume("b")]);
}

#[test]
fn an_old_volume_is_given_back_though_the_new_one_is_gone() {
    for volumes in [vec![retired("a")], vec![retired("a"), live_volume("a").in_state(VolumeState::Deleting)]] {
        let plan = undo(&undo_a(), volumes.clone()).expect("a plan");
        assert_eq!((plan.members[0].retire, plan.members[0].made_from.is_none()), (false, true));
        assert_eq!(carried_out(&plan, volumes)[0], old_volume("a"));
    }
}

#[test]
fn an_old_volume_that_is_being_deleted_is_not_given_back() {
    let plan = undo(&undo_a(), vec![retired("a").in_state(VolumeState::Deleting), live_volume("a")]).expect("a plan");
    assert_eq!((plan.members[0].retire, plan.members[0].old.as_slice()), (true, &[][..]));
}
