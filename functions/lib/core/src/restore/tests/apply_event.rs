//! The `apply` of a plan is that plan again: the same restore of the same snapshots.

use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Apply, Event, Mode, Request, RestorePlan, RestoreRequest, What};
use super::fixtures::{LATER_ID, OLDER_SLOT, SLOT, id, old_volumes, restore_id, try_plan};
use crate::backup::tests::fixtures::{MEMBERS, point, stood};
use crate::scope::ClusterSet;
use crate::snapshot::{Snapshot, SnapshotState};

fn flag() -> impl Strategy<Value = Option<bool>> {
    option::of(any::<bool>())
}

fn text(texts: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    option::weighted(0.3, select(texts).prop_map(str::to_owned))
}

/// What is restored, as an event says it.
fn whats() -> impl Strategy<Value = Event> {
    let members = option::of(btree_set(select(&MEMBERS[..]).prop_map(str::to_owned), 1..3));
    let point = (text(&["latest", SLOT, OLDER_SLOT]), members, flag(), flag(), flag());
    let point = point.prop_map(|(recovery_point, members, allow_unordered, allow_partial, verified)| Event {
        cluster: Some("k8s.example.com".to_owned()),
        etcd_cluster: Some("main".to_owned()),
        verified: verified.filter(|_| recovery_point.as_deref().is_none_or(|at| at == "latest")),
        recovery_point,
        members: members.map(|members| members.into_iter().collect()),
        allow_unordered,
        allow_partial,
        ..Event::default()
    });
    let described = (text(&["k8s.example.com"]), text(&["main"]), text(&["a/a,b,c"]));
    let ours = described.prop_map(|(cluster, etcd_cluster, member)| Event {
        snapshot: Some(format!("snap-a-{SLOT}")),
        cluster,
        etcd_cluster,
        member,
        ..Event::default()
    });
    let foreign = Event {
        snapshot: Some("snap-foreign".to_owned()),
        cluster: Some("k8s.example.com".to_owned()),
        etcd_cluster: Some("main".to_owned()),
        member: Some("a/c,b,a".to_owned()),
        ..Event::default()
    };
    prop_oneof![3 => point, 1 => ours, 1 => Just(foreign)]
}

fn events() -> impl Strategy<Value = Event> {
    let flags = (flag(), flag(), flag(), flag(), flag());
    let overrides = (text(&["gp3", "io2"]), option::of(1..9_000_u32), option::of(1..900_u32), text(&["alias/etcd"]));
    let rest = (text(&["eu-central-1a", "eu-central-1b"]), option::of(100..=300_u32));
    (whats(), flags, overrides, rest).prop_map(|(what, flags, overrides, (zone, initialization_rate))| {
        let (replace, cut_over, allow_attached, allow_rollback, allow_corrupt) = flags;
        let (volume_type, iops, throughput, kms_key) = overrides;
        Event {
            zone,
            replace: replace.filter(|_| cut_over != Some(false)),
            cut_over,
            allow_attached,
            allow_rollback,
            allow_corrupt,
            throughput: throughput.filter(|_| volume_type.as_deref() != Some("io2")),
            iops: iops.or((volume_type.as_deref() == Some("io2")).then_some(100)),
            volume_type,
            kms_key,
            initialization_rate,
            ..what
        }
    })
}

/// Two points, of which the newer one is not verified, and a snapshot that says nothing of itself.
fn snapshots() -> Vec<Snapshot> {
    let mut snapshots = point(OLDER_SLOT, &[SnapshotState::Completed; 3]).verified().observed();
    let degraded = stood("b", 100, 100).replacen("ok", "degraded", 1);
    snapshots.extend(super::fixtures::verified_point().found("b", &degraded).observed());
    let mut foreign = snapshots[0].clone();
    foreign.id = crate::ids::SnapshotId::parse("snap-foreign").expect("an id");
    foreign.tags.clear();
    snapshots.push(foreign);
    snapshots
}

fn accepted(event: Event) -> Result<Request, String> {
    Request::accept(event, &ClusterSet::All, restore_id(LATER_ID))
}

fn plan(request: &RestoreRequest) -> Option<RestorePlan> {
    try_plan(request, old_volumes(), snapshots()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_apply_of_a_plan_is_accepted_and_is_the_same_restore(event in events()) {
        let Ok(Request::Plan(request)) = accepted(event.clone()) else {
            return Err(TestCaseError::fail(format!("{event:?}")));
        };
        let Some(planned) = plan(&request) else { return Ok(()) };
        let Ok(Request::Apply(again)) = accepted(planned.apply.clone()) else {
            return Err(TestCaseError::fail(format!("{:?}", planned.apply)));
        };
        let resolved = match &request.what {
            What::Point { of, members, .. } => {
                let at = super::super::At::Slot(planned.slot.expect("a point has a time"));
                What::Point { of: of.clone(), at, members: members.clone() }
            }
            what @ What::Snapshot(..) => what.clone(),
        };
        let stages = planned.stages.iter().map(|stage| stage.iter().cloned().collect());
        let named = if planned.apply.stages.is_some() { stages.collect() } else { Vec::new() };
        let shown = again.apply.as_ref().expect("an apply").pins.clone();
        let apply = Some(Apply { stages: named, stage: 1, pins: shown });
        prop_assert_eq!(&again, &RestoreRequest { what: resolved, apply, ..request });
        // And it does the same.
        let applied = plan(&again).expect("a plan");
        prop_assert_eq!(&applied.members, &planned.members);
        prop_assert_eq!(&applied.refusals, &planned.refusals);
        prop_assert_eq!(applied.apply, planned.apply);
    }

    #[test]
    fn a_plan_in_whatever_order_ec2_lists_is_the_same(event in events()) {
        let Ok(Request::Plan(request)) = accepted(event) else { return Ok(()) };
        let mut reversed = (old_volumes(), snapshots());
        reversed.0.reverse();
        reversed.1.reverse();
        let other = try_plan(&request, reversed.0, reversed.1);
        prop_assert_eq!(plan(&request).map(|plan| plan.members), other.ok().map(|plan| plan.members));
    }
}

#[test]
fn an_apply_names_the_point_and_the_id_and_only_what_was_asked_for() {
    let request = RestoreRequest { id: id(), ..RestoreRequest::of_latest().replacing() };
    let expected = Event {
        mode: Some(Mode::Apply),
        cluster: Some("k8s.example.com".to_owned()),
        etcd_cluster: Some("main".to_owned()),
        recovery_point: Some(SLOT.to_owned()),
        replace: Some(true),
        snapshots: Some(MEMBERS.map(|member| (member.to_owned(), format!("snap-{member}-{SLOT}"))).into()),
        retire: Some(MEMBERS.map(|member| format!("vol-{member}")).into()),
        plan: Some("?".to_owned()),
        stages: Some(vec![["a", "b", "c"].map(str::to_owned).into()]),
        id: Some(super::fixtures::ID.to_owned()),
        ..Event::default()
    };
    let apply = plan(&request).expect("a plan").apply;
    assert_eq!(Event { plan: expected.plan.clone(), ..apply.clone() }, expected);
    assert!(apply.plan.is_some_and(|digest| digest.len() == 32 && digest.bytes().all(|c| c.is_ascii_hexdigit())));
}
