//! What a clock, a console or a second person can do to a restore.

use jiff::SignedDuration;

use super::super::{Event, Mode, Reached, RefusalKind, Request, RestoreId, plan, plan_undo};
use super::fixtures::{
    ID, SLOT, id, in_the_way, live_volume, made, master, new_volume, now, of_slot, old_volume, old_volumes, planned,
    retired, settings, snapshots, try_plan, undo_of, volume_id,
};
use crate::restore::Observed;
use crate::scope::ClusterSet;
use crate::tags;
use crate::volume::{Volume, VolumeState};

#[test]
fn a_plan_holds_for_a_day_unless_it_was_begun() {
    let at = |hours, volumes: Vec<Volume>| {
        let observed = Observed { volumes, snapshots: snapshots(), ..Observed::default() };
        let later = id().planned() + SignedDuration::from_hours(hours);
        plan(&observed, &of_slot(), &settings(), later).map(|_| ()).map_err(|refusal| refusal.message)
    };
    assert_eq!(at(24, old_volumes()), Ok(()));
    let error = at(25, old_volumes()).expect_err("a day is over");
    assert_eq!(error, format!("id: the plan {ID} is more than a day old; plan again"));
    let begun = ["a", "b", "c"].map(|member| new_volume(member, ID));
    assert_eq!(at(25, [old_volumes(), begun.to_vec()].concat()), Ok(()));
}

#[test]
fn an_id_of_the_future_is_refused() {
    let accept = |planned: &str| {
        let event = Event {
            mode: Some(Mode::Apply),
            cluster: Some("k8s.example.com".to_owned()),
            etcd_cluster: Some("main".to_owned()),
            recovery_point: Some(SLOT.to_owned()),
            id: Some(format!("{planned}-1a2b3c4d")),
            snapshots: Some(std::collections::BTreeMap::new()),
            retire: Some(Vec::new()),
            plan: Some("1f".to_owned()),
            ..Event::default()
        };
        let fresh = RestoreId::new("2026-11-23T02:15:00Z".parse().expect("a time"), 0);
        Request::accept(event, &ClusterSet::All, fresh).map(|_| ())
    };
    assert_eq!(accept("20261123T022000.000Z"), Ok(()), "two clocks may differ a little");
    let error = accept("20261123T022001.000Z").expect_err("of the future");
    assert!(error.starts_with("id: ") && error.contains("lies in the future; plan first"), "{error}");
}

#[test]
fn a_volume_to_which_the_client_token_led_is_not_retired_for_itself() {
    // The clock of the plan was ahead of EC2's: the live volume seems older than it.
    let ahead = live_volume("a").created_at("2026-11-23T02:14:59Z");
    let volumes = vec![ahead, live_volume("b"), live_volume("c")];
    let plan = planned(&of_slot(), volumes.clone(), snapshots());
    assert_eq!(plan.members[0].old, [volume_id("vol-new-a")]);
    let all = made(&["a", "b", "c"]);
    assert_eq!(plan.standing(&all, &volumes, Reached::Made), super::super::Standing::Clear);
    assert_eq!(plan.retirements(&all, &volumes, now()), Ok(Vec::new()));
    let writes: Vec<bool> =
        plan.taggings(&all, &volumes).expect("it can").iter().map(|(_, change)| change.write.is_empty()).collect();
    assert!(writes.iter().all(|nothing| *nothing), "{writes:?}");
}

#[test]
fn nothing_is_retired_for_a_volume_that_cannot_take_its_place() {
    let in_use = new_volume("b", ID).in_state(VolumeState::InUse);
    let volumes = [old_volumes(), vec![new_volume("a", ID), in_use, new_volume("c", ID)]].concat();
    let plan = planned(&of_slot(), volumes.clone(), snapshots());
    let error = plan.retirements(&plan.made(), &volumes, now()).expect_err("b is attached");
    assert_eq!(error, "vol-new-b is `in-use`, not `available`: detach it");
}

