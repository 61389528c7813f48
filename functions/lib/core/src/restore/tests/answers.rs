//! The answers to a plan, an apply and an undo, and what the operator is told to do.

use super::super::{
    Allow, Done, MemberReport, Observed, Outcome, RestorePlan, RestoreRequest, RestoreResult, StepName, StepState,
    UndoRequest, parking, plan, plan_undo, report_applied, report_interrupted, report_plan, report_undo,
};
use super::fixtures::{
    ID, SLOT, id, kops_tags, live_volume, made, master, member, new_volume, now, of_one, of_slot, old_volume,
    old_volumes, planned, settings, snapshots, undo_of, volume_id,
};
use crate::backup::tests::fixtures::MEMBERS;
use crate::ids::{Member, VolumeId};
use crate::volume::{Volume, VolumeState};

/// One line a step: `retire a vol-a planned`.
fn steps(result: &RestoreResult) -> Vec<String> {
    let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let line = |step: &super::super::StepReport| {
        let (member, volume) = (step.member.as_ref().map(Member::as_str), step.volume.as_ref().map(VolumeId::as_str));
        format!("{:?} {} {} {:?}", step.step, or_none(member), or_none(volume), step.state).to_lowercase()
    };
    result.steps.iter().map(line).collect()
}

fn retired(volume: &Volume) -> Volume {
    let new = volume_id(&volume.id.as_str().replace("vol-", "vol-new-"));
    let retirement = parking::retire(volume, Some(&id()), Some(&new), now()).expect("it fits");
    volume.clone().changed(&retirement)
}

#[test]
fn a_plan_says_all_steps_in_order_with_what_they_would_do() {
    let result = report_plan(&planned(&of_slot(), old_volumes(), snapshots()), &old_volumes());
    assert_eq!(result.outcome, Outcome::Planned);
    assert_eq!(
        steps(&result),
        [
            "create a - planned",
            "create b - planned",
            "create c - planned",
            "wait a - planned",
            "wait b - planned",
            "wait c - planned",
            "retire a vol-a planned",
            "retire b vol-b planned",
            "retire c vol-c planned",
            "tag a - planned",
            "tag b - planned",
            "tag c - planned",
            "accept - - planned",
        ]
    );
    let shown = |name, of: &str| {
        result.steps.iter().find(|step| step.step == name && step.member == Some(member(of))).expect("the step")
    };
    assert_eq!(shown(StepName::Create, "a").settings.as_ref().map(|settings| settings.size_gib), Some(20));
    assert_eq!(shown(StepName::Retire, "b").tags, Some(kops_tags("b")));
    assert_eq!(shown(StepName::Tag, "c").tags, Some(kops_tags("c")));
    assert_eq!((result.undo.is_none(), result.apply.is_some(), result.skew_ms), (true, true, Some(0)));
    assert!(result.acceptance.is_some_and(|acceptance| acceptance.is_ok()));
    assert_eq!(
        result.members[0],
        MemberReport {
            member: member("a"),
            snapshot: Some(super::fixtures::snapshot_of("a")),
            owner: Some("123456789012".to_owned()),
            zone: crate::ids::Zone::parse("eu-central-1a").ok(),
            old_volume: Some(volume_id("vol-a")),
            new_volume: None,
            stage: Some(1),
        }
    );
}

#[test]
fn a_plan_that_cannot_be_applied_says_why_and_gives_no_apply() {
    let result = report_plan(&planned(&RestoreRequest::of_slot(SLOT), old_volumes(), snapshots()), &old_volumes());
    assert_eq!((result.outcome, result.apply, result.refusals.len()), (Outcome::Planned, None, 3));
}

#[test]
fn a_plan_for_inspection_makes_volumes_and_nothing_else() {
    let plan = planned(&RestoreRequest::of_slot(SLOT).for_inspection(), old_volumes(), snapshots());
    let result = report_plan(&plan, &old_volumes());
    assert!(result.steps.iter().all(|step| matches!(step.step, StepName::Create | StepName::Wait)));
    assert_eq!((result.steps.len(), result.acceptance), (6, None));
    let done = Done { made: made(&MEMBERS), passed: Some(StepName::Wait), ..Done::default() };
    assert_eq!(report_applied(&plan, &done).undo, None, "they are nobody's");
}

