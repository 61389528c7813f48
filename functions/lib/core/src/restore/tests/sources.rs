//! Which snapshots are meant, and what they must say of themselves.

use super::super::{Allow, At, Described, ForeignSnapshots, RefusalKind, RestorePlan, RestoreRequest, What, plan};
use super::fixtures::{OLDER_SLOT, SLOT, in_the_way, member, now, of_one, planned, settings, snapshots, try_plan};
use crate::backup::tests::fixtures::{main_of_example, point, stood};
use crate::ids::{Cluster, EtcdCluster, SnapshotId, Zone};
use crate::recovery_point::RecoveryPoint;
use crate::scope::ClusterSet;
use crate::snapshot::SnapshotState::{Completed, Error, Pending};
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags::{self, Membership};

const NEWEST_SLOT: &str = "2026-11-23T03:00:00Z";
const OK: &str = "ok at=then";

/// A complete point that everything is well with.
fn whole(slot: &str) -> RecoveryPoint {
    point(slot, &[Completed; 3]).verified()
}

/// The point that `latest` is, with what is warned of.
fn latest(snapshots: Vec<Snapshot>) -> (String, Vec<String>) {
    let plan = planned(&RestoreRequest::of_latest(), Vec::new(), snapshots);
    let passed_over = plan.warnings.into_iter().filter(|warning| warning.starts_with("`latest` is ")).collect();
    (plan.slot.expect("a point").to_string(), passed_over)
}

fn error_of(request: &RestoreRequest, snapshots: Vec<Snapshot>) -> (RefusalKind, String) {
    let refusal = try_plan(request, Vec::new(), snapshots).expect_err("nothing to plan");
    (refusal.kind, refusal.message)
}

#[test]
fn latest_is_the_newest_point() {
    let points = [whole(SLOT), whole(NEWEST_SLOT), whole(OLDER_SLOT)];
    assert_eq!(latest(points.iter().flat_map(RecoveryPoint::observed).collect()), (NEWEST_SLOT.to_owned(), Vec::new()));
}

#[test]
fn latest_passes_over_what_cannot_be_started_in_a_known_order_and_says_why() {
    let event = r#"{"cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "2026-11-23T03:00:00Z"}"#;
    let unread =
        format!("c has not been read by `verify` (snap-c-{NEWEST_SLOT}); send to the `verify` function: {event}");
    for (worse, why) in [
        (point(NEWEST_SLOT, &[Completed; 2]).verified(), "it is partial"),
        (point(NEWEST_SLOT, &[Completed, Error, Completed]).verified(), "it is partial"),
        (point(NEWEST_SLOT, &[Completed, Completed, Pending]).verified(), "it is pending"),
        (whole(NEWEST_SLOT).corrupt(), "it was found corrupt"),
        (whole(NEWEST_SLOT).found("c", ""), unread.as_str()),
        (whole(NEWEST_SLOT).found("c", OK), unread.as_str()),
        (whole(NEWEST_SLOT).found("c", "ok at=then term=2 last=2.100 reason=commit=100"), unread.as_str()),
        (whole(NEWEST_SLOT).found("c", "unsupported reason=xfs"), "c was found unsupported"),
        (whole(NEWEST_SLOT).of_another_etcd("c"), "its members contradict each other: "),
    ] {
        let (slot, told) = latest(worse.observed().into_iter().chain(snapshots()).collect());
        assert_eq!((slot.as_str(), told.len()), (SLOT, 1), "{why}");
        assert!(told[0].contains(&format!("passed over {NEWEST_SLOT} ({why}")), "{told:?}");
    }
    let copies = whole(NEWEST_SLOT).observed().into_iter().map(Snapshot::copied);
    assert_eq!(latest(copies.chain(snapshots()).collect()), (SLOT.to_owned(), Vec::new()), "they are nobody's points");
}

