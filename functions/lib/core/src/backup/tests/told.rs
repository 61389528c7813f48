//! Whatever others write into tags, what a run tells is printable ASCII, and short.

use proptest::prelude::*;

use super::fixtures::point;
use super::outcomes::{carried_out, reported};
use super::plans::{SLOT, scheduled, three_volumes};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::Completed;
use crate::tags;
use crate::volume::Volume;

/// Keys whose values get into messages; the last one's own end too.
const KEYS: [&str; 18] = [
    tags::NAME,
    tags::CLUSTER,
    "k8s.io/etcd/main",
    "k8s.io/etcd/",
    tags::RECOVERY_POINT,
    tags::VOLUME,
    tags::TRIGGER,
    tags::SNAPSHOT_CLUSTER,
    tags::SNAPSHOT_ETCD_CLUSTER,
    tags::SNAPSHOT_MEMBER,
    tags::KEEP,
    tags::VERIFIED,
    tags::RESTORE,
    tags::LINEAGE,
    tags::STAGE,
    tags::RETIRED_AT,
    tags::REPLACED_BY,
    tags::JOINS_EMPTY,
];

/// Text that is anything, or nearly what is expected.
fn texts() -> impl Strategy<Value = String> {
    let hostile = "[\\x00-\\x1f \"`\\\\/,;.a-c\u{a0}-\u{ff}\u{202a}-\u{202e}\u{2028}]{0,256}";
    let begins = prop::sample::select(vec![
        "",
        "a",
        "a/a,",
        "main/",
        "main/a",
        "2/2",
        "corrupt at=now reason=",
        "ok ",
        "id=vol-a type=",
        "vol-",
        "2026-",
    ]);
    (begins, prop_oneof![hostile, any::<String>(), Just("run now: this.".repeat(18))])
        .prop_map(|(begins, text)| format!("{begins}{text}").chars().take(tags::MOST_VALUE).collect())
}

/// Tags that somebody wrote: a key's place in [`KEYS`], a text at the end of the key, the value.
fn written() -> impl Strategy<Value = Vec<(usize, String, String)>> {
    prop::collection::vec((0..KEYS.len(), texts(), texts()), 0..6)
}

fn tag(tags: &mut tags::Tags, written: &[(usize, String, String)]) {
    for (at, ending, value) in written {
        let ending = if KEYS[*at].ends_with('/') { ending.as_str() } else { "" };
        tags.insert(format!("{}{ending}", KEYS[*at]), value.clone());
    }
}

proptest! {
    #[test]
    fn every_message_of_a_run_is_plain_and_short(on_volume in written(), on_snapshot in written(), says in texts()) {
        let mut volumes: Vec<Volume> = three_volumes();
        tag(&mut volumes[2].tags, &on_volume);
        let mut snapshots: Vec<Snapshot> = point(SLOT, &[Completed; 3]).observed();
        tag(&mut snapshots[2].tags, &on_snapshot);
        snapshots[1].state_message = Some(says);

        let plan = scheduled(volumes, snapshots);
        let report = reported(&plan, &carried_out(&plan));

        let of_members = report.result.recovery_points.iter().flat_map(|point| &point.members);
        let errors = of_members.filter_map(|member| member.error.clone());
        let points = report.result.recovery_points.iter();
        let names = points.map(|point| format!("{} of {}", point.etcd_cluster, point.cluster));
        let told = report.result.warnings.iter().cloned().chain(errors).chain(report.failure).chain(names);
        for message in told {
            prop_assert!(message.chars().all(|c| matches!(c, ' '..='~')), "{:?}", message);
            prop_assert!(message.len() <= 1500, "{} characters: {}", message.len(), message);
        }
    }
}