#[test]
fn the_plan_of_a_restore_that_was_begun_says_what_is_done_already() {
    let (old, snapshot) = of_one();
    let plan = |volumes: &[Volume]| planned(&of_slot(), volumes.to_vec(), vec![snapshot.clone()]);
    let said = |volumes: &[Volume]| steps(&report_plan(&plan(volumes), volumes));
    let creating = new_volume("a", ID).in_state(VolumeState::Creating);
    let begun = ["create a vol-new-a already", "wait a vol-new-a planned", "retire a vol-a planned"];
    assert_eq!(said(&[old.clone(), creating])[..3], begun);
    assert_eq!(
        said(&[retired(&old), new_volume("a", ID)]),
        [
            "create a vol-new-a already",
            "wait a vol-new-a already",
            "retire a vol-a already",
            "tag a vol-new-a planned",
            "accept - - planned",
        ]
    );
    let live = live_volume("a").tagged("k8s.io/etcd/main", "a/a");
    let done = said(&[retired(&old), live]);
    assert!(done.len() == 5 && done.iter().all(|step| step.ends_with(" already")), "{done:?}");
}

#[test]
fn an_apply_says_what_it_did_and_how_to_take_it_back() {
    let plan = planned(&of_slot(), old_volumes(), snapshots());
    let mut done = Done { made: made(&MEMBERS), passed: Some(StepName::Accept), ..Done::default() };
    for name in [StepName::Create, StepName::Wait, StepName::Retire, StepName::Tag] {
        done.step(name, &member("a"));
    }
    let result = report_applied(&plan, &done);
    assert_eq!(result.outcome, Outcome::Applied);
    for step in &result.steps {
        let expected = if step.member == Some(member("a")) { StepState::Done } else { StepState::Already };
        assert_eq!(step.state, expected, "{step:?}");
    }
    assert_eq!(result.members[1].new_volume, Some(volume_id("vol-new-b")));
    let undo = result.undo.expect("an undo");
    let volumes = undo.volumes.expect("volumes");
    assert_eq!(
        volumes.iter().map(|(member, id)| format!("{member} {id}")).collect::<Vec<_>>(),
        ["a vol-new-a", "b vol-new-b", "c vol-new-c"]
    );
    assert_eq!((undo.cluster.as_deref(), undo.etcd_cluster.as_deref()), (Some("k8s.example.com"), Some("main")));
}

#[test]
fn an_apply_that_is_not_accepted_says_so() {
    let plan = planned(&of_slot(), Vec::new(), vec![of_one().1]);
    let acceptance = super::super::acceptance(&[], &plan.expected(&made(&["a"])));
    let result = report_applied(&plan, &Done { made: made(&["a"]), acceptance: Some(acceptance), ..Done::default() });
    assert!(result.warnings.iter().any(|warning| warning.contains("kops: member a: it does not find vol-new-a")));
}

#[test]
fn an_interrupted_apply_says_how_far_it_came_and_how_to_take_it_back() {
    let plan = planned(&of_slot(), old_volumes(), snapshots());
    let mut done = Done { made: made(&["a", "b"]), ..Done::default() };
    done.step(StepName::Create, &member("a"));
    done.step(StepName::Create, &member("b"));
    let result = report_interrupted(&plan, &done);
    assert_eq!(result.outcome, Outcome::Interrupted);
    assert_eq!(steps(&result)[..3], ["create a vol-new-a done", "create b vol-new-b done", "create c - planned"]);
    assert!(result.steps[3..].iter().all(|step| step.state == StepState::Planned));
    assert_eq!(result.undo.and_then(|undo| undo.volumes).map(|volumes| volumes.len()), Some(2));
    assert_eq!(report_interrupted(&plan, &Done::default()).undo, None, "there is nothing to take back");
}

