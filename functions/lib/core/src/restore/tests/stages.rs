//! Members tagged in stages.

use super::super::{Allow, Done, Reached, RestoreRequest, Standing, StepName, report_applied, report_plan};
use super::fixtures::{
    ID, SLOT, in_the_way, live_volume, made, member, new_volume, now, of_slot, old_volume, old_volumes, planned,
    retired, snapshots, staged_point, stages, try_plan, verified_point, volume_id,
};
use crate::backup::tests::fixtures::{MEMBERS, point, stood};
use crate::ids::{Member, VolumeId};
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags;
use crate::volume::{Volume, VolumeState};

const STAGES: [&[&str]; 2] = [&["a", "c"], &["b"]];

fn staged() -> Vec<Snapshot> {
    staged_point().observed()
}

/// The new volume that waits for the second stage.
fn waiting(name: &str) -> Volume {
    new_volume(name, ID).tagged(tags::STAGE, "2/2")
}

/// What EC2 lists when the first stage is tagged, and its members have run for so long.
fn after_the_first_stage(seconds: i64) -> Vec<Volume> {
    let live = ["a", "c"].map(|name| live_volume(name).attached_for(seconds));
    [MEMBERS.map(retired).to_vec(), live.to_vec(), vec![waiting("b")]].concat()
}

fn second() -> RestoreRequest {
    RestoreRequest::of_slot(SLOT).of_members(&MEMBERS).applying(&STAGES, 2)
}

#[test]
fn a_set_that_could_get_stuck_is_planned_in_stages_and_says_why() {
    let plan = planned(&of_slot(), old_volumes(), staged());
    assert_eq!((stages(&plan), in_the_way(&plan)), (vec![vec!["c", "a"], vec!["b"]], vec![]));
    let of_members: Vec<usize> = plan.members.iter().map(|member| member.stage).collect();
    assert_eq!(of_members, [1, 2, 1]);
    let order = plan.set.as_ref().and_then(|set| set.order()).expect("an order");
    assert!(!order.any_order && !order.why.is_empty(), "{order:?}");
    assert_eq!(plan.apply.stages, Some(vec![vec!["c".to_owned(), "a".to_owned()], vec!["b".to_owned()]]));
    assert_eq!(plan.apply.stage, None);
    let marks: Vec<Option<&String>> = plan.members.iter().map(|one| one.new.tags.get(tags::STAGE)).collect();
    assert_eq!(marks, [Some(&"1/2".to_owned()), Some(&"2/2".to_owned()), Some(&"1/2".to_owned())]);
}

#[test]
fn a_set_that_is_safe_in_any_order_has_one_stage_and_no_marks() {
    let plan = planned(&of_slot(), old_volumes(), snapshots());
    assert_eq!(stages(&plan), [["a", "b", "c"]]);
    assert!(plan.members.iter().all(|member| !member.new.tags.contains_key(tags::STAGE)));
    assert_eq!(plan.then, None);
}

#[test]
fn an_unknown_position_is_refused_with_the_event_that_has_it_read() {
    for unread in ["", "ok at=then revision=7 index=9 term=2"] {
        let snapshots = || staged_point().found("b", unread).observed();
        let plan = planned(&of_slot(), old_volumes(), snapshots());
        assert_eq!(in_the_way(&plan), ["PositionUnknown"]);
        let event =
            r#"{"cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "2026-11-23T02:00:00Z"}"#;
        assert!(plan.refusals[0].message.contains(event), "{}", plan.refusals[0]);
        let plan = planned(&of_slot().allowing(Allow::Unordered), old_volumes(), snapshots());
        assert_eq!((in_the_way(&plan), stages(&plan)), (vec![], vec![vec!["a", "b", "c"]]));
        assert!(plan.warnings.iter().any(|warning| warning.starts_with("`allow_unordered`: ")), "{:?}", plan.warnings);
        let plan = planned(&of_slot().for_inspection(), old_volumes(), snapshots());
        assert_eq!(in_the_way(&plan), Vec::<&str>::new(), "what is only looked at is not started");
    }
}

#[test]
fn an_order_that_is_known_is_kept_whatever_is_allowed() {
    let plan = planned(&of_slot().allowing(Allow::Unordered), old_volumes(), staged());
    assert_eq!((in_the_way(&plan), stages(&plan)), (vec![], vec![vec!["c", "a"], vec!["b"]]));
    assert!(!plan.warnings.iter().any(|warning| warning.contains("allow_unordered")), "{:?}", plan.warnings);
}

