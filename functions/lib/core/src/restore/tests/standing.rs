//! Between the steps of an apply: whether the next may be taken.

use super::super::{Allow, Made, Reached, RestorePlan, RestoreRequest, Standing, parking};
use super::fixtures::{
    EARLIER_ID, ID, LATER_ID, SLOT, kops_tags, live_volume, made, new_volume, now, of_one, old_volume, old_volumes,
    planned, snapshots,
};
use crate::backup::tests::fixtures::MEMBERS;
use crate::tags;
use crate::volume::{Volume, VolumeState};

const EACH: [Reached; 3] = [Reached::Made, Reached::Retired, Reached::Tagged];

/// Replaces all three.
fn plan() -> RestorePlan {
    planned(&RestoreRequest::of_slot(SLOT).replacing(), old_volumes(), snapshots())
}

fn all() -> Made {
    made(&MEMBERS)
}

/// What EC2 lists when an apply has come so far.
fn listed(reached: Reached) -> Vec<Volume> {
    let retired = |volume: Volume| {
        let new = all().remove(&super::fixtures::member(&volume.id.as_str()[4..]));
        let retirement = parking::retire(&volume, Some(&plan().id), new.as_ref(), now()).expect("it fits");
        volume.changed(&retirement)
    };
    let old = |volume| if reached == Reached::Made { volume } else { retired(volume) };
    let new = |member| if reached == Reached::Tagged { live_volume(member) } else { new_volume(member, ID) };
    old_volumes().into_iter().map(old).chain(MEMBERS.map(new)).collect()
}

/// The same, that volume with these changes.
fn with(reached: Reached, id: &str, change: impl FnOnce(Volume) -> Volume) -> Vec<Volume> {
    let mut volumes = listed(reached);
    let volume = volumes.iter_mut().find(|volume| volume.id.as_str() == id).expect("it is listed");
    *volume = change(volume.clone());
    volumes
}

fn and(reached: Reached, another: Volume) -> Vec<Volume> {
    listed(reached).into_iter().chain([another]).collect()
}

fn without(reached: Reached, id: &str) -> Vec<Volume> {
    listed(reached).into_iter().filter(|volume| volume.id.as_str() != id).collect()
}

/// In words.
fn standing(volumes: &[Volume], reached: Reached) -> String {
    in_words(plan().standing(&all(), volumes, reached))
}

fn in_words(standing: Standing) -> String {
    match standing {
        Standing::Clear => "clear".to_owned(),
        Standing::Wait(why) => format!("wait: {why}"),
        Standing::WaitForRival(why) => format!("rival: {why}"),
        Standing::Withdraw(why) => format!("withdraw: {why}"),
        Standing::Over(why) => format!("over: {why}"),
    }
}

#[test]
fn where_nobody_else_is_the_next_step_is_taken() {
    for reached in EACH {
        assert_eq!(standing(&listed(reached), reached), "clear", "{reached:?}");
    }
    let stranger = old_volume("a").named("vol-x").tagged(tags::CLUSTER, "other").without_tag("Name");
    let strangers = stranger.without_tag("kubernetes.io/cluster/k8s.example.com");
    assert_eq!(standing(&and(Reached::Made, strangers), Reached::Made), "clear");
    let leaving = old_volume("a").named("vol-x").in_state(VolumeState::Deleting);
    assert_eq!(standing(&and(Reached::Tagged, leaving), Reached::Tagged), "clear");
}

#[test]
fn what_ec2_does_not_show_yet_is_waited_for() {
    for reached in EACH {
        let unlisted = standing(&without(reached, "vol-new-b"), reached);
        assert_eq!(unlisted, "wait: EC2 does not list vol-new-b yet");
    }
    let shown = "wait: EC2 still shows the tags of vol-b, which were taken away";
    let late = with(Reached::Retired, "vol-b", |_| old_volume("b"));
    assert_eq!(standing(&late, Reached::Retired), shown);
    assert_eq!(standing(&with(Reached::Tagged, "vol-b", |_| old_volume("b")), Reached::Tagged), shown);
    let partly = with(Reached::Tagged, "vol-new-b", |volume| volume.without_tag("k8s.io/role/master"));
    assert_eq!(standing(&partly, Reached::Tagged), "wait: EC2 does not show the tags of vol-new-b yet");
    let none_made = plan().standing(&made(&["a", "b"]), &listed(Reached::Made), Reached::Made);
    assert_eq!(in_words(none_made), "wait: member c of main of k8s.example.com has no volume yet");
}

