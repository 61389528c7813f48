//! The slot of a run, and what it already has.

use super::super::{Step, Taken};
use super::fixtures::{our_snapshot, point};
use super::plans::{SLOT, in_words, planned, scheduled, three_volumes};
use crate::backup::{Finding, MemberOutcome, Request};
use crate::ids::VolumeId;
use crate::slot::Slot;
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{self, Completed, Error, Other, Pending};
use crate::tags;
use crate::volume::Volume;

/// What the scheduled run does about member a, given a's snapshots.
fn a_with(snapshots: Vec<Snapshot>) -> String {
    in_words(&scheduled(three_volumes(), snapshots)).swap_remove(0)
}

fn of_a(state: SnapshotState) -> Snapshot {
    our_snapshot(SLOT, "a", state).observed()
}

#[test]
fn a_delivery_that_comes_late_works_on_its_own_slot() {
    let plan = planned(&Request::scheduled("2026-11-20T07:59:59Z"), three_volumes(), Vec::new());
    assert_eq!(plan.slot.to_string(), "2026-11-20T07:00:00Z");
}

#[test]
fn the_slot_of_a_run_by_hand_is_its_second() {
    let plan = planned(&Request::by_hand("1"), three_volumes(), Vec::new());
    assert_eq!(plan.slot.to_string(), "2026-11-23T02:00:40Z");
}

#[test]
fn a_redelivery_by_hand_works_on_the_slot_of_the_first_delivery() {
    let first = || our_snapshot("2026-11-23T01:58:03Z", "a", Pending).observed();
    let redelivered = |snapshot| {
        let plan = planned(&Request::by_hand("1"), three_volumes(), vec![snapshot]);
        (plan.slot.to_string(), in_words(&plan).swap_remove(0))
    };
    assert_eq!(
        redelivered(first().taken_by("1")),
        ("2026-11-23T01:58:03Z".to_owned(), "main: a vol-a existing snap-a-2026-11-23T01:58:03Z".to_owned())
    );
    assert_eq!(
        redelivered(first().taken_by("2")),
        ("2026-11-23T02:00:40Z".to_owned(), "main: a vol-a create".to_owned())
    );
    assert_eq!(
        redelivered(our_snapshot("2026-11-23T01:58:03Z", "a", Error).observed().taken_by("1")),
        ("2026-11-23T01:58:03Z".to_owned(), "main: a vol-a create".to_owned()),
        "a failed snapshot tells the slot, but does not fill it"
    );
}

/// Started much later than planned, it would be doubtful.
#[test]
fn a_redelivery_by_hand_asks_for_nothing_that_would_come_too_late() {
    let redelivered = |slot: &str| {
        let first = our_snapshot(slot, "a", Pending).observed().taken_by("1");
        planned(&Request::by_hand("1"), three_volumes(), vec![first])
    };
    let plan = redelivered("2026-11-23T01:47:00Z");
    let (_, new) = plan.etcd_clusters[0].new_snapshots().next().expect("b's");
    let too_late = |time: &str| new.too_late(time.parse().expect("a time"));
    assert_eq!(too_late("2026-11-23T02:01:30Z"), None);
    let why = Finding::OtherTime.to_string();
    assert_eq!(too_late("2026-11-23T02:01:31Z"), Some(MemberOutcome::Failed(why.clone())));
    assert_eq!(in_words(&redelivered("2026-11-23T01:46:00Z"))[1], format!("main: b vol-b nothing: {why}"));
}

#[test]
fn a_scheduled_run_does_not_take_its_slot_from_a_description() {
    let stray = our_snapshot("2026-11-20T00:00:00Z", "a", Completed).observed().taken_by("scheduled");
    assert_eq!(scheduled(three_volumes(), vec![stray]).slot.to_string(), SLOT);
}

#[test]
fn a_good_snapshot_of_the_slot_is_enough() {
    for state in [Pending, Completed] {
        let plan = scheduled(three_volumes(), vec![of_a(state)]);
        let existing = Taken { snapshot: of_a(state).id, state, started: of_a(state).started };
        assert_eq!(plan.etcd_clusters[0].members[0].step, Step::Existing(existing));
        assert_eq!(in_words(&plan)[1..], ["main: b vol-b create", "main: c vol-c create"]);
    }
}

#[test]
fn a_snapshot_in_error_or_the_recycle_bin_is_taken_again() {
    assert_eq!(a_with(vec![of_a(Error)]), "main: a vol-a create");
    assert_eq!(a_with(vec![of_a(Other)]), "main: a vol-a create");
}

#[test]
fn a_snapshot_of_another_slot_or_etcd_cluster_does_not_count() {
    assert_eq!(a_with(point("2026-11-23T01:00:00Z", &[Completed; 3]).observed()), "main: a vol-a create");
    let of_events = of_a(Completed).marked(&[(tags::SNAPSHOT_ETCD_CLUSTER, "events")]);
    let plan = planned(&Request::scheduled(SLOT).of_etcd_cluster("main"), three_volumes(), vec![of_events]);
    assert_eq!(in_words(&plan)[0], "main: a vol-a create");
}