#[test]
fn a_set_that_contradicts_itself_is_refused_whatever_is_allowed() {
    let snapshots = || verified_point().of_another_etcd("c").observed();
    for request in [of_slot(), of_slot().allowing(Allow::Unordered)] {
        assert_eq!(in_the_way(&planned(&request, old_volumes(), snapshots())), ["SetContradicts"]);
    }
    let without = of_slot().of_members(&["a", "b"]).emptying_others();
    assert_eq!(in_the_way(&planned(&without, old_volumes(), snapshots())), Vec::<&str>::new());
    let alone = of_slot().of_members(&["a"]).for_inspection();
    assert_eq!(in_the_way(&planned(&alone, old_volumes(), snapshots())), Vec::<&str>::new());
}

#[test]
fn a_set_that_contradicts_itself_is_refused_with_the_events_that_restore_what_agrees() {
    let plan = planned(&of_slot(), old_volumes(), verified_point().of_another_etcd("c").observed());
    let message = &plan.refusals[0].message;
    let of_point = r#"{"mode": "plan", "cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "2026-11-23T02:00:00Z", "members": "#;
    for fields in [r#"["a", "b"], "others": "empty", "replace": true}"#, r#"["a"], "cut_over": false}"#] {
        assert!(message.contains(&format!("{of_point}{fields}")), "{message}");
    }
    assert!(message.contains("; a and b agree with each other; the best single member is a. Started"), "{message}");
    let unlike = verified_point().of_another_etcd("c").stood("a", 100, 101);
    let plan = planned(&of_slot(), old_volumes(), unlike.observed());
    assert!(!plan.refusals[0].message.contains("others"), "nothing says who is right: {}", plan.refusals[0]);
}

#[test]
fn an_apply_that_names_other_stages_than_the_positions_make_is_refused_until_it_has_begun() {
    for other in [&[&["a", "b", "c"][..]][..], &[&["a", "b"], &["c"]]] {
        let plan = planned(&of_slot().applying(other, 1), old_volumes(), staged());
        assert_eq!(in_the_way(&plan), ["PlanChanged"], "{other:?}");
    }
    let plan = planned(&of_slot().applying(&STAGES, 1), old_volumes(), staged());
    assert_eq!((in_the_way(&plan), plan.stage), (vec![], 1));
    // What has begun goes on as it was planned, whatever is written on the snapshots since.
    let begun = || [old_volumes(), MEMBERS.map(|name| new_volume(name, ID)).to_vec()].concat();
    let plan = planned(&of_slot().applying(&STAGES, 1), begun(), verified_point().of_another_etcd("c").observed());
    assert_eq!((in_the_way(&plan), stages(&plan)), (vec![], vec![vec!["a", "c"], vec!["b"]]));
}

#[test]
fn an_apply_of_several_members_without_stages_is_refused() {
    let plan = planned(&of_slot().applying(&[], 1), old_volumes(), staged());
    assert_eq!(in_the_way(&plan), ["InvalidRequest"]);
    assert_eq!(plan.refusals[0].message, "stages: is missing; plan first");
    let refusal = try_plan(&of_slot().applying(&[&["a", "b"]], 1), old_volumes(), staged()).expect_err("c is missing");
    assert!(refusal.message.starts_with("stages: name a, b, but a, b, c are restored"), "{refusal}");
}

#[test]
fn the_first_stage_retires_all_old_volumes_and_tags_its_own_alone() {
    let new = ["a", "c"].map(|name| new_volume(name, ID).tagged(tags::STAGE, "1/2"));
    let volumes = [old_volumes(), new.to_vec(), vec![waiting("b")]].concat();
    let plan = planned(&of_slot().applying(&STAGES, 1), volumes.clone(), staged());
    let of = |changes: Vec<(Member, super::super::TagChange)>| -> Vec<String> {
        changes.into_iter().map(|(member, _)| member.to_string()).collect()
    };
    assert_eq!(of(plan.retirements(&plan.made(), &volumes, now()).expect("they can be")), ["a", "b", "c"]);
    let taggings = plan.taggings(&plan.made(), &volumes).expect("they can be");
    assert!(taggings.iter().all(|(_, change)| change.take.contains_key(tags::STAGE)), "{taggings:?}");
    assert_eq!(of(taggings), ["a", "c"]);
    let after = after_the_first_stage(5);
    assert_eq!(plan.standing(&plan.made(), &after, Reached::Tagged), Standing::Clear);
    let expected: Vec<VolumeId> = plan.expected(&plan.made()).into_iter().map(|one| one.volume).collect();
    assert_eq!(expected, [volume_id("vol-new-a"), volume_id("vol-new-c")]);
    let done = planned(&of_slot().applying(&STAGES, 1), after, staged());
    assert!(done.is_done());
}