#[test]
fn another_volume_that_claims_the_member_makes_this_restore_withdraw() {
    for reached in EACH {
        let kops_blank = Volume { snapshot: None, ..live_volume("b").named("vol-blank") };
        let said = standing(&and(reached, kops_blank), reached);
        assert_eq!(said, "withdraw: vol-blank claims member b of main of k8s.example.com by now");
    }
}

#[test]
fn a_restore_that_was_undone_meanwhile_is_over_whatever_else_is_there() {
    let blank = Volume { snapshot: None, ..live_volume("a").named("vol-blank") };
    for reached in EACH {
        let mut volumes = with(reached, "vol-new-c", |volume| volume.tagged(tags::RETIRED_AT, "2026-11-23T02:31:00Z"));
        volumes.push(blank.clone());
        assert_eq!(
            standing(&volumes, reached),
            "over: member c: its volume vol-new-c was undone meanwhile: send the undo again"
        );
        assert_eq!(
            in_words(plan().available(&all(), &volumes, true)),
            "over: member c: its volume vol-new-c was undone meanwhile: send the undo again"
        );
    }
}

/// Another restore's volume of member b, marked; with kops' tags, if it has come that far.
fn rival(id: &str, is_tagged: bool) -> Volume {
    let mut rival = new_volume("b", id).named("vol-rival");
    if is_tagged {
        rival.tags.extend(kops_tags("b"));
    }
    rival
}

#[test]
fn of_two_restores_that_are_equally_far_the_one_that_was_planned_first_goes_on() {
    let is_making = |id| format!("restore {id} is making vol-rival for member b of main of k8s.example.com");
    for (reached, is_tagged) in [(Reached::Made, false), (Reached::Retired, false), (Reached::Tagged, true)] {
        let said = standing(&and(reached, rival(EARLIER_ID, is_tagged)), reached);
        assert_eq!(said, format!("withdraw: {}", is_making(EARLIER_ID)), "{reached:?}");
        let said = standing(&and(reached, rival(LATER_ID, is_tagged)), reached);
        assert_eq!(said, format!("rival: {}, and has not given way", is_making(LATER_ID)), "{reached:?}");
    }
}

#[test]
fn a_restore_whose_volume_is_found_already_goes_before_one_whose_is_not() {
    for other in [EARLIER_ID, LATER_ID] {
        for reached in [Reached::Made, Reached::Retired] {
            assert!(standing(&and(reached, rival(other, true)), reached).starts_with("withdraw: "), "{reached:?}");
        }
        // If it does not give way this one stays as it is: it is the only one that is found.
        assert!(standing(&and(Reached::Tagged, rival(other, false)), Reached::Tagged).starts_with("wait: "));
    }
}

#[test]
fn of_two_restores_that_see_each_other_exactly_one_gives_way() {
    for mine in EACH {
        for others in EACH {
            let sees_later = standing(&and(mine, rival(LATER_ID, others == Reached::Tagged)), mine);
            let sees_earlier = standing(&and(others, rival(EARLIER_ID, mine == Reached::Tagged)), others);
            let withdraw = [&sees_later, &sees_earlier].iter().filter(|said| said.starts_with("withdraw: ")).count();
            assert_eq!(withdraw, 1, "{mine:?} {others:?}: {sees_later}, {sees_earlier}");
            assert!(sees_later != "clear" && sees_earlier != "clear", "{mine:?} {others:?}");
        }
    }
}

#[test]
fn a_rival_that_gave_way_or_failed_is_none() {
    for over in [
        rival(EARLIER_ID, false).tagged(tags::RETIRED_AT, "2026-11-23T02:31:00Z"),
        rival(EARLIER_ID, false).in_state(VolumeState::Error),
        rival(EARLIER_ID, false).in_state(VolumeState::Deleted),
    ] {
        assert_eq!(standing(&and(Reached::Made, over), Reached::Made), "clear");
    }
}

