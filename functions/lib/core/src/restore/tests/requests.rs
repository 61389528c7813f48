//! Which events are accepted, and what an event that is not is told.

use std::collections::BTreeMap;

use super::super::{Allow, Apply, At, Event, Mode, Pins, Request, RestoreRequest, UndoRequest, What};
use super::fixtures::{ID, LATER_ID, id, member, restore_id};
use crate::backup::tests::fixtures::main_of_example;
use crate::ids::{Cluster, SnapshotId, VolumeId};
use crate::scope::{ClusterSet, Scope};
use crate::slot::Slot;

/// With the id that a plan would be given fresh.
fn accept(event: Event) -> Result<Request, String> {
    Request::accept(event, &ClusterSet::All, restore_id(LATER_ID))
}

#[expect(clippy::unnecessary_wraps, reason = "as a field of an event")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn in_mode(mode: Mode) -> Event {
    Event { mode: Some(mode), ..Event::default() }
}

/// Names an etcd cluster.
fn of_main(mode: Mode) -> Event {
    Event { cluster: text("k8s.example.com"), etcd_cluster: text("main"), ..in_mode(mode) }
}

/// Names a snapshot.
fn of_snapshot() -> Event {
    Event { snapshot: text("snap-1"), ..Event::default() }
}

/// A sound `apply`.
fn apply() -> Event {
    Event { recovery_point: text("2026-11-23T02:00:00Z"), ..pinned(of_main(Mode::Apply)) }
}

/// With what its plan showed.
fn pinned(event: Event) -> Event {
    let snapshots = Some([("a".to_owned(), "snap-1".to_owned())].into());
    Event { snapshots, retire: Some(vec!["vol-1".to_owned()]), plan: text("1f"), id: text(ID), ..event }
}