#[test]
fn an_undo_says_what_it_did() {
    let volumes = vec![retired(&old_volume("a")), live_volume("a")];
    let observed = Observed { volumes, ..Observed::default() };
    let plan = plan_undo(&observed, &undo_of(&[("a", "vol-new-a")]).naming_old(&observed.volumes)).expect("a plan");
    let mut done = Done { passed: Some(StepName::Accept), ..Done::default() };
    done.step(StepName::Retire, &member("a"));
    let result = report_undo(&plan, &done, false);
    assert_eq!(steps(&result), ["retire a vol-new-a done", "tag a vol-a already", "accept - - already"]);
    assert_eq!((result.outcome, result.undo.is_none()), (Outcome::Undone, true));
    assert_eq!(result.members[0].old_volume, Some(volume_id("vol-a")));
    assert_eq!(result.members[0].new_volume, Some(volume_id("vol-new-a")));
    let result = report_undo(&plan, &Done::default(), true);
    assert_eq!(result.outcome, Outcome::Interrupted);
    assert_eq!(result.undo.and_then(|undo| undo.volumes).map(|volumes| volumes.len()), Some(1));
}

#[test]
fn an_interrupted_undo_names_again_all_that_its_event_named() {
    let done = parking::give_back(&retired(&old_volume("b"))).expect("it can be read");
    let retirement = parking::retire(&live_volume("b"), None, None, now()).expect("it fits");
    let b = [retired(&old_volume("b")).changed(&done), live_volume("b").changed(&retirement)];
    let volumes = [vec![retired(&old_volume("a")), live_volume("a")], b.to_vec()].concat();
    let request = UndoRequest {
        old_volumes: Some(["vol-a", "vol-b"].map(volume_id).into()),
        ..undo_of(&[("a", "vol-new-a"), ("b", "vol-new-b")])
    };
    let plan = plan_undo(&Observed { volumes, ..Observed::default() }, &request).expect("a is left");
    assert_eq!(plan.members.len(), 1, "{plan:?}");
    let undo = report_undo(&plan, &Done::default(), true).undo.expect("it goes on");
    assert_eq!(undo.volumes.map(|volumes| volumes.len()), Some(2));
    assert_eq!(undo.old_volumes, Some(vec!["vol-a".to_owned(), "vol-b".to_owned()]));
}

/// Three masters in groups, one in none.
fn observed(volumes: Vec<Volume>) -> Observed {
    let masters = vec![
        master("i-a", "eu-central-1a", Some("masters-a")),
        master("i-a2", "eu-central-1a", Some("masters-a")),
        master("i-b", "eu-central-1b", Some("masters-b")),
        master("i-c", "eu-central-1c", None),
    ];
    Observed { volumes, snapshots: snapshots(), masters, warnings: Vec::new() }
}

fn planned_with_masters(request: &RestoreRequest, volumes: Vec<Volume>) -> RestorePlan {
    plan(&observed(volumes), request, &settings(), now()).expect("a plan")
}

/// The first step that begins so.
fn at(steps: &[String], begins: &str) -> usize {
    steps.iter().position(|step| step.starts_with(begins)).unwrap_or_else(|| panic!("{begins}: {steps:#?}"))
}