#[test]
fn skew_and_damage_that_etcd_gets_over_keep_no_point_from_being_latest() {
    let late = whole(NEWEST_SLOT).skewed_by_ms(3_600_000);
    let in_stages = whole(NEWEST_SLOT).stood("a", 584, 584).stood("b", 528, 524).stood("c", 648, 645);
    let degraded = stood("b", 100, 100).replacen("ok", "degraded", 1);
    for bearable in [late, in_stages, whole(NEWEST_SLOT).found("b", &degraded)] {
        let (slot, told) = latest(bearable.observed().into_iter().chain(snapshots()).collect());
        assert_eq!((slot.as_str(), told), (NEWEST_SLOT, Vec::new()));
    }
}

#[test]
fn of_many_points_that_were_passed_over_a_few_are_told() {
    let at = |hour| point(&format!("2026-11-23T{hour:02}:00:00Z"), &[Completed; 3]).observed();
    let (slot, told) = latest((3..9).flat_map(at).chain(snapshots()).collect());
    assert_eq!((slot.as_str(), told.len()), (SLOT, 1));
    assert!(told[0].ends_with(", and 3 more") && told[0].contains("2026-11-23T08:00:00Z"), "{told:?}");
}

#[test]
fn the_only_member_of_an_etcd_cluster_needs_no_position() {
    let (_, mut snapshot) = of_one();
    for verdict in ["", OK, "degraded reason=meta", "unsupported reason=xfs"] {
        snapshot.tags.insert(tags::VERIFIED.to_owned(), verdict.to_owned());
        assert_eq!(latest(vec![snapshot.clone()]).0, SLOT, "{verdict}");
    }
}

#[test]
fn latest_verified_is_the_newest_of_which_all_members_are_ok() {
    let request = RestoreRequest::of_point(At::Latest { verified: true });
    let slot = |snapshots| planned(&request, Vec::new(), snapshots).slot.map(|slot| slot.to_string());
    let degraded = stood("c", 100, 100).replacen("ok", "degraded", 1);
    for unverified in ["", OK, "unsupported", degraded.as_str()] {
        let all = whole(SLOT).found("c", unverified).observed().into_iter().chain(whole(OLDER_SLOT).observed());
        assert_eq!(slot(all.collect()).as_deref(), Some(OLDER_SLOT), "{unverified:?}");
    }
    let (kind, message) = error_of(&request, whole(SLOT).found("c", &degraded).observed());
    assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
    assert!(message.contains(&format!("{SLOT} (not every member was found `ok`)")), "{message}");
}

#[test]
fn a_point_that_is_not_there_is_none_in_every_mode() {
    let (kind, message) = error_of(&RestoreRequest::of_slot(OLDER_SLOT), snapshots());
    assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
    assert!(message.contains(&format!("no recovery point {OLDER_SLOT}; there are 1, from {SLOT} to {SLOT}")));
    for request in [RestoreRequest::of_slot(SLOT), RestoreRequest::of_latest()] {
        let (kind, message) = error_of(&request, Vec::new());
        assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
        assert!(message.contains("in this account and region"), "{message}");
    }
    let of_events = |snapshot: Snapshot| snapshot.marked(&[(tags::SNAPSHOT_ETCD_CLUSTER, "events")]);
    let events = snapshots().into_iter().map(of_events).collect();
    assert_eq!(error_of(&RestoreRequest::of_latest(), events).0, RefusalKind::NoSuchRecoveryPoint);
    let (kind, message) = error_of(&of_snapshot("snap-gone", Described::default()), snapshots());
    assert_eq!(kind, RefusalKind::NoSuchRecoveryPoint);
    assert!(message.starts_with("snapshot: there is no snap-gone"), "{message}");
}

#[test]
fn a_member_that_the_point_does_not_have_is_refused() {
    let (kind, message) = error_of(&RestoreRequest::of_slot(SLOT).of_members(&["a", "z"]), snapshots());
    assert_eq!(kind, RefusalKind::InvalidRequest);
    assert_eq!(message, "members: `z` is none of the point's, which are a, b, c");
}

