//! A point of which only a quorum is restored: the others' volumes are retired, and they join empty.

use super::super::{Allow, Observed, Reached, RefusalKind, RestoreRequest, Standing, parking, plan_undo};
use super::fixtures::{
    ID, SLOT, id, in_the_way, live_volume, member, new_volume, now, of_slot, old_volume, old_volumes, planned, retired,
    snapshots, stages, try_plan, undo_of, verified_point, volume_id,
};
use crate::backup::tests::fixtures::point;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags;
use crate::volume::Volume;

/// The point with one member's snapshot failed.
fn without_a() -> Vec<Snapshot> {
    use SnapshotState::{Completed, Error};
    point(SLOT, &[Error, Completed, Completed]).verified().observed()
}

fn emptying_a() -> RestoreRequest {
    of_slot().of_members(&["b", "c"]).emptying_others()
}

#[test]
fn a_point_that_lacks_a_member_is_restored_where_that_one_joins_empty() {
    let corrupt = || verified_point().found("a", "corrupt reason=crc").observed();
    for snapshots in [without_a(), corrupt(), vec![snapshots().remove(1), snapshots().remove(2)]] {
        let plan = planned(&emptying_a(), old_volumes(), snapshots);
        assert_eq!((in_the_way(&plan), stages(&plan)), (vec![], vec![vec!["b", "c"]]));
        let [emptied] = plan.emptied.as_slice() else { panic!("{:?}", plan.emptied) };
        assert_eq!((emptied.lineage.member.as_str(), &emptied.old), ("a", &vec![volume_id("vol-a")]));
        assert!(plan.forecast.is_ok(), "{:?}", plan.forecast);
        let joins = plan.steps_after.iter().find(|step| step.starts_with("Let a join empty")).expect("a step");
        assert!(joins.contains("v3.0.20260531") && joins.contains("etcdctl member remove"), "{joins}");
    }
    let still = planned(&of_slot().of_members(&["b", "c"]), old_volumes(), snapshots());
    assert_eq!(in_the_way(&still), ["MemberRollback"], "without it some members are some members");
}

#[test]
fn fewer_than_a_quorum_cannot_empty_the_others() {
    let refusal = try_plan(&of_slot().of_members(&["b"]).emptying_others(), old_volumes(), snapshots());
    let refusal = refusal.expect_err("one is no quorum");
    assert!(
        refusal.message.starts_with("others: `empty` needs at least a quorum in `members`, 2 of a, b, c"),
        "{refusal}"
    );
}

#[test]
fn what_stands_in_the_way_of_a_volume_does_so_of_one_that_is_emptied() {
    let named = emptying_a();
    let without_replace = RestoreRequest { replace: false, ..named.clone() };
    assert_eq!(in_the_way(&planned(&without_replace, vec![old_volume("a")], snapshots())), ["MemberClaimed"]);
    let attached = vec![old_volume("a").attached_to("i-1")];
    assert_eq!(in_the_way(&planned(&named, attached.clone(), snapshots())), ["VolumeAttached"]);
    assert_eq!(in_the_way(&planned(&named.allowing(Allow::Attached), attached, snapshots())), Vec::<&str>::new());
}

/// The old volume of a, retired so that a joins empty.
fn emptied(volume: &Volume) -> Volume {
    let change = parking::retire_emptied(volume, &id(), Some(&volume_id("vol-new-b")), now()).expect("it fits");
    volume.clone().changed(&change)
}

#[test]
fn an_emptied_members_volume_is_retired_once_and_the_blank_one_that_follows_is_let_be() {
    let new = ["b", "c"].map(|name| new_volume(name, ID));
    let volumes = [old_volumes(), new.to_vec()].concat();
    let request = emptying_a().applying(&[&["b", "c"]], 1);
    let plan = planned(&request, volumes.clone(), without_a());
    let retirements = plan.retirements(&plan.made(), &volumes, now()).expect("they can be");
    let of_a = retirements.iter().find(|(of, _)| *of == member("a")).expect("a's");
    assert_eq!(of_a.1.write.get(tags::REPLACED_BY), Some(&"vol-new-b".to_owned()));
    assert_eq!(old_volume("a").changed(&of_a.1), emptied(&old_volume("a")));
    let blank = old_volume("a").named("vol-blank").created_at("2026-11-23T02:25:00Z").attached_to("i-1");
    let live = ["b", "c"].map(live_volume);
    let after = [vec![emptied(&old_volume("a")), retired("b"), retired("c"), blank], live.to_vec()].concat();
    let again = planned(&request, after, without_a());
    assert_eq!((again.is_done(), in_the_way(&again)), (true, vec![]));
    assert_eq!(again.emptied[0].retired, [volume_id("vol-a")]);
}

#[test]
fn nothing_is_tagged_while_an_emptied_members_volume_is_attached() {
    let new = ["b", "c"].map(|name| new_volume(name, ID)).to_vec();
    let old = vec![emptied(&old_volume("a")).attached_to("i-1"), retired("b"), retired("c")];
    let volumes = [old, new].concat();
    let plan = planned(&emptying_a(), volumes.clone(), without_a());
    let standing = plan.standing(&plan.made(), &volumes, Reached::Made);
    assert!(matches!(&standing, Standing::Wait(why) if why.starts_with("vol-a, which is retired")), "{standing:?}");
}

#[test]
fn an_undo_gives_an_emptied_members_volume_back_too() {
    let live = ["b", "c"].map(live_volume);
    let volumes = [vec![emptied(&old_volume("a")), retired("b"), retired("c")], live.to_vec()].concat();
    let observed = |volumes: &[Volume]| Observed { volumes: volumes.to_vec(), ..Observed::default() };
    let request = undo_of(&[("b", "vol-new-b"), ("c", "vol-new-c")]);
    let plan = plan_undo(&observed(&volumes), &request.naming_old(&volumes)).expect("a plan");
    let given_back: Vec<&str> =
        plan.members.iter().flat_map(|one| &one.old).map(|(volume, _)| volume.as_str()).collect();
    assert_eq!(given_back, ["vol-b", "vol-a", "vol-c"]);
    let mut volumes = volumes;
    for (_, change) in plan.retirements(&volumes, now()) {
        let volume = volumes.iter_mut().find(|volume| volume.id == change.volume).expect("it is there");
        *volume = volume.clone().changed(&change);
    }
    for (_, change) in plan.give_backs(&volumes).expect("nobody is in the way") {
        let volume = volumes.iter_mut().find(|volume| volume.id == change.volume).expect("it is there");
        *volume = volume.clone().changed(&change);
    }
    assert!(old_volumes().iter().all(|old| volumes.contains(old)), "{volumes:#?}");
    // b alone would leave c behind.
    let volumes = [emptied(&old_volume("a")), retired("b"), retired("c")];
    let some = plan_undo(&observed(&volumes), &undo_of(&[("b", "vol-new-b")]).naming_old(&volumes));
    assert_eq!(some.expect_err("c stays behind")[0].kind, RefusalKind::MemberRollback);
}

#[test]
fn a_volume_of_another_member_that_only_names_the_new_one_is_not_given_back() {
    let mut stranger = emptied(&old_volume("a"));
    stranger.tags.remove(tags::JOINS_EMPTY);
    let volumes = vec![stranger, live_volume("b")];
    let request = undo_of(&[("b", "vol-new-b")]).naming_old(&volumes);
    let refusals = plan_undo(&Observed { volumes, ..Observed::default() }, &request);
    assert_eq!(refusals.expect_err("a is not b")[0].kind, RefusalKind::NotOurs);
}