fn pins() -> Pins {
    Pins {
        snapshots: [(member("a"), SnapshotId::parse("snap-1").expect("an id"))].into(),
        retire: [VolumeId::parse("vol-1").expect("an id")].into(),
        digest: text("1f"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as a field of an event")]
fn volumes(named: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(named.iter().map(|(member, volume)| ((*member).to_owned(), (*volume).to_owned())).collect())
}

fn plan_of(event: Event) -> RestoreRequest {
    match accept(event) {
        Ok(Request::Plan(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bad_event_names_the_field() {
    let main = || of_main(Mode::Plan);
    let yes = Some(true);
    for (field, event) in vec![
        ("cluster", in_mode(Mode::Plan)),
        ("cluster", Event { etcd_cluster: text("main"), ..Event::default() }),
        ("cluster", Event { cluster: text("k8s.*"), ..main() }),
        ("cluster", Event { cluster: text("*"), ..of_snapshot() }),
        ("etcd_cluster", Event { cluster: text("k8s.example.com"), ..Event::default() }),
        ("etcd_cluster", Event { etcd_cluster: text("a b"), ..main() }),
        ("etcd_cluster", Event { etcd_cluster: text(""), ..of_snapshot() }),
        ("recovery_point", Event { recovery_point: text("yesterday"), ..main() }),
        ("recovery_point", Event { recovery_point: text(""), ..main() }),
        ("recovery_point", Event { recovery_point: text("latest"), ..of_snapshot() }),
        ("members", Event { members: Some(Vec::new()), ..main() }),
        ("members", Event { members: Some(vec!["a/a,b,c".to_owned()]), ..main() }),
        ("members", Event { members: Some(vec!["a".to_owned()]), ..of_snapshot() }),
        ("snapshot", Event { snapshot: text("vol-1"), ..Event::default() }),
        ("snapshot", Event { snapshot: text("snap-*"), ..Event::default() }),
        ("member", Event { member: text("a"), ..of_snapshot() }),
        ("member", Event { member: text("a/b,c"), ..of_snapshot() }),
        ("member", Event { member: text("a/a,b,c"), ..main() }),
        ("zone", Event { zone: text(""), ..main() }),
        ("replace", Event { replace: yes, cut_over: Some(false), ..main() }),
        ("allow_unordered", Event { allow_unordered: yes, ..of_snapshot() }),
        ("allow_unattached", Event { allow_unattached: yes, ..of_snapshot() }),
        ("allow_partial", Event { allow_partial: yes, ..of_snapshot() }),
        ("verified", Event { verified: yes, ..of_snapshot() }),
        ("verified", Event { verified: yes, recovery_point: text("2026-11-23T02:00:00Z"), ..main() }),
        ("volume_type", Event { volume_type: text("gp4"), ..main() }),
        ("iops", Event { iops: Some(0), ..main() }),
        ("iops", Event { iops: Some(u32::MAX), ..main() }),
        ("throughput", Event { throughput: Some(0), ..main() }),
        ("kms_key", Event { kms_key: text(""), ..main() }),
        ("initialization_rate", Event { initialization_rate: Some(99), ..main() }),
        ("initialization_rate", Event { initialization_rate: Some(301), ..main() }),
        ("id", Event { id: text("mine"), ..main() }),
        ("limit", Event { limit: Some(1), ..main() }),
        ("limit", Event { limit: Some(1), ..of_snapshot() }),
        ("limit", Event { limit: Some(0), ..in_mode(Mode::List) }),
        ("volumes", Event { volumes: volumes(&[("a", "vol-1")]), ..main() }),
        ("volumes", of_main(Mode::Undo)),
        ("volumes", Event { volumes: volumes(&[]), ..of_main(Mode::Undo) }),
        ("volumes", Event { volumes: volumes(&[("a", "snap-1")]), ..of_main(Mode::Undo) }),
        ("volumes", Event { volumes: volumes(&[("", "vol-1")]), ..of_main(Mode::Undo) }),
        ("cluster", Event { volumes: volumes(&[("a", "vol-1")]), ..in_mode(Mode::Undo) }),
        ("id", Event { id: text(ID), ..of_main(Mode::List) }),
        ("replace", Event { replace: Some(false), volumes: volumes(&[("a", "vol-1")]), ..of_main(Mode::Undo) }),
        ("recovery_point", Event { recovery_point: text("latest"), ..of_main(Mode::List) }),
    ] {
        let error = accept(event.clone()).expect_err(field);
        assert!(error.starts_with(&format!("{field}: ")), "{event:?}: {error}");
    }
}

#[test]
fn a_bad_stage_or_others_names_the_field() {
    let of_plan = || Event { members: Some(vec!["a".to_owned(), "b".to_owned()]), ..of_main(Mode::Plan) };
    let stages = |named: &[&[&str]]| Event {
        stages: Some(named.iter().map(|stage| stage.iter().map(|&name| name.to_owned()).collect()).collect()),
        ..apply()
    };
    let two = || stages(&[&["a", "b"], &["c"]]);
    for (field, event) in vec![
        ("others", Event { others: text("blank"), ..of_plan() }),
        ("others", Event { others: text("empty"), ..of_main(Mode::Plan) }),
        ("others", Event { others: text("empty"), ..of_snapshot() }),
        ("others", Event { others: text("empty"), cut_over: Some(false), ..of_plan() }),
        ("others", Event { others: text("empty"), members: of_plan().members, stage: Some(2), plan: None, ..two() }),
        ("replace", Event { replace: Some(true), stage: Some(2), plan: None, ..two() }),
        ("stages", stages(&[&["a"], &["b"], &["c"]])),
        ("stages", stages(&[&["a", "b"], &["b"]])),
        ("stages", stages(&[&["a", "b"], &[]])),
        ("stages", stages(&[&["a/b"]])),
        ("stages", Event { stages: two().stages, ..of_plan() }),
        ("stages", Event { cut_over: Some(false), ..two() }),
        ("stages", Event { stages: two().stages, ..of_snapshot() }),
        ("stage", Event { stage: Some(3), ..two() }),
        ("stage", Event { stage: Some(0), ..two() }),
        ("stage", Event { stage: Some(2), ..stages(&[&["a", "b", "c"]]) }),
        ("stage", Event { stage: Some(2), ..apply() }),
        ("stage", Event { stage: Some(1), ..of_plan() }),
        ("plan", Event { stage: Some(2), ..two() }),
        ("retire", Event { stage: Some(2), plan: None, retire: None, ..two() }),
        ("plan", Event { plan: text("1f"), ..of_plan() }),
        ("snapshots", Event { snapshots: apply().snapshots, ..of_plan() }),
        ("snapshots", Event { snapshots: volumes(&[("a", "vol-1")]), ..apply() }),
        ("snapshots", Event { snapshots: volumes(&[("", "snap-1")]), ..apply() }),
        ("retire", Event { retire: Some(vec!["snap-1".to_owned()]), ..apply() }),
        ("old_volumes", Event { old_volumes: Some(Vec::new()), ..of_plan() }),
    ] {
        let error = accept(event.clone()).expect_err(field);
        assert!(error.starts_with(&format!("{field}: ")), "{event:?}: {error}");
    }
}

#[test]
fn a_later_stage_is_about_the_members_that_it_names() {
    let named = vec![vec!["c".to_owned(), "b".to_owned()], vec!["a".to_owned()]];
    let Ok(Request::Apply(first)) = accept(Event { stages: Some(named.clone()), ..apply() }) else {
        panic!("it is accepted")
    };
    let Ok(Request::Apply(second)) = accept(Event { stages: Some(named), stage: Some(2), plan: None, ..apply() })
    else {
        panic!("it is accepted")
    };
    let stages = vec![[member("b"), member("c")].into(), [member("a")].into()];
    assert_eq!(first.apply, Some(Apply { stages: stages.clone(), stage: 1, pins: pins() }));
    assert_eq!(second.apply, Some(Apply { stages, stage: 2, pins: Pins { digest: None, ..pins() } }));
    let members = |request: RestoreRequest| match request.what {
        What::Point { members, .. } => members,
        What::Snapshot(..) => None,
    };
    assert_eq!(members(first), None);
    assert_eq!(members(second), Some(["a", "b", "c"].map(member).into()));
    let Request::Plan(empty) = accept(Event {
        others: text("empty"),
        members: Some(vec!["a".to_owned(), "b".to_owned()]),
        ..of_main(Mode::Plan)
    })
    .expect("it is accepted") else {
        panic!("a plan")
    };
    assert!(empty.empty_others && empty.apply.is_none());
}

#[test]
fn an_apply_without_a_plan_is_told_to_plan_first() {
    for (field, event) in [
        ("id", Event { id: None, ..apply() }),
        ("id", Event { id: text("20261123T021500Z-1a2b3c4d"), ..apply() }),
        ("snapshots", Event { snapshots: None, ..apply() }),
        ("retire", Event { retire: None, ..apply() }),
        ("plan", Event { plan: None, ..apply() }),
        ("recovery_point", Event { recovery_point: None, ..apply() }),
        ("recovery_point", Event { recovery_point: text("latest"), ..apply() }),
    ] {
        let error = accept(event).expect_err(field);
        assert!(error.starts_with(&format!("{field}: ")) && error.contains("plan first"), "{error}");
    }
    assert!(matches!(accept(apply()), Ok(Request::Apply(_))));
    let of_snapshot = Event { mode: Some(Mode::Apply), ..pinned(of_snapshot()) };
    assert!(matches!(accept(of_snapshot), Ok(Request::Apply(_))), "a snapshot is always the same one");
}

#[test]
fn an_empty_event_lists_and_any_other_plans() {
    let everything = Scope { clusters: ClusterSet::All, etcd_cluster: None };
    assert_eq!(accept(Event::default()), Ok(Request::List(everything.clone(), 10)));
    assert_eq!(accept(Event { limit: Some(3), ..in_mode(Mode::List) }), Ok(Request::List(everything, 3)));
    let main = Scope {
        clusters: ClusterSet::Named([main_of_example().cluster].into()),
        etcd_cluster: Some(main_of_example().etcd_cluster),
    };
    assert_eq!(accept(of_main(Mode::List)), Ok(Request::List(main, 10)));
    assert!(matches!(accept(Event { mode: None, ..of_main(Mode::Plan) }), Ok(Request::Plan(_))));
}

#[test]
fn a_plan_takes_the_newest_point_with_a_fresh_id_and_nothing_allowed() {
    let request = plan_of(of_main(Mode::Plan));
    assert_eq!(request, RestoreRequest { id: restore_id(LATER_ID), ..RestoreRequest::of_latest() });
    assert_eq!(plan_of(Event { recovery_point: text("latest"), ..of_main(Mode::Plan) }), request);
    assert_eq!(plan_of(Event { id: text(ID), ..of_main(Mode::Plan) }), RestoreRequest { id: id(), ..request });
}

#[test]
fn each_field_of_a_plan_is_heard() {
    let zone = crate::ids::Zone::parse("eu-central-1b").ok();
    let request = plan_of(Event {
        recovery_point: text("2026-11-23T02:00:00Z"),
        members: Some(vec!["b".to_owned(), "a".to_owned()]),
        zone: text("eu-central-1b"),
        replace: Some(true),
        allow_unordered: Some(true),
        allow_unattached: Some(true),
        allow_partial: Some(true),
        allow_attached: Some(true),
        allow_rollback: Some(true),
        allow_corrupt: Some(true),
        allow_foreign: Some(true),
        volume_type: text("io2"),
        iops: Some(200),
        throughput: Some(125),
        kms_key: text("alias/etcd"),
        initialization_rate: Some(300),
        ..of_main(Mode::Plan)
    });
    let at = At::Slot(Slot::parse("2026-11-23T02:00:00Z").expect("a slot"));
    let members = Some([member("a"), member("b")].into());
    assert_eq!(request.what, What::Point { of: main_of_example(), at, members });
    assert_eq!((request.zone, request.replace, request.cut_over), (zone, true, true));
    let all = [
        Allow::Partial,
        Allow::Attached,
        Allow::Rollback,
        Allow::Corrupt,
        Allow::Unordered,
        Allow::Unattached,
        Allow::Foreign,
    ];
    assert_eq!(request.allowed, all.into());
    let said = request.overrides;
    assert_eq!((said.volume_type.as_deref(), said.kms_key.as_deref()), (Some("io2"), Some("alias/etcd")));
    assert_eq!((said.iops, said.throughput, said.initialization_rate), (Some(200), Some(125), Some(300)));
    let nothing =
        Event { replace: Some(false), allow_unordered: Some(false), verified: Some(false), ..of_main(Mode::Plan) };
    assert_eq!(plan_of(nothing), plan_of(of_main(Mode::Plan)));
    assert!(!plan_of(Event { cut_over: Some(false), ..of_main(Mode::Plan) }).cut_over);
    let What::Point { at, .. } = plan_of(Event { verified: Some(true), ..of_main(Mode::Plan) }).what else { panic!() };
    assert_eq!(at, At::Latest { verified: true });
}

#[test]
fn a_snapshot_may_be_described() {
    let event = Event { cluster: text("k8s.example.com"), member: text("a/a,b,c"), ..of_snapshot() };
    let What::Snapshot(snapshot, described) = plan_of(event).what else { panic!("a snapshot") };
    assert_eq!(snapshot, SnapshotId::parse("snap-1").expect("an id"));
    assert_eq!(described.cluster, Some(main_of_example().cluster));
    assert_eq!((described.etcd_cluster, described.membership.map(|one| one.members.len())), (None, Some(3)));
}

#[test]
fn an_undo_names_the_volumes() {
    let event = Event { volumes: volumes(&[("a", "vol-1"), ("b", "vol-2")]), ..of_main(Mode::Undo) };
    let undo = super::fixtures::undo_of(&[("a", "vol-1"), ("b", "vol-2")]);
    assert_eq!(accept(event.clone()), Ok(Request::Undo(undo.clone())));
    let old_volumes = Some([VolumeId::parse("vol-3").expect("an id")].into());
    let naming = Event { old_volumes: Some(vec!["vol-3".to_owned()]), ..event.clone() };
    assert_eq!(accept(naming), Ok(Request::Undo(UndoRequest { old_volumes, ..undo })));
    let error = accept(Event { old_volumes: Some(vec!["a".to_owned()]), ..event }).expect_err("no id");
    assert!(error.starts_with("old_volumes: "), "{error}");
}

#[test]
fn what_is_outside_clusters_is_refused_in_every_mode() {
    let other = ClusterSet::Named([Cluster::parse("other.example.com").expect("a cluster")].into());
    let undo = Event { volumes: volumes(&[("a", "vol-1")]), ..of_main(Mode::Undo) };
    let of_snapshot = Event { cluster: text("k8s.example.com"), ..of_snapshot() };
    for event in [of_main(Mode::List), of_main(Mode::Plan), apply(), undo, of_snapshot] {
        let error = Request::accept(event, &other, id()).expect_err("it is not looked after");
        assert_eq!(error, "cluster: `k8s.example.com` is not one of CLUSTERS (other.example.com)");
    }
}
