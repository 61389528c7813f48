//! Restores that have not come to their end, as `list`, `plan` and `backup` tell of them.

use super::super::{RestoreRequest, UnderWay, under_way};
use super::fixtures::{
    ID, LATER_ID, SLOT, in_the_way, live_volume, new_volume, old_volume, planned, retired, staged_point,
};
use crate::snapshot::Snapshot;
use crate::tags;
use crate::volume::{Volume, VolumeState};

fn snapshots() -> Vec<Snapshot> {
    staged_point().observed()
}

fn marked(member: &str, mark: &str) -> Volume {
    new_volume(member, ID).tagged(tags::STAGE, mark)
}

fn told(volumes: &[Volume]) -> String {
    let [one] = under_way(volumes).try_into().expect("one restore");
    let one: UnderWay = one;
    one.told(volumes, &snapshots())
}

const UNDO: &str = r#"{"mode": "undo", "cluster": "k8s.example.com", "etcd_cluster": "main", "volumes": "#;

#[test]
fn between_its_stages_the_event_that_goes_on_is_told() {
    let volumes = [live_volume("a"), live_volume("c"), marked("b", "2/2"), retired("b"), retired("a")];
    let told = told(&volumes);
    let then = format!(
        r#"{{"mode": "apply", "cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "{SLOT}", "snapshots": {{"a": "snap-a-{SLOT}", "b": "snap-b-{SLOT}", "c": "snap-c-{SLOT}"}}, "retire": ["vol-a", "vol-b"], "stages": [["a", "c"], ["b"]], "stage": 2, "id": "{ID}"}}"#
    );
    assert!(told.contains(&then), "{told}");
    let undo = format!(
        r#"{UNDO}{{"a": "vol-new-a", "b": "vol-new-b", "c": "vol-new-c"}}, "old_volumes": ["vol-a", "vol-b"]}}"#
    );
    assert!(told.ends_with(&undo), "{told}");
    assert_eq!(under_way(&volumes)[0].made_from().count(), 1);
}

#[test]
fn within_its_first_stage_the_same_apply_goes_on() {
    for volumes in [
        vec![marked("a", "1/2"), marked("b", "2/2"), live_volume("c")],
        vec![marked("a", "1/2"), marked("b", "2/2"), marked("c", "1/2")],
        vec![new_volume("a", ID), new_volume("b", ID)],
        // Its snapshot is gone: the event could not be carried out.
        vec![live_volume("a"), live_volume("c"), marked("b", "2/2").made_from("snap-gone")],
        // One of the first stage is gone, and the other alone is no quorum that b may join.
        vec![live_volume("a"), marked("b", "2/2")],
        // Nobody else is there.
        vec![marked("b", "2/2")],
    ] {
        let told = told(&volumes);
        assert!(
            told.starts_with("if it was interrupted, send its `apply` event again") && told.contains(UNDO),
            "{told}"
        );
    }
}

#[test]
fn a_volume_that_another_restore_made_is_none_of_its_own() {
    let mut of_another = retired("a");
    of_another.tags.insert(tags::RESTORE.to_owned(), LATER_ID.to_owned());
    let told = told(&[new_volume("b", ID), live_volume("a"), of_another]);
    assert!(told.contains(&format!(r#"{UNDO}{{"b": "vol-new-b"}}"#)), "{told}");
}

#[test]
fn what_is_over_or_nobodys_is_not_under_way() {
    for over in [
        live_volume("a"),
        old_volume("a"),
        marked("a", "2/2").tagged(tags::RETIRED_AT, "2026-11-23T02:21:00Z"),
        marked("a", "2/2").in_state(VolumeState::Error),
        marked("a", "2/2").in_state(VolumeState::Deleting),
        marked("a", "2/2").without_tag(tags::CLUSTER),
    ] {
        assert_eq!(under_way(std::slice::from_ref(&over)), [], "{over:?}");
    }
    let two = [marked("a", "2/2"), new_volume("a", LATER_ID)];
    assert_eq!(under_way(&two).len(), 2);
}

#[test]
fn another_plan_is_refused_with_the_event_that_goes_on() {
    let volumes = vec![live_volume("a"), live_volume("c"), new_volume("b", LATER_ID).tagged(tags::STAGE, "2/2")];
    let plan = planned(&RestoreRequest::of_slot(SLOT).replacing(), volumes, snapshots());
    assert_eq!(in_the_way(&plan), ["RestoreInProgress"]);
    assert!(plan.refusals[0].message.contains(r#""stage": 2"#), "{}", plan.refusals[0]);
}