#[test]
fn new_volumes_are_used_once_all_of_them_can_be() {
    let available = |volumes: &[Volume], patience| in_words(plan().available(&all(), volumes, patience));
    assert_eq!(available(&listed(Reached::Made), true), "clear");
    let of_b = |state| with(Reached::Made, "vol-new-b", |volume| volume.in_state(state));
    assert_eq!(available(&of_b(VolumeState::InUse), true), "clear");
    assert_eq!(available(&of_b(VolumeState::Creating), false), "wait: vol-new-b is still `creating`");
    for state in [VolumeState::Error, VolumeState::Deleting, VolumeState::Deleted] {
        let said = available(&of_b(state), true);
        assert_eq!(said, format!("withdraw: member b: its volume vol-new-b is `{state}`"));
    }
    let gone = without(Reached::Made, "vol-new-b");
    assert_eq!(available(&gone, true), "wait: vol-new-b is not listed yet");
    assert_eq!(available(&gone, false), "withdraw: member b: its volume vol-new-b has vanished");
}

#[test]
fn a_volume_that_failed_or_vanished_names_the_key() {
    let keyed = snapshots().into_iter().map(|mut snapshot| {
        (snapshot.encrypted, snapshot.kms_key) = (true, Some("arn:key".to_owned()));
        snapshot
    });
    let plan = planned(&RestoreRequest::of_slot(SLOT).replacing(), old_volumes(), keyed.collect());
    let gone = in_words(plan.available(&all(), &without(Reached::Made, "vol-new-a"), false));
    assert!(gone.starts_with("withdraw: ") && gone.ends_with("KMS key it may not use (arn:key)"), "{gone}");
    let failed = with(Reached::Made, "vol-new-a", |volume| Volume {
        kms_key: Some("arn:key".to_owned()),
        ..volume.in_state(VolumeState::Error)
    });
    assert!(in_words(plan.available(&all(), &failed, true)).contains("arn:key"));
}

#[test]
fn every_old_volume_is_retired_and_nothing_else() {
    let volumes = listed(Reached::Made);
    let retirements = plan().retirements(&all(), &volumes, now()).expect("it can be done");
    let ids: Vec<&str> = retirements.iter().map(|(_, change)| change.volume.as_str()).collect();
    assert_eq!(ids, ["vol-a", "vol-b", "vol-c"]);
    assert!(retirements.iter().all(|(member, change)| change.write[tags::REPLACED_BY] == format!("vol-new-{member}")));
    assert_eq!(plan().retirements(&all(), &listed(Reached::Retired), now()), Ok(Vec::new()));
}

#[test]
fn a_volume_that_was_attached_meanwhile_is_retired_only_where_that_is_allowed() {
    let volumes = with(Reached::Made, "vol-a", |volume| volume.attached_to("i-1"));
    let error = plan().retirements(&all(), &volumes, now()).expect_err("it is attached");
    assert!(error.starts_with("vol-a is attached by now"), "{error}");
    let request = RestoreRequest::of_slot(SLOT).replacing().allowing(Allow::Attached);
    let plan = planned(&request, old_volumes(), snapshots());
    assert_eq!(plan.retirements(&all(), &volumes, now()).map(|all| all.len()), Ok(3));
}

#[test]
fn nothing_is_tagged_while_a_retired_volume_is_attached() {
    // A master has mounted it between the look and the taking of its tags: etcd goes on there.
    let volumes = with(Reached::Retired, "vol-a", |volume| volume.attached_to("i-1"));
    let why = "wait: vol-a, which is retired, is attached (i-1): detach it, or take its master down";
    assert_eq!(standing(&volumes, Reached::Retired), why);
    // The same event, sent again after the run has died there.
    let again = planned(&RestoreRequest::of_slot(SLOT).replacing(), volumes.clone(), snapshots());
    assert_eq!(in_words(again.standing(&all(), &volumes, Reached::Made)), why);
    let request = RestoreRequest::of_slot(SLOT).replacing().allowing(Allow::Attached);
    let allowed = planned(&request, volumes.clone(), snapshots());
    assert_eq!(allowed.standing(&all(), &volumes, Reached::Made), Standing::Clear);
}

