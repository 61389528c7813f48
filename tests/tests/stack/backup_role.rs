//! The role of `backup`.

use std::collections::BTreeMap;

use scenarios::stack::Request;
use scenarios::tags::{self, Tags};
use scenarios::{Account, Function, Kops, LocalAws, Stack};
use serde_json::json;

use super::asked::{SNAPSHOT, VOLUME, asked, from_source, on, put_events, with};
use super::{CLUSTER, KEY, OTHER, answers, is_exactly};

/// Tagging in the create call is asked about as a call of its own:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html>. It is among the questions
/// about the calls, so nothing is left for this table.
const UNSEEN: [(&[&str], &str); 0] = [];

/// The tags of everything in an account.
async fn all_tags(account: &Account) -> BTreeMap<String, Tags> {
    let snapshots = account.snapshots().await.into_iter().map(|snapshot| (snapshot.id, snapshot.tags));
    let volumes = account.volumes().await.into_iter().map(|volume| (volume.id, volume.tags));
    snapshots.chain(volumes).collect()
}

#[tokio::test]
async fn every_call_of_a_run_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.past_hours("main", "2026-11-20T02:00:00Z", 4).await;
    cluster.past_point("events", "2026-11-20T02:00:00Z").await;
    cluster.past_point("events", "2026-11-20T01:00:00Z").with_state("a", "error").await;
    let backup = Function::named("backup").account(&account).env("RETENTION", "keep-last=1").start().await;
    let tags = all_tags(&account).await;
    account.clock("2026-11-20T03:00:02Z").await;
    account.forget_calls().await;

    account.fail_next("CreateSnapshot").losing_the_answer().await;
    backup.invoke(scenarios::events::scheduled("2026-11-20T03:00:00Z")).await.unwrap();
    cluster.lose("events", "b").await;
    backup.invoke(json!({"keep": true})).await.unwrap_err();

    let calls = account.all_calls().await;
    let of_function = calls.iter().filter(|call| call.action != "DeleteVolume");
    let questions: Vec<_> = of_function.flat_map(|call| asked(call, |id| tags[id].clone())).collect();
    assert!(questions.iter().any(|request| request.action == "ec2:DeleteSnapshot"));
    for clusters in ["*", CLUSTER, "other.example.com,k8s.example.com"] {
        is_exactly(&Stack::with(&json!({"Clusters": clusters})).role("BackupRole"), &questions, &UNSEEN);
    }
}

#[test]
fn what_the_role_must_never_do_is_not_allowed() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let marked = |cluster: &str| tags::snapshot(&of(cluster), "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let kept = |value: &str| marked(CLUSTER).into_iter().chain(tags::of([("etcd-backup/keep", value)])).collect();
    let (none, strange) = (Tags::new(), tags::of([("Name", "a database")]));
    let in_create_call =
        |action| with(on(SNAPSHOT, "ec2:CreateTags", &none, &marked(CLUSTER)), "ec2:CreateAction", action);
    let role = Stack::with(&json!({"Clusters": CLUSTER})).role("BackupRole");
    answers(
        &role,
        vec![
            (true, "a volume of the cluster", on(VOLUME, "ec2:CreateSnapshot", &of(CLUSTER), &none)),
            (false, "a volume of another cluster", on(VOLUME, "ec2:CreateSnapshot", &of(OTHER), &none)),
            (false, "a volume of no cluster", on(VOLUME, "ec2:CreateSnapshot", &strange, &none)),
            (true, "a marked snapshot", on(SNAPSHOT, "ec2:CreateSnapshot", &none, &marked(CLUSTER))),
            (false, "an unmarked snapshot", on(SNAPSHOT, "ec2:CreateSnapshot", &none, &of(CLUSTER))),
            (
                false,
                "a marked snapshot that bears kops' tag too",
                on(SNAPSHOT, "ec2:CreateSnapshot", &none, &of(CLUSTER).into_iter().chain(marked(CLUSTER)).collect()),
            ),
            (
                false,
                "a snapshot marked as another cluster's",
                on(SNAPSHOT, "ec2:CreateSnapshot", &none, &marked(OTHER)),
            ),
            (true, "tags in the create call", in_create_call("CreateSnapshot")),
            (false, "tags in a create call of another kind", in_create_call("CopySnapshot")),
            (false, "a stranger's snapshot marked as ours", on(SNAPSHOT, "ec2:CreateTags", &strange, &marked(CLUSTER))),
            (
                false,
                "a pin taken away",
                on(SNAPSHOT, "ec2:DeleteTags", &kept("true"), &tags::of([("etcd-backup/keep", "true")])),
            ),
            (false, "a volume tagged", on(VOLUME, "ec2:CreateTags", &of(CLUSTER), &strange)),
            (true, "a snapshot of ours deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked(CLUSTER), &none)),
            (false, "one of another cluster", on(SNAPSHOT, "ec2:DeleteSnapshot", &marked(OTHER), &none)),
            (false, "a stranger's", on(SNAPSHOT, "ec2:DeleteSnapshot", &strange, &none)),
            (false, "another tool's, which lacks the mark", on(SNAPSHOT, "ec2:DeleteSnapshot", &of(CLUSTER), &none)),
            (false, "a pinned one", on(SNAPSHOT, "ec2:DeleteSnapshot", &kept("true"), &none)),
            (true, "one whose pin was taken back", on(SNAPSHOT, "ec2:DeleteSnapshot", &kept("false"), &none)),
            (false, "a blank volume", on(VOLUME, "ec2:CreateVolume", &none, &of(CLUSTER))),
            (false, "a volume deleted", on(VOLUME, "ec2:DeleteVolume", &of(CLUSTER), &none)),
            (false, "a snapshot shared", on(SNAPSHOT, "ec2:ModifySnapshotAttribute", &marked(CLUSTER), &none)),
            (false, "blocks read", on(SNAPSHOT, "ebs:GetSnapshotBlock", &marked(CLUSTER), &none)),
            (true, "an event on the bus", put_events("default")),
            (false, "an event of another source", from_source("payments")),
            (false, "an event on another bus", put_events("payments")),
            (
                false,
                "a key used",
                with(on(KEY, "kms:Decrypt", &none, &none), "kms:ViaService", "ec2.eu-central-1.amazonaws.com"),
            ),
        ],
    );
}

#[test]
fn for_all_clusters_a_volume_must_still_be_some_clusters() {
    let (none, strange) = (Tags::new(), tags::of([("Name", "a database")]));
    let of = tags::kops(OTHER, "main", "a", &["a".to_owned()]);
    answers(
        &Stack::by_default().role("BackupRole"),
        vec![
            (true, "any cluster's", on(VOLUME, "ec2:CreateSnapshot", &of, &none)),
            (false, "none's", on(VOLUME, "ec2:CreateSnapshot", &strange, &none)),
        ],
    );
}

#[test]
fn events_may_be_sent_to_the_bus_that_is_named_and_to_none_where_none_is() {
    let arn = "arn:aws:events:eu-central-1:999999999999:event-bus/central";
    let elsewhere = |bus: &str| Request { resource: bus.to_owned(), ..put_events("") };
    for (bus, allowed) in [("ops", [true, false, false]), (arn, [false, true, false]), ("", [false; 3])] {
        let role = Stack::with(&json!({"EventBus": bus})).role("BackupRole");
        let requests = [put_events("ops"), elsewhere(arn), put_events("default")];
        assert_eq!(role.allows(&requests), allowed, "{bus}");
    }
}
