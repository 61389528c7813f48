//! Which events are accepted, and what an event that is not is told.

use serde_json::{Value, json};

use super::super::{At, Event, Look, Notification, Reads, Request, Settings};
use super::fixtures::{id, only, reading};
use crate::backup::tests::fixtures::main_of_example;
use crate::scope::{ClusterSet, Scope};
use crate::slot::Slot;

fn accept(event: Value) -> Result<Request, String> {
    let event: Event = serde_json::from_value(event).map_err(|error| error.to_string())?;
    Request::accept(&event, &ClusterSet::All)
}

#[test]
fn a_snapshot_or_a_point_is_asked_for_by_hand() {
    let (of, slot) = (main_of_example(), Slot::parse("2026-11-23T02:00:00Z").expect("a slot"));
    let point = |at, deep| Request::Point { of: of.clone(), at, deep };
    for (event, expected) in [
        (json!({"snapshot": "snap-1"}), Request::Snapshot { id: id("snap-1"), deep: false }),
        (json!({"snapshot": "snap-1", "deep": true}), Request::Snapshot { id: id("snap-1"), deep: true }),
        (json!({"cluster": "k8s.example.com", "etcd_cluster": "main"}), point(At::Latest, false)),
        (
            json!({"cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "latest", "deep": true}),
            point(At::Latest, true),
        ),
        (
            json!({"cluster": "k8s.example.com", "etcd_cluster": "main", "recovery_point": "2026-11-23T02:00:00Z"}),
            point(At::Slot(slot), false),
        ),
    ] {
        assert_eq!(accept(event.clone()), Ok(expected), "{event}");
    }
}

#[test]
fn a_bad_event_names_the_field() {
    for (field, event) in [
        ("cluster", json!({})),
        ("cluster", json!({"deep": true})),
        ("cluster", json!({"etcd_cluster": "main"})),
        ("cluster", json!({"cluster": "*", "etcd_cluster": "main"})),
        ("etcd_cluster", json!({"cluster": "k8s.example.com"})),
        ("etcd_cluster", json!({"cluster": "k8s.example.com", "etcd_cluster": ""})),
        ("recovery_point", json!({"cluster": "c", "etcd_cluster": "main", "recovery_point": "yesterday"})),
        ("snapshot", json!({"snapshot": "snap-*"})),
        ("cluster", json!({"snapshot": "snap-1", "cluster": "c"})),
        ("etcd_cluster", json!({"snapshot": "snap-1", "etcd_cluster": "main"})),
        ("recovery_point", json!({"snapshot": "snap-1", "recovery_point": "latest"})),
    ] {
        let error = accept(event.clone()).expect_err(field);
        assert!(error.starts_with(&format!("{field}: ")), "{event}: {error}");
    }
    for event in [json!({"key1": "value1"}), json!({"snapshot": "snap-1", "depe": true}), json!({"deep": "yes"})] {
        accept(event).expect_err("it is no event of ours");
    }
    let event = Event { cluster: Some("other".to_owned()), ..Event::default() };
    let error = Request::accept(&event, &only("k8s.example.com").clusters).expect_err("it is not looked after");
    assert_eq!(error, "cluster: `other` is not one of CLUSTERS (k8s.example.com)");
}

/// As the EBS user guide shows it.
fn notification(event: &str, result: &str, snapshot: &str, cause: &str) -> Notification {
    let event = json!({
        "version": "0",
        "id": "01234567-0123-0123-0123-012345678901",
        "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2",
        "account": "012345678901",
        "time": "2026-11-23T02:01:00Z",
        "region": "us-west-2",
        "resources": [snapshot],
        "detail": {
            "event": event,
            "result": result,
            "cause": cause,
            "request-id": "",
            "snapshot_id": snapshot,
            "source": "arn:aws:ec2::us-west-2:volume/vol-01234567",
            "startTime": "2026-11-23T02:00:00Z",
            "endTime": "2026-11-23T02:01:00Z",
        },
    });
    serde_json::from_value(event).expect("a notification")
}

#[test]
fn a_notification_names_its_snapshot_by_an_arn() {
    for arn in [
        "arn:aws:ec2::us-west-2:snapshot/snap-0123456789abcdef0",
        "arn:aws-cn:ec2::cn-north-1:snapshot/snap-0123456789abcdef0",
        "snap-0123456789abcdef0",
    ] {
        let read = |result, cause| Request::notified(&notification("createSnapshot", result, arn, cause));
        let id = || id("snap-0123456789abcdef0");
        assert_eq!(read("succeeded", ""), Ok(Request::Completed(id())));
        assert_eq!(read("failed", " "), Ok(Request::Failed { id: id(), cause: None }));
        let cause = Some("the key is disabled".to_owned());
        assert_eq!(read("failed", "the key is disabled"), Ok(Request::Failed { id: id(), cause }));
    }
    let error = Request::notified(&notification("createSnapshot", "succeeded", "arn:aws:ec2:::volume/vol-1", ""));
    assert!(error.is_err_and(|error| error.starts_with("detail.snapshot_id: `vol-1`")));
}

#[test]
fn a_notification_of_something_else_is_nothing_to_do() {
    for (event, result) in
        [("copySnapshot", "succeeded"), ("shareSnapshot", "succeeded"), ("createSnapshot", "deleted"), ("", "")]
    {
        let read = Request::notified(&notification(event, result, "whatever", ""));
        assert_eq!(read, Ok(Request::Other(format!("{event} {result} is no snapshot taken"))));
    }
    let of_several = json!({"detail": {"event": "createSnapshots", "result": "succeeded", "snapshots": []}});
    let of_several: Notification = serde_json::from_value(of_several).expect("a notification");
    assert!(matches!(Request::notified(&of_several), Ok(Request::Other(_))));
    let without = json!({"detail": {"event": "createSnapshot", "result": "succeeded"}});
    let without: Notification = serde_json::from_value(without).expect("a notification");
    assert_eq!(Request::notified(&without), Err("detail.snapshot_id: is missing".to_owned()));
}

#[test]
fn each_request_says_what_to_look_at() {
    let (of, settings) = (main_of_example(), only("k8s.example.com"));
    let scope = |etcd_cluster| Look::Marked(Scope { clusters: settings.clusters.clone(), etcd_cluster });
    let one = || id("snap-1");
    for (request, expected) in [
        (Request::Snapshot { id: one(), deep: true }, Look::Snapshot(one())),
        (Request::Completed(one()), Look::PointOf(one())),
        (Request::Failed { id: one(), cause: None }, Look::PointOf(one())),
        (Request::Point { of: of.clone(), at: At::Latest, deep: false }, scope(Some(of.etcd_cluster.clone()))),
        (Request::Sweep, scope(None)),
        (Request::Other("a copy".to_owned()), Look::Nothing),
    ] {
        assert_eq!(request.look(&settings), expected);
        let by_itself = matches!(request, Request::Completed(_) | Request::Sweep);
        let off = Settings { reads: Reads::Off, ..settings.clone() };
        assert_eq!(request.look(&off), if by_itself { Look::Nothing } else { expected });
    }
    let everything = Scope { clusters: ClusterSet::All, etcd_cluster: None };
    assert_eq!(Request::Sweep.look(&reading(Reads::Daily)), Look::Marked(everything));
    assert_eq!(Request::Completed(one()).look(&reading(Reads::Daily)), Look::PointsOf(one()));
}