#[test]
fn only_a_snapshot_of_the_members_volume_counts() {
    let of = |slot: &str, volume: &str| point(slot, &[Completed; 3]).of_volume("a", volume).observed();
    let id = our_snapshot(SLOT, "a", Completed).id;
    let created = |time: &str| {
        let mut volumes = three_volumes();
        volumes[0].created = time.parse().expect("a time");
        volumes
    };
    let a_of = |volumes, snapshots| in_words(&scheduled(volumes, snapshots))[0].clone();
    let of_another = || of(SLOT, "vol-another");
    let after_the_slot = created("2026-11-23T02:10:00Z");
    assert_eq!(a_of(after_the_slot, of_another()), format!("main: a vol-a existing {id}"), "it was another then");
    assert_eq!(
        a_of(three_volumes(), of_another()),
        "main: a vol-a create",
        "the member's volume was there at the slot"
    );
    let both = of_another().into_iter().chain([Snapshot { id: other_id(), ..of_a(Completed) }]).collect();
    assert_eq!(a_of(three_volumes(), both), "main: a vol-a existing snap-own");
}

/// The volumes of a set that was restored while the slot was being taken.
fn restored_volumes(restored: &[&str]) -> Vec<Volume> {
    let restore = |volume: Volume| {
        let member = volume.id.as_str().trim_start_matches("vol-").to_owned();
        if !restored.contains(&member.as_str()) {
            return volume;
        }
        let created = "2026-11-23T02:00:20Z".parse().expect("a time");
        Volume { created, ..volume.named(&format!("vol-new-{member}")) }
    };
    three_volumes().into_iter().map(restore).collect()
}

#[test]
fn a_point_does_not_mix_what_was_before_a_restore_with_what_is_after_it() {
    let created = |member: &str, volume: &str| format!("main: {member} {volume} create");
    // The first delivery took a alone.
    let of_a_alone = vec![of_a(Completed)];
    let plan = scheduled(restored_volumes(&["a", "b", "c"]), of_a_alone.clone());
    assert_eq!(in_words(&plan), ["a", "b", "c"].map(|member| created(member, &format!("vol-new-{member}"))));
    let plan = scheduled(restored_volumes(&["a"]), of_a_alone.clone());
    assert_eq!(in_words(&plan), [created("a", "vol-new-a"), created("b", "vol-b"), created("c", "vol-c")]);

    // The next one took all but a, whose snapshot failed.
    let after = |member: &str, volume: &str| {
        let mut one = our_snapshot(SLOT, member, Completed);
        one.volume.id = VolumeId::parse(volume).expect("an id");
        one.observed().started_at("2026-11-23T02:00:30Z")
    };
    for (restored, b, c) in [(&["a", "b", "c"][..], "vol-new-b", "vol-new-c"), (&["a"], "vol-b", "vol-c")] {
        let taken = vec![of_a(Completed), after("b", b), after("c", c)];
        let plan = scheduled(restored_volumes(restored), taken);
        assert_eq!(in_words(&plan)[0], created("a", "vol-new-a"), "{restored:?}");
    }

    // One of another volume than b's, which was there at the slot, makes nothing whole.
    let taken = point(SLOT, &[Completed; 3]).of_volume("b", "vol-another").observed();
    let plan = scheduled(restored_volumes(&["a"]), taken);
    assert_eq!(in_words(&plan)[..2], [created("a", "vol-new-a"), created("b", "vol-b")]);
}

#[test]
fn a_point_that_was_whole_before_a_restore_stays_as_it_is() {
    let existing = |member: &str, volume: &str| format!("main: {member} {volume} existing snap-{member}-{SLOT}");
    let taken = point(SLOT, &[Completed, Pending, Completed]).observed();
    let plan = scheduled(restored_volumes(&["a", "b", "c"]), taken.clone());
    assert_eq!(in_words(&plan), ["a", "b", "c"].map(|member| existing(member, &format!("vol-new-{member}"))));
    let plan = scheduled(restored_volumes(&["a"]), taken);
    assert_eq!(in_words(&plan), [existing("a", "vol-new-a"), existing("b", "vol-b"), existing("c", "vol-c")]);
}

fn other_id() -> crate::ids::SnapshotId {
    crate::ids::SnapshotId::parse("snap-own").expect("an id")
}

#[test]
fn of_two_good_snapshots_the_first_counts() {
    let mut second = our_snapshot(SLOT, "a", Completed);
    second.id = crate::ids::SnapshotId::parse("snap-0-second").expect("an id");
    second.started += jiff::SignedDuration::from_millis(1);
    assert_eq!(a_with(vec![second.observed(), of_a(Pending)]), format!("main: a vol-a existing {}", of_a(Pending).id));
}

