//! An apply does what its plan showed, or nothing.

use super::super::{Apply, Described, Pins, RefusalKind, Request, RestorePlan, RestoreRequest, What};
use super::fixtures::{
    SLOT, id, in_the_way, live_volume, new_volume, of_slot, old_volume, old_volumes, planned, retired, snapshots,
    staged_point, undo_of, volume_id,
};
use crate::backup::tests::fixtures::MEMBERS;
use crate::scope::ClusterSet;
use crate::snapshot::Snapshot;
use crate::tags;
use crate::volume::Volume;

/// The apply of a plan, as its event gives it.
fn apply_of(plan: &RestorePlan) -> RestoreRequest {
    match Request::accept(plan.apply.clone(), &ClusterSet::All, id()) {
        Ok(Request::Apply(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn shown() -> RestoreRequest {
    apply_of(&planned(&of_slot(), old_volumes(), snapshots()))
}

/// Why the apply is refused, where that is because of a change.
fn changed(request: &RestoreRequest, volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> String {
    let plan = planned(request, volumes, snapshots);
    assert_eq!(in_the_way(&plan), ["PlanChanged"], "{:?}", plan.refusals);
    plan.refusals[0].message.clone()
}

/// A snapshot of the same member and slot that fits the others better.
fn closer(snapshots: &[Snapshot]) -> Snapshot {
    let b = &snapshots[1];
    let earlier = Snapshot { started: snapshots[0].started, ..b.clone() };
    Snapshot { id: crate::ids::SnapshotId::parse("snap-closer").expect("an id"), ..earlier }
}

/// [`snapshots`], but b's was taken a second later than the others.
fn skewed() -> Vec<Snapshot> {
    let mut skewed = snapshots();
    skewed[1].started += jiff::SignedDuration::from_secs(1);
    skewed
}

#[test]
fn what_is_as_the_plan_showed_it_is_applied() {
    let plan = planned(&shown(), old_volumes(), snapshots());
    assert_eq!(
        (in_the_way(&plan), plan.retire),
        (Vec::new(), MEMBERS.map(|name| volume_id(&format!("vol-{name}"))).into())
    );
}

#[test]
fn another_snapshot_of_the_slot_is_not_restored_in_place_of_the_one_that_was_shown() {
    let request = apply_of(&planned(&of_slot(), old_volumes(), skewed()));
    let more = [skewed(), vec![closer(&skewed())]].concat();
    let why = changed(&request, old_volumes(), more.clone());
    assert!(why.contains(&format!("from snap-closer, the plan showed snap-b-{SLOT}")), "{why}");
    // Once it has begun it goes on with what was shown.
    let begun = [old_volumes(), MEMBERS.map(|name| new_volume(name, id().as_str())).to_vec()].concat();
    let plan = planned(&request, begun, more);
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    assert_eq!(plan.members[1].new.snapshot.as_str(), format!("snap-b-{SLOT}"));
}

#[test]
fn whatever_else_would_be_retired_is_not() {
    let blank = old_volume("b").named("vol-blank").created_at("2026-11-23T02:28:00Z");
    let why = changed(&shown(), [old_volumes(), vec![blank.clone()]].concat(), snapshots());
    assert!(why.contains("vol-blank would be retired too"), "{why}");
    let why = changed(&shown(), old_volumes()[1..].to_vec(), snapshots());
    assert!(why.contains("vol-a would no longer be retired"), "{why}");
    // Beside a finished restore too: and then there is something to take back.
    let finished = [MEMBERS.map(live_volume), MEMBERS.map(retired)].concat();
    assert!(planned(&shown(), finished.clone(), snapshots()).is_done());
    let why = changed(&shown(), [finished, vec![blank]].concat(), snapshots());
    assert!(why.contains("vol-blank") && why.contains(r#""mode": "undo""#), "{why}");
}

#[test]
fn an_old_volume_that_was_deleted_once_the_restore_had_begun_is_no_change() {
    let volumes = [MEMBERS.map(live_volume).to_vec(), vec![retired("a"), retired("b")]].concat();
    let plan = planned(&shown(), volumes, snapshots());
    assert_eq!((in_the_way(&plan), plan.is_done()), (Vec::new(), true));
}

#[test]
fn an_impostor_among_the_retired_keeps_no_begun_restore_from_going_on_and_gets_nothing() {
    let impostor = Volume { tags: retired("a").tags, ..old_volume("a").named("vol-impostor") };
    let begun = [MEMBERS.map(retired), MEMBERS.map(|name| new_volume(name, id().as_str()))].concat();
    let plan = planned(&shown(), [begun, vec![impostor]].concat(), snapshots());
    assert_eq!(in_the_way(&plan), Vec::<&str>::new());
    assert_eq!(plan.retire, MEMBERS.map(|name| volume_id(&format!("vol-{name}"))).into());
}

#[test]
fn a_volume_that_kops_made_blank_since_the_plan_is_a_change_until_the_restore_has_begun() {
    let without_a = || snapshots().into_iter().skip(1).collect::<Vec<_>>();
    let request = apply_of(&planned(&of_slot().of_members(&["b", "c"]).emptying_others(), old_volumes(), without_a()));
    let blank = old_volume("a").named("vol-blank").created_at("2026-11-23T02:28:00Z");
    let why = changed(&request, [old_volumes(), vec![blank.clone()]].concat(), without_a());
    assert!(why.contains("vol-blank would be retired too"), "{why}");
    let begun = [old_volumes(), vec![blank], ["b", "c"].map(|name| new_volume(name, id().as_str())).to_vec()].concat();
    assert_eq!(in_the_way(&planned(&request, begun, without_a())), Vec::<&str>::new());
}

#[test]
fn settings_and_tags_of_the_new_volumes_are_those_that_were_shown() {
    // By its id a snapshot is restored whatever has become of its tags.
    let of_one = super::fixtures::of_one();
    let request = RestoreRequest {
        what: What::Snapshot(of_one.1.id.clone(), Described::default()),
        ..RestoreRequest::of_latest()
    };
    let apply = apply_of(&planned(&request, Vec::new(), vec![of_one.1.clone()]));
    assert_eq!(in_the_way(&planned(&apply, Vec::new(), vec![of_one.1.clone()])), Vec::<&str>::new());
    let dear = of_one.1.tags[tags::VOLUME].replace("iops=3000", "iops=16000");
    let apply = apply.allowing(super::super::Allow::Foreign);
    for changed_tags in
        [of_one.1.clone().tagged(tags::VOLUME, &dear), of_one.1.clone().tagged("etcd-backup/tags/1", "team=evil")]
    {
        let why = changed(&apply, Vec::new(), vec![changed_tags]);
        assert!(why.contains("no longer those that the plan showed"), "{why}");
    }
}

#[test]
fn the_second_stage_names_what_the_first_retired_and_so_does_its_undo() {
    let snapshots = staged_point().observed();
    let plan = planned(&of_slot(), old_volumes(), snapshots.clone());
    let then = plan.then.clone().expect("a second stage");
    assert_eq!((then.retire, then.plan), (plan.apply.retire.clone(), None));
    let request = of_slot().applying(&[&["c", "a"], &["b"]], 2);
    let stages = request.apply.expect("an apply").stages;
    let pins = Pins { retire: plan.retire.clone(), ..Pins::default() };
    let request = RestoreRequest { apply: Some(Apply { stages, stage: 2, pins }), replace: false, ..of_slot() };
    let second = planned(&request, MEMBERS.map(live_volume).to_vec(), snapshots);
    assert_eq!(second.retire, plan.retire);
}

#[test]
fn a_volume_that_bears_the_marks_of_a_retired_one_is_given_nothing_unless_the_undo_names_it() {
    use super::super::{Observed, plan_undo};
    let impostor = Volume { tags: retired("a").tags, ..old_volume("a").named("vol-impostor") };
    let volumes = vec![retired("a"), live_volume("a"), impostor];
    let observed = Observed { volumes, ..Observed::default() };
    let request = undo_of(&[("a", "vol-new-a")]);
    let refused = plan_undo(&observed, &request).expect_err("nothing is named");
    assert_eq!((refused[0].kind, refused.len()), (RefusalKind::InvalidRequest, 1));
    assert!(refused[0].message.starts_with("old_volumes: is missing"), "{}", refused[0]);
    assert!(refused[0].message.contains(r#""old_volumes": ["vol-a", "vol-impostor"]"#), "{}", refused[0]);
    let named = super::super::UndoRequest { old_volumes: Some([volume_id("vol-a")].into()), ..request };
    let plan = plan_undo(&observed, &named).expect("a plan");
    assert_eq!(plan.members[0].old.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["vol-a"]);
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("vol-impostor bears the marks")), "{plan:?}");
    // An undo that names none must not leave the member without a volume.
    let none = super::super::UndoRequest { old_volumes: Some([].into()), ..named };
    let refused = plan_undo(&observed, &none).expect_err("a would have no volume");
    assert_eq!((refused[0].kind, refused.len()), (RefusalKind::InvalidRequest, 1));
    assert!(refused[0].message.contains("would be left without a volume, and vol-a bears"), "{}", refused[0]);
}