#[test]
fn a_zone_is_one_members() {
    let moved = RestoreRequest { zone: Zone::parse("eu-central-1z").ok(), ..RestoreRequest::of_slot(SLOT) };
    let (kind, message) = error_of(&moved, snapshots());
    assert!(kind == RefusalKind::InvalidRequest && message.starts_with("zone: "), "{message}");
    let plan = planned(&moved.of_members(&["a"]), Vec::new(), snapshots());
    assert_eq!(plan.members[0].new.zone.as_str(), "eu-central-1z");
    assert!(plan.warnings.iter().any(|warning| warning.contains("moves from eu-central-1a to eu-central-1z")));
    let stays = planned(&RestoreRequest::of_slot(SLOT), Vec::new(), snapshots());
    let zones: Vec<&str> = stays.members.iter().map(|member| member.new.zone.as_str()).collect();
    assert_eq!(zones, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
}

#[test]
fn a_zone_does_not_hide_what_is_wrong_with_the_member() {
    let pending = point(SLOT, &[Pending, Completed, Completed]).observed();
    let moved = RestoreRequest { zone: Zone::parse("eu-central-1z").ok(), ..RestoreRequest::of_slot(SLOT) };
    let plan = try_plan(&moved.of_members(&["a"]), Vec::new(), pending).expect("a plan");
    assert_eq!(in_the_way(&plan), ["SnapshotNotCompleted", "MemberRollback"]);
}

fn of_snapshot(id: &str, described: Described) -> RestoreRequest {
    let what = What::Snapshot(SnapshotId::parse(id).expect("an id"), described);
    RestoreRequest { what, ..RestoreRequest::of_latest() }
}

/// A snapshot that some other tool took.
fn foreign() -> Snapshot {
    let mut foreign = snapshots().remove(0);
    foreign.id = SnapshotId::parse("snap-foreign").expect("an id");
    foreign.tags.clear();
    Snapshot { description: "another tool's".to_owned(), ..foreign }
}

fn described() -> Described {
    Described {
        cluster: Some(main_of_example().cluster),
        etcd_cluster: Some(main_of_example().etcd_cluster),
        membership: Membership::parse("a/a").ok(),
    }
}

fn in_zone(mut request: RestoreRequest) -> RestoreRequest {
    request.zone = Zone::parse("eu-central-1z").ok();
    request
}

#[test]
fn a_foreign_snapshot_is_restored_where_the_event_says_all_of_it() {
    let request = in_zone(of_snapshot("snap-foreign", described())).allowing(Allow::Foreign);
    let plan = planned_with(ForeignSnapshots::Account, &request, foreign());
    assert_eq!((in_the_way(&plan), plan.slot, plan.members.len()), (Vec::new(), None, 1));
    let RestorePlan { members, forecast, .. } = plan;
    assert!(forecast.is_ok(), "{forecast:?}");
    assert_eq!(members[0].full["k8s.io/etcd/main"], "a/a");
    assert_eq!(members[0].new.zone.as_str(), "eu-central-1z");
    assert_eq!((members[0].new.settings.iops, members[0].new.settings.throughput), (Some(3000), Some(125)));
}

fn planned_with(foreign: ForeignSnapshots, request: &RestoreRequest, snapshot: Snapshot) -> RestorePlan {
    let observed = super::super::Observed { snapshots: vec![snapshot], ..Default::default() };
    plan(&observed, request, &super::super::Settings { foreign, ..settings() }, now()).expect("a plan")
}

#[test]
fn whose_snapshots_may_be_restored_is_configured_and_said_in_the_event() {
    use ForeignSnapshots::{Account, Any, Off};
    let of_one = of_one().1;
    let own = Snapshot { id: foreign().id, ..foreign() };
    let shared = Snapshot { own: false, owner: "999988887777".to_owned(), ..own.clone() };
    let copy = of_one.clone().copied();
    let unmarked = of_one.clone().without_tag(tags::RECOVERY_POINT);
    let doubtful = of_one.clone().tagged(tags::TRIGGER, "manual");
    for (snapshot, least, needs_word) in [
        (of_one, Off, false),
        (copy, Off, true),
        (doubtful, Off, true),
        (unmarked, Account, true),
        (own, Account, true),
        (Snapshot { own: false, ..shared.clone() }, Any, true),
        (Snapshot { own: false, ..copy_of_another() }, Any, true),
    ] {
        for foreign in [Off, Account, Any] {
            for said in [false, true] {
                let request = in_zone(of_snapshot(snapshot.id.as_str(), described()));
                let described = if snapshot.tags.is_empty() { described() } else { Described::default() };
                let request = RestoreRequest { what: What::Snapshot(snapshot.id.clone(), described), ..request };
                let request = if said { request.allowing(Allow::Foreign) } else { request };
                let plan = planned_with(foreign, &request, snapshot.clone());
                let refused = in_the_way(&plan).contains(&"Foreign");
                assert_eq!(refused, foreign < least || (needs_word && !said), "{snapshot:?} {foreign:?} {said}");
                assert_eq!(plan.members[0].owner, snapshot.owner);
            }
        }
    }
    let refused = &planned_with(Account, &in_zone(of_snapshot("snap-foreign", described())), shared).refusals[0];
    assert_eq!(
        refused.message,
        "snap-foreign is not one that this tool took: it belongs to another account, 999988887777. FOREIGN_SNAPSHOTS is \
         `account`; to restore it set the stack's parameter ForeignSnapshots to `any`, and plan again with `allow_foreign`"
    );
}

/// Another account's, with our marks.
fn copy_of_another() -> Snapshot {
    Snapshot { owner: "999988887777".to_owned(), ..of_one().1.copied() }
}

#[test]
fn what_a_foreign_snapshot_lacks_is_named() {
    let error = |request: &RestoreRequest, snapshot: Snapshot| {
        let (kind, message) = error_of(request, vec![snapshot]);
        assert_eq!(kind, RefusalKind::NotOurs, "{message}");
        message
    };
    let lacks = "snap-foreign does not say what it is of; give";
    let member = "`member` (`<member>/<all members>`, e.g. `a/a,b,c`)";
    let nothing = of_snapshot("snap-foreign", Described::default());
    assert_eq!(error(&nothing, foreign()), format!("{lacks} `cluster`, `etcd_cluster`, {member}, `zone`"));
    assert_eq!(error(&of_snapshot("snap-foreign", described()), foreign()), format!("{lacks} `zone`"));
    let tagged = foreign().tagged(tags::CLUSTER, "k8s.example.com").tagged("k8s.io/etcd/main", "a/b");
    assert_eq!(error(&in_zone(nothing), tagged), format!("{lacks} {member}"));
    for field in ["`cluster`", "`etcd_cluster`", member] {
        let mut described = described();
        match field {
            "`cluster`" => described.cluster = None,
            "`etcd_cluster`" => described.etcd_cluster = None,
            _ => described.membership = None,
        }
        assert_eq!(error(&in_zone(of_snapshot("snap-foreign", described)), foreign()), format!("{lacks} {field}"));
    }
}

#[test]
fn an_event_may_repeat_what_the_tags_say_and_not_contradict_it() {
    let id = format!("snap-a-{SLOT}");
    let same = Described { membership: Membership::parse("a/a,b,c").ok(), ..described() };
    let plan = planned(&of_snapshot(&id, same.clone()), Vec::new(), snapshots());
    assert_eq!(in_the_way(&plan), ["MemberRollback"], "one of three");
    for (field, other) in [
        ("cluster", Described { cluster: Cluster::parse("other.example.com").ok(), ..same.clone() }),
        ("etcd_cluster", Described { etcd_cluster: EtcdCluster::parse("events").ok(), ..same.clone() }),
        ("member", Described { membership: Membership::parse("a/a,b").ok(), ..same.clone() }),
        ("member", Described { membership: Membership::parse("b/a,b,c").ok(), ..same }),
    ] {
        let (kind, message) = error_of(&of_snapshot(&id, other), snapshots());
        assert_eq!(kind, RefusalKind::InvalidRequest);
        assert!(message.starts_with(&format!("{field}: ")) && message.contains("contradicts"), "{message}");
    }
}

#[test]
fn a_copy_and_a_snapshot_in_whatever_state_are_told_apart_by_their_tags() {
    let copy = snapshots().remove(0).copied();
    let of_copy = of_snapshot(copy.id.as_str(), Described::default()).allowing(Allow::Foreign);
    let plan = planned(&of_copy, Vec::new(), vec![copy.clone()]);
    assert_eq!((plan.members[0].lineage.member.clone(), plan.members.len()), (member("a"), 1));
    assert_eq!(plan.slot.map(|slot| slot.to_string()).as_deref(), Some(SLOT));
    for state in [SnapshotState::Pending, SnapshotState::Error, SnapshotState::Other] {
        let unready = Snapshot { state, state_message: Some("no KMS".to_owned()), ..copy.clone() };
        let plan = planned(&of_copy, Vec::new(), vec![unready]);
        assert_eq!(in_the_way(&plan), ["SnapshotNotCompleted", "MemberRollback"]);
        assert_eq!(plan.refusals[0].message.contains("no KMS"), state == SnapshotState::Error);
    }
    let two = foreign().tagged("k8s.io/etcd/main", "a/a").tagged("k8s.io/etcd/events", "a/a");
    let (kind, message) = error_of(&of_snapshot(two.id.as_str(), Described::default()), vec![two]);
    assert!(kind == RefusalKind::InvalidRequest && message.contains("several tags"), "{message}");
}

#[test]
fn a_snapshot_of_a_cluster_that_is_not_looked_after_is_refused() {
    let observed = super::super::Observed { snapshots: snapshots(), ..Default::default() };
    let other = ClusterSet::Named([Cluster::parse("other.example.com").expect("a cluster")].into());
    let settings = super::super::Settings { clusters: other, ..settings() };
    let request = of_snapshot(&format!("snap-a-{SLOT}"), Described::default());
    let refusal = plan(&observed, &request, &settings, now()).expect_err("it is not looked after");
    assert_eq!(refusal.kind, RefusalKind::InvalidRequest);
    assert!(refusal.message.starts_with("cluster: `k8s.example.com` is not one of CLUSTERS"), "{refusal}");
}

#[test]
fn a_new_volume_bears_all_that_kops_gives_and_the_labels_of_the_old_one() {
    let labelled = snapshots().into_iter().map(|snapshot| {
        let had =
            super::fixtures::tags_of([("Name", "another"), ("team", "x"), ("aws:x", "y"), ("k8s.io/role/master", "")]);
        snapshot.of_volume_with(&had)
    });
    let plan = planned(&RestoreRequest::of_slot(SLOT), Vec::new(), labelled.collect());
    for one in &plan.members {
        let mut expected = super::fixtures::kops_tags(one.lineage.member.as_str());
        expected.insert("team".to_owned(), "x".to_owned());
        assert_eq!(one.full, expected);
    }
    assert!(plan.warnings.iter().any(|warning| warning.contains("`Name` `another`")), "{:?}", plan.warnings);
}

#[test]
fn a_new_volume_is_found_by_the_cluster_that_the_event_names_alone() {
    let of_other = foreign().tagged("kubernetes.io/cluster/other.example.com", "owned");
    let request = in_zone(of_snapshot("snap-foreign", described()));
    let plan = planned(&request, Vec::new(), vec![of_other]);
    let owned: Vec<&String> = plan.members[0].full.keys().filter(|key| key.starts_with(tags::OWNED_PREFIX)).collect();
    assert_eq!(owned, ["kubernetes.io/cluster/k8s.example.com"]);
}