#[test]
fn the_answer_to_the_first_stage_has_the_event_of_the_second() {
    let plan = planned(&of_slot().applying(&STAGES, 1), old_volumes(), staged());
    let mut done = Done { made: made(&MEMBERS), passed: Some(StepName::Accept), ..Done::default() };
    done.step(StepName::Tag, &member("a"));
    let result = report_applied(&plan, &done);
    assert_eq!((result.stage, result.of_stages), (Some(1), Some(2)));
    let then = result.then.expect("an event");
    assert_eq!((then.stage, &then.stages, then.replace), (Some(2), &plan.apply.stages, None));
    assert_eq!((&then.id, &then.recovery_point), (&plan.apply.id, &plan.apply.recovery_point));
    let told: Vec<(StepName, Option<usize>)> =
        result.steps.iter().rev().take(3).map(|one| (one.step, one.stage)).collect();
    assert_eq!(told, [(StepName::Accept, Some(1)), (StepName::Tag, Some(1)), (StepName::Tag, Some(1))]);
    assert!(result.next_steps.iter().any(|step| step.contains("event under `then`")), "{:?}", result.next_steps);
    let whole = report_plan(&planned(&of_slot(), old_volumes(), staged()), &old_volumes());
    let tagged = whole.steps.iter().filter(|step| step.step == StepName::Tag).map(|step| step.stage);
    assert_eq!(tagged.collect::<Vec<_>>(), [Some(1), Some(1), Some(2)], "a plan tells of both");
}

#[test]
fn the_second_stage_waits_until_the_first_is_attached_for_a_minute() {
    for (volumes, way) in [
        (after_the_first_stage(59), vec!["QuorumNotUp"]),
        (after_the_first_stage(60), vec![]),
        (
            [MEMBERS.map(retired).to_vec(), vec![live_volume("a"), live_volume("c"), waiting("b")]].concat(),
            vec!["QuorumNotUp"],
        ),
    ] {
        assert_eq!(in_the_way(&planned(&second(), volumes.clone(), staged())), way);
        let allowed = second().allowing(Allow::Unattached);
        assert_eq!(in_the_way(&planned(&allowed, volumes, staged())), Vec::<&str>::new());
    }
    // One of the two is not there: what is allowed does not put it in its place.
    let mut one_missing = after_the_first_stage(60);
    one_missing.retain(|volume| volume.id != volume_id("vol-new-c"));
    one_missing.retain(|volume| volume.id != volume_id("vol-c"));
    let plan = planned(&second().allowing(Allow::Unattached), one_missing, staged());
    assert_eq!(in_the_way(&plan), ["QuorumNotUp"]);
    assert!(plan.refusals[0].message.contains("send the event of the first stage"), "{}", plan.refusals[0]);
}

#[test]
fn an_old_volume_that_is_still_attached_is_in_the_way_of_the_second_stage() {
    let mut volumes = after_the_first_stage(60);
    volumes[1] = retired("b").attached_to("i-2");
    let plan = planned(&second(), volumes.clone(), staged());
    assert_eq!(in_the_way(&plan), ["VolumeAttached"]);
    assert!(plan.refusals[0].message.starts_with("vol-b, which this restore has retired"), "{}", plan.refusals[0]);
    assert_eq!(in_the_way(&planned(&second().allowing(Allow::Attached), volumes, staged())), Vec::<&str>::new());
}

#[test]
fn what_claims_a_member_beside_the_volume_that_waits_is_not_called_replaceable() {
    let volumes = [after_the_first_stage(60), vec![old_volume("b").named("vol-twin")]].concat();
    let plan = planned(&second(), volumes, staged());
    assert_eq!(in_the_way(&plan), ["MemberClaimed"]);
    let message = &plan.refusals[0].message;
    assert!(message.contains("vol-twin") && message.contains("take its etcd tag and `Name` away"), "{message}");
    assert!(!message.contains("`replace`"), "the second stage takes no such field: {message}");
}

#[test]
fn the_second_stage_makes_and_retires_nothing_and_tags_what_waits() {
    let volumes = after_the_first_stage(60);
    let plan = planned(&second(), volumes.clone(), staged());
    assert_eq!(plan.retirements(&plan.made(), &volumes, now()), Ok(Vec::new()));
    let taggings = plan.taggings(&plan.made(), &volumes).expect("it can be");
    assert_eq!(taggings.iter().map(|(_, change)| change.volume.as_str()).collect::<Vec<_>>(), ["vol-new-b"]);
    let expected = plan.expected(&plan.made()).len();
    assert_eq!((expected, plan.is_done(), plan.then.is_none()), (3, false, true));
    let mut tagged = volumes;
    tagged.pop();
    tagged.push(live_volume("b"));
    let again = planned(&second(), tagged, staged());
    assert!(again.is_done() && again.refusals.is_empty(), "{:?}", again.refusals);
}