#[test]
fn a_copy_is_neither_counted_nor_deleted() {
    let copies: Vec<Snapshot> = ["2026-11-23T02:00:00Z", "2026-11-23T01:00:00Z", "2026-11-23T00:00:00Z"]
        .iter()
        .flat_map(|slot| point(slot, &[Completed; 3]).observed())
        .map(Snapshot::copied)
        .collect();
    let plan = scheduled(three_volumes(), copies);
    assert_eq!(in_words(&plan)[0], "main: a vol-a create");
    assert_eq!((plan.etcd_clusters[0].prune.points.len(), plan.warnings.len()), (0, 0));
}

#[test]
fn a_snapshot_that_this_tool_did_not_take_is_none_of_ours() {
    let foreign = Snapshot { description: String::new(), ..of_a(Completed).without_tag(tags::RECOVERY_POINT) };
    let plan = scheduled(three_volumes(), vec![foreign]);
    assert_eq!((in_words(&plan)[0].as_str(), plan.doubtful, plan.warnings.len()), ("main: a vol-a create", 0, 0));
}

#[test]
fn a_doubtful_snapshot_is_left_alone_counted_and_told() {
    let id = of_a(Completed).id;
    for (snapshot, why) in [
        (of_a(Completed).without_tag(tags::VOLUME), "its tag `etcd-backup/volume` is missing or cannot be read"),
        (of_a(Completed).without_tag(tags::RECOVERY_POINT), "its tag `etcd-backup/recovery-point` is missing"),
        (of_a(Completed).tagged(tags::SNAPSHOT_MEMBER, "b/a,b,c"), "its tags are not those that were written"),
        (of_a(Completed).tagged(tags::CLUSTER, "k8s.example.com"), "it bears a tag of kops' own"),
        (Snapshot { description: String::new(), ..of_a(Completed) }, "its description is not one"),
    ] {
        let plan = scheduled(three_volumes(), vec![snapshot]);
        let told = format!("snapshot {id} is doubtful, so it does not count and is not deleted: {why}");
        assert!(plan.warnings[0].starts_with(&told), "{:?}", plan.warnings);
        assert_eq!((in_words(&plan)[0].as_str(), plan.doubtful), ("main: a vol-a create", 1));
    }
}

#[test]
fn a_failed_snapshot_is_told_with_ec2s_words() {
    let mut failed = our_snapshot(SLOT, "a", Error);
    failed.state_message = Some("Given key ID is not accessible".to_owned());
    let warnings = scheduled(three_volumes(), vec![failed.observed()]).warnings;
    assert_eq!(
        warnings,
        [format!(
            "snapshot {} (member a of main of k8s.example.com, {SLOT}) ended in error: Given key ID is not \
             accessible. It counts against EC2's limit on concurrent snapshots of the volume: if that refuses new ones, \
             delete it",
            failed.id
        )]
    );
}

#[test]
fn any_value_but_false_pins_the_whole_point() {
    let old = point("2026-11-22T00:00:00Z", &[Completed; 3]);
    for (value, deleted) in [("true", 0), ("", 0), ("2026", 0), ("False", 0), ("false", 3)] {
        let mut snapshots = point("2026-11-23T01:00:00Z", &[Completed; 3]).observed();
        snapshots.extend(old.observed());
        snapshots[4] = snapshots[4].clone().tagged(tags::KEEP, value);
        let plan = scheduled(three_volumes(), snapshots);
        assert_eq!(plan.etcd_clusters[0].prune.deletions.len(), deleted, "{value:?}");
    }
}

#[test]
fn a_pin_asked_for_too_late_is_told() {
    let keep = Request { keep: true, ..Request::by_hand("1") };
    let existing = |request: &str| {
        let snapshot = our_snapshot("2026-11-23T02:00:40Z", "a", Completed).observed().taken_by(request);
        planned(&keep, three_volumes(), vec![snapshot]).warnings
    };
    assert_eq!(existing("1"), Vec::<String>::new());
    assert_eq!(
        existing("2"),
        ["snapshot snap-a-2026-11-23T02:00:40Z of this slot was there before and is not pinned: tag it \
          `etcd-backup/keep`"]
    );
}

#[test]
fn a_replaced_volume_is_told() {
    let mut volumes = three_volumes();
    volumes[1] = volumes[1].clone().named("vol-blank");
    let plan = scheduled(volumes, point("2026-11-23T01:00:00Z", &[Completed; 3]).observed());
    assert_eq!(
        plan.warnings,
        [
            "member b of main of k8s.example.com: volume vol-b has been replaced by vol-blank. kops makes a blank volume \
          where it finds none: check that etcd is in it. The point 2026-11-23T01:00:00Z is kept for 30 days"
        ]
    );
    assert_eq!(plan.etcd_clusters[0].newest_complete, Slot::parse("2026-11-23T01:00:00Z"));
}