#[test]
fn a_claimant_that_the_role_may_not_touch_is_refused_though_it_may_be_replaced() {
    let mut volumes = old_volumes();
    volumes[1] = old_volume("b").without_tag(tags::CLUSTER);
    let plan = planned(&of_slot(), volumes, snapshots());
    assert_eq!(in_the_way(&plan), ["MemberClaimed"]);
    assert!(plan.refusals[0].message.contains("give it that tag"), "{}", plan.refusals[0]);
}

#[test]
fn the_event_of_a_partial_point_names_the_members_that_were_there() {
    use super::super::Allow;
    let two = vec![snapshots().remove(0), snapshots().remove(2)];
    let request = of_slot().allowing(Allow::Partial).allowing(Allow::Rollback);
    let plan = planned(&request, old_volumes(), two);
    assert_eq!(plan.apply.members, Some(vec!["a".to_owned(), "c".to_owned()]));
    assert_eq!(planned(&of_slot(), old_volumes(), snapshots()).apply.members, None);
}

#[test]
fn of_a_point_that_was_pruned_meanwhile_a_half_done_restore_is_named() {
    let volumes = vec![new_volume("a", ID)];
    let refusal = try_plan(&of_slot(), volumes, Vec::new()).expect_err("no point");
    assert_eq!(refusal.kind, RefusalKind::NoSuchRecoveryPoint);
    assert!(
        refusal.message.contains(&format!("the restore {ID} has begun; take it back: {{\"mode\": \"undo\"")),
        "{refusal}"
    );
    let refusal = try_plan(&of_slot(), old_volumes(), Vec::new()).expect_err("no point");
    assert!(!refusal.message.contains("has begun"), "{refusal}");
}

#[test]
fn members_of_one_restore_go_back_together() {
    let volumes = ["a", "b", "c"].iter().flat_map(|member| [retired(member), live_volume(member)]).collect();
    let observed = Observed { volumes, ..Observed::default() };
    let refusals = plan_undo(&observed, &undo_of(&[("a", "vol-new-a")]).naming_old(&observed.volumes))
        .expect_err("b and c stay behind");
    assert_eq!(refusals[0].kind, RefusalKind::MemberRollback);
    assert!(
        refusals[0].message.contains("{\"a\": \"vol-new-a\", \"b\": \"vol-new-b\", \"c\": \"vol-new-c\"}"),
        "{}",
        refusals[0]
    );
    let all = undo_of(&[("a", "vol-new-a"), ("b", "vol-new-b"), ("c", "vol-new-c")]);
    assert!(plan_undo(&observed, &all.naming_old(&observed.volumes)).is_ok());
}

#[test]
fn an_undo_first_gives_the_old_volumes_what_kops_alone_finds_them_by() {
    let volumes = vec![retired("a"), live_volume("a")];
    let observed = Observed { volumes: volumes.clone(), ..Observed::default() };
    let plan = plan_undo(&observed, &undo_of(&[("a", "vol-new-a")]).naming_old(&observed.volumes)).expect("a plan");
    let announced = plan.announcements(&volumes);
    assert_eq!(announced.len(), 1);
    assert_eq!(announced[0].write.keys().map(String::as_str).collect::<Vec<_>>(), [tags::CLUSTER, tags::NAME]);
    assert!(announced[0].take.is_empty() && announced[0].volume == volume_id("vol-a"));
    let again = plan.announcements(&[volumes[0].clone().changed(&announced[0]), volumes[1].clone()]);
    assert!(again.iter().all(|change| change.write.is_empty()), "{again:?}");
}

#[test]
fn a_master_that_is_gone_is_not_stopped_and_its_group_is_set_back() {
    let mut gone = master("i-a", "eu-central-1a", Some("masters-a"));
    gone.is_terminated = true;
    let masters = vec![gone, master("i-b", "eu-central-1b", Some("masters-b"))];
    let observed = Observed { volumes: old_volumes(), snapshots: snapshots(), masters, ..Observed::default() };
    let plan = plan(&observed, &of_slot(), &settings(), now()).expect("a plan");
    let before = plan.steps_before.concat();
    assert!(before.contains("masters-b (i-b)") && !before.contains("i-a") && !before.contains("masters-a"), "{before}");
    assert!(plan.steps_after[0].contains("back to their sizes: masters-a, masters-b"), "{:?}", plan.steps_after);
}