#[test]
fn a_second_stage_without_a_volume_that_waits_makes_none() {
    let mut volumes = after_the_first_stage(60);
    volumes.retain(|volume| !["vol-new-b", "vol-b"].contains(&volume.id.as_str()));
    let plan = planned(&second(), volumes, staged());
    assert_eq!(in_the_way(&plan), ["InvalidRequest"]);
    assert!(plan.refusals[0].message.contains("has no volume that waits for member b"), "{}", plan.refusals[0]);
}

#[test]
fn a_second_stage_whose_snapshot_is_gone_is_not_called_done() {
    let without_b = vec![staged().remove(0), staged().remove(2)];
    let plan = planned(&second(), after_the_first_stage(60), without_b);
    assert_eq!(in_the_way(&plan), ["IncompleteRecoveryPoint"]);
    // What was found since is not asked of a restore that has begun.
    let corrupt = staged_point().found("b", "corrupt reason=crc").observed();
    assert_eq!(in_the_way(&planned(&second(), after_the_first_stage(60), corrupt)), Vec::<&str>::new());
}

#[test]
fn whatever_ends_the_second_stage_only_its_own_volume_is_withdrawn() {
    let volumes = after_the_first_stage(60);
    let plan = planned(&second(), volumes.clone(), staged());
    let rival = old_volume("b").named("vol-rival");
    let with_rival = [volumes.clone(), vec![rival]].concat();
    assert!(matches!(plan.standing(&plan.made(), &with_rival, Reached::Made), Standing::Withdraw(_)));
    let withdrawn: Vec<VolumeId> =
        plan.withdrawals(&plan.made(), &volumes, now()).into_iter().map(|change| change.volume).collect();
    assert_eq!(withdrawn, [volume_id("vol-new-b")], "the others run");
}

#[test]
fn five_members_start_with_three_and_their_settings_need_not_be_said_again() {
    let io2 = waiting("b");
    let io2 = Volume { volume_type: "io2".to_owned(), ..io2 };
    let mut volumes = after_the_first_stage(60);
    volumes.pop();
    volumes.push(io2);
    assert_eq!(in_the_way(&planned(&second(), volumes, staged())), Vec::<&str>::new());
}

#[test]
fn a_plan_of_a_restore_between_its_stages_gives_the_next_event() {
    let request = RestoreRequest::of_slot(SLOT).replacing();
    let volumes = after_the_first_stage(60);
    let result = report_plan(&planned(&request, volumes.clone(), staged()), &volumes);
    assert_eq!(result.apply.expect("an event").stage, Some(2));
}

#[test]
fn a_roll_back_says_by_how_many_revisions() {
    let newer = |last: u64| {
        let newer = point("2026-11-23T03:00:00Z", &[SnapshotState::Completed; 3]).verified();
        newer.stood("a", last, last).observed()
    };
    let told = |snapshots: Vec<Snapshot>| planned(&of_slot(), old_volumes(), snapshots).steps_after.concat();
    let all = |newer: Vec<Snapshot>| staged().into_iter().chain(newer).collect();
    let said = "goes back by at least 352 revisions, from 1000 (point 2026-11-23T03:00:00Z) to about 648";
    assert!(told(all(newer(1000))).contains(said), "{}", told(all(newer(1000))));
    assert!(told(all(newer(648))).contains("goes back to 2026-11-23T02:00:00Z"), "nothing is known to be lost");
    let other = stood("a", 1000, 1000).replace("cluster=c1", "cluster=c2");
    let of_another: Vec<Snapshot> = newer(1000).into_iter().map(|one| one.tagged(tags::VERIFIED, &other)).collect();
    assert!(told(all(of_another)).contains("goes back to 2026-11-23T02:00:00Z"), "a new etcd is another history");
}

#[test]
fn a_waiting_volume_that_failed_ends_only_its_own_stage() {
    let mut volumes = after_the_first_stage(60);
    let plan = planned(&second(), volumes.clone(), staged());
    let last = volumes.pop().expect("the one that waits");
    volumes.push(last.in_state(VolumeState::Error));
    assert!(matches!(plan.available(&plan.made(), &volumes, true), Standing::Withdraw(_)));
    let withdrawn = plan.withdrawals(&plan.made(), &volumes, now());
    assert_eq!(withdrawn.len(), 1, "{withdrawn:?}");
}