#[test]
fn the_operator_is_told_what_to_do_in_order_with_instances_and_groups() {
    let mut volumes = old_volumes();
    volumes[1] = old_volume("b").attached_to("i-b");
    volumes[2] = old_volume("c").attached_to("i-other");
    let plan = planned_with_masters(&of_slot().allowing(Allow::Attached), volumes);
    let before = &plan.steps_before;
    let order = [
        "Pause whatever runs `kops update cluster`",
        "Note the sizes of these Auto Scaling groups, and set the minimum and desired capacity of each to 0: masters-a (i-a, \
         i-a2), masters-b (i-b)",
        "Stop these instances, which are of no Auto Scaling group: i-c",
        "Stop these instances, or detach their volumes: i-other",
        "Wait until these volumes are `available`: vol-b, vol-c",
        "Send the event under `apply`",
    ];
    assert_eq!(order.map(|step| at(before, step)), [0, 1, 2, 3, 4, 5], "{before:#?}");
    let after = &plan.steps_after;
    let order = [
        "Start etcd, all masters together",
        "Check etcd",
        "main of k8s.example.com goes back to 2026-11-23T02:00:00Z: what was written since is lost. Nodes, controllers",
        "Where API servers are gone that were there at the point",
        "Where clients outside the cluster watch etcd too",
        "Let `kops update cluster` run again",
        "Keep the",
    ];
    assert_eq!(order.map(|step| at(after, step)), [0, 1, 2, 3, 4, 5, 6], "{after:#?}");
    assert!(after[0].contains("set these Auto Scaling groups back to their sizes: masters-a, masters-b; start i-c"));
    assert!(after[6].ends_with("vol-a, vol-b, vol-c"), "{after:#?}");
    let result = report_plan(&plan, &old_volumes());
    assert_eq!(result.next_steps, [&before[..], &after[..]].concat());
    let applied = report_applied(&plan, &Done { made: made(&MEMBERS), ..Done::default() });
    assert_eq!(applied.next_steps, *after, "what comes before has been done");
}

#[test]
fn of_one_member_only_its_own_masters_are_named() {
    let plan = planned_with_masters(&of_slot().of_members(&["a"]).allowing(Allow::Rollback), old_volumes());
    let said = plan.steps_before.concat();
    assert!(said.contains("masters-a") && !said.contains("masters-b") && !said.contains("i-c"), "{said}");
    // Unless another one holds its volume.
    let held = vec![old_volume("a").attached_to("i-b")];
    let request = of_slot().of_members(&["a"]).allowing(Allow::Rollback).allowing(Allow::Attached);
    assert!(planned_with_masters(&request, held).steps_before.concat().contains("masters-b"));
}

#[test]
fn where_no_master_is_known_the_operator_is_told_to_look() {
    let plan = planned(&of_slot(), old_volumes(), snapshots());
    at(&plan.steps_before, "See to it that no master of these members runs");
    assert!(plan.steps_after[0].contains("start the masters"), "{:?}", plan.steps_after);
}

#[test]
fn a_volume_for_inspection_stops_no_master() {
    let plan = planned_with_masters(&RestoreRequest::of_slot(SLOT).for_inspection(), old_volumes());
    assert_eq!(plan.steps_before, ["Send the event under `apply` of this answer to the restore function"]);
    assert!(plan.steps_after.len() == 1 && plan.steps_after[0].contains("read-only"), "{:?}", plan.steps_after);
}

#[test]
fn after_an_undo_the_masters_are_started_again() {
    let observed = observed(vec![retired(&old_volume("a")), live_volume("a")]);
    let plan = plan_undo(&observed, &undo_of(&[("a", "vol-new-a")]).naming_old(&observed.volumes)).expect("a plan");
    assert!(plan.steps_after[0].contains("back to their sizes: masters-a, masters-b"), "{:?}", plan.steps_after);
    at(&plan.steps_after, "Let `kops update cluster` run again");
    assert!(plan.steps_after.iter().any(|step| step.ends_with("retired, not deleted: vol-new-a")));
}

#[test]
fn warnings_name_what_is_dangerous() {
    let blank = old_volume("a").created_at("2026-11-23T02:10:00Z");
    let plan = planned(&of_slot(), vec![blank], snapshots());
    let has = |what: &str| plan.warnings.iter().any(|warning| warning.contains(what));
    assert!(has("vol-a was made blank after this snapshot"), "{:?}", plan.warnings);
    let (volume, snapshot) = of_one();
    assert_eq!(planned(&of_slot(), vec![volume], vec![snapshot]).warnings, Vec::<String>::new());
}