#[test]
fn a_new_volume_gets_its_tags_before_its_marks_are_taken_and_only_while_it_is_available() {
    let taggings = plan().taggings(&all(), &listed(Reached::Retired)).expect("it can be done");
    assert_eq!(taggings.len(), 3);
    for (member, change) in &taggings {
        assert_eq!(change.write, kops_tags(member.as_str()));
        assert_eq!(change.take.keys().collect::<Vec<_>>(), [tags::LINEAGE, tags::RESTORE]);
    }
    for state in [VolumeState::Creating, VolumeState::InUse, VolumeState::Error, VolumeState::Deleting] {
        let volumes = with(Reached::Retired, "vol-new-b", |volume| volume.in_state(state));
        let error = plan().taggings(&all(), &volumes).expect_err("it must not be found");
        assert_eq!(error, format!("vol-new-b is `{state}`, not `available`: detach it"));
    }
    let detaching =
        with(Reached::Retired, "vol-new-b", |volume| volume.attached_to("i-1").in_state(VolumeState::Available));
    assert!(plan().taggings(&all(), &detaching).is_err());
    // Its master has taken it already: what is left is to take the marks.
    let tagged = with(Reached::Retired, "vol-new-b", |mut volume| {
        volume.tags.extend(kops_tags("b"));
        volume.attached_to("i-1")
    });
    let taggings = plan().taggings(&all(), &tagged).expect("it can be done");
    assert!(taggings[1].1.write.is_empty() && taggings[1].1.take.len() == 2);
}

#[test]
fn a_volume_that_is_live_is_not_tagged_again() {
    let live = live_volume("a").attached_to("i-1");
    let new = [live, new_volume("b", ID), new_volume("c", ID)];
    let volumes: Vec<Volume> = listed(Reached::Retired).into_iter().take(3).chain(new).collect();
    let labelled = snapshots().into_iter().map(|snapshot| snapshot.tagged("team", "x")).collect();
    let plan = planned(&RestoreRequest::of_slot(SLOT).replacing(), volumes.clone(), labelled);
    let taggings = plan.taggings(&all(), &volumes).expect("it can be done");
    let ids: Vec<&str> = taggings.iter().map(|(_, change)| change.volume.as_str()).collect();
    assert_eq!(ids, ["vol-new-b", "vol-new-c"]);
}

#[test]
fn withdrawing_makes_this_restores_volumes_nobodys_and_leaves_others_alone() {
    let mut volumes = and(Reached::Tagged, rival(EARLIER_ID, true));
    for change in plan().withdrawals(&all(), &volumes, now()) {
        let volume = volumes.iter_mut().find(|volume| volume.id == change.volume).expect("it is listed");
        *volume = volume.clone().changed(&change);
    }
    for volume in &volumes {
        let is_own = volume.id.as_str().starts_with("vol-new-");
        assert_eq!(parking::discovery(&volume.tags).is_empty(), volume.id.as_str() != "vol-rival", "{}", volume.id);
        assert_eq!(parking::is_retired(&volume.tags), volume.id.as_str() != "vol-rival");
        assert!(!is_own || !volume.tags.contains_key(tags::REPLACED_BY));
    }
    assert_eq!(plan().withdrawals(&all(), &volumes, now()), Vec::new(), "once is enough");
}

#[test]
fn of_a_volume_that_is_live_only_what_makes_it_so_is_waited_for() {
    let labelled = || snapshots().into_iter().map(|snapshot| snapshot.tagged("team", "x")).collect();
    let new = [live_volume("a"), new_volume("b", ID), new_volume("c", ID)];
    let volumes = listed(Reached::Retired).into_iter().take(3).chain(new).collect();
    let plan = planned(&RestoreRequest::of_slot(SLOT).replacing(), volumes, labelled());
    let mut tagged = listed(Reached::Tagged);
    for volume in tagged.iter_mut().filter(|volume| ["vol-new-b", "vol-new-c"].contains(&volume.id.as_str())) {
        volume.tags.insert("team".to_owned(), "x".to_owned());
    }
    assert_eq!(in_words(plan.standing(&all(), &tagged, Reached::Tagged)), "clear");
}

#[test]
fn a_restore_without_old_volumes_retires_none() {
    let plan = planned(&RestoreRequest::of_slot(SLOT), Vec::new(), vec![of_one().1]);
    assert_eq!(plan.retirements(&made(&["a"]), &[new_volume("a", ID)], now()), Ok(Vec::new()));
}
