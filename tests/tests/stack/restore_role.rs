//! The role of `restore`.

use std::collections::BTreeMap;

use scenarios::ledger::Ledger;
use scenarios::stack::Request;
use scenarios::tags::{self, Tags};
use scenarios::{Function, Kops, LocalAws, Stack};
use serde_json::{Value, json};

use super::asked::{ACCOUNT, SNAPSHOT, VOLUME, asked, from_source, on, put_events, volume_of, with};
use super::{CLUSTER, KEY, OTHER, answers, is_exactly};

const THROUGH_EC2: &str = "ec2.eu-central-1.amazonaws.com";

/// EC2 uses the key in the caller's name.
const UNSEEN: [(&[&str], &str); 1] = [(
    &[
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ],
    "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html",
)];

#[tokio::test]
async fn every_call_of_an_apply_a_withdrawal_and_an_undo_is_allowed_and_no_other_action_is() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    for etcd in ["main", "events"] {
        cluster.verified_point(etcd, "2026-11-23T02:00:00Z").await;
    }
    cluster.lose("events", "b").await;
    let first = account.volumes().await;
    let restore = Function::named("restore").account(&account).start().await;
    account.forget_calls().await;
    let event = |etcd: &str, more: Value| {
        let mut event = json!({"cluster": CLUSTER, "etcd_cluster": etcd});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    restore.invoke(json!({})).await.unwrap();
    let apply = restore.invoke(event("main", json!({"replace": true}))).await.unwrap()["apply"].clone();
    account.fail_next("DeleteTags").after(2).with("InternalError", 500).times(9).await;
    restore.invoke(apply.clone()).await.unwrap_err();
    account.clear_faults().await;
    let result = restore.invoke(apply).await.unwrap();
    restore.invoke(result["undo"].clone()).await.unwrap();
    // One that fails makes the next apply withdraw.
    let plan = restore.invoke(event("main", json!({"replace": true}))).await.unwrap();
    account.volumes_stay_creating().await;
    let made = account.calls("CreateVolume").await.len();
    let (withdrawn, ()) = tokio::join!(restore.invoke(plan["apply"].clone()), async {
        let failed = account.until_made(made + 3).await.remove(made);
        account.change_volumes(&failed).state("error").await;
        account.settle_volumes().await;
    });
    assert!(withdrawn.unwrap_err().sentence().contains("is `error`"));
    account.volumes_are_made_at_once().await;
    for event in [event("events", json!({"replace": true})), event("main", json!({"cut_over": false}))] {
        let plan = restore.invoke(event).await.unwrap();
        let result = restore.invoke(plan["apply"].clone()).await.unwrap();
        if result["undo"].is_object() {
            restore.invoke(result["undo"].clone()).await.unwrap();
        }
    }

    let calls = account.all_calls().await;
    let snapshots = account.snapshots().await.into_iter().map(|snapshot| (snapshot.id, snapshot.tags));
    let snapshots: BTreeMap<String, Tags> = snapshots.collect();
    let mut now = Ledger::from(&first);
    let mut moments = now.clone().moments(&calls).into_iter();
    let mut questions: Vec<Request> = Vec::new();
    for call in &calls {
        questions.extend(asked(call, |id| now.tags(id).unwrap_or_else(|| &snapshots[id]).clone()));
        let changed = ["CreateVolume", "CreateTags", "DeleteTags"].contains(&call.action.as_str());
        if changed && call.performed && call.error.is_none() {
            now = moments.next().unwrap().1;
        }
    }
    for clusters in ["*", CLUSTER] {
        let stack = Stack::with(&json!({"Clusters": clusters, "KmsKeyArns": KEY}));
        is_exactly(&stack.role("RestoreRole"), &questions, &UNSEEN);
    }
}

#[test]
fn what_the_role_must_never_do_is_not_allowed() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let (none, strange) = (Tags::new(), tags::of([("Name", "a database")]));
    let marked = |cluster: &str| {
        let mark = [("etcd-backup/restore", "20261123T021500.041Z-1a2b3c4d"), ("KubernetesCluster", cluster)];
        tags::of(mark)
    };
    let retired = tags::of([("etcd-backup/retired-at", "2026-11-23T02:15:00Z")]);
    let given_back = |cluster: &str| -> Tags { retired.clone().into_iter().chain(of(cluster)).collect() };
    let from = |request| with(request, "ec2:ParentSnapshot", SNAPSHOT);
    let create = |tags: &Tags| on(VOLUME, "ec2:CreateVolume", &none, tags);
    let role = Stack::with(&json!({"Clusters": CLUSTER})).role("RestoreRole");
    answers(
        &role,
        vec![
            (true, "a marked volume of a snapshot", from(create(&marked(CLUSTER)))),
            (false, "a blank volume", create(&marked(CLUSTER))),
            (false, "an unmarked volume", from(create(&of(CLUSTER)))),
            (false, "a volume for another cluster", from(create(&marked(OTHER)))),
            (
                false,
                "one that etcd-manager could find at once",
                from(create(&of(CLUSTER).into_iter().chain(marked(CLUSTER)).collect())),
            ),
            (true, "one of no cluster, to look at", from(create(&tags::of([("etcd-backup/restore", "x")])))),
            (true, "a kops volume is parked", on(VOLUME, "ec2:CreateTags", &of(CLUSTER), &retired)),
            (true, "and loses its tags", on(VOLUME, "ec2:DeleteTags", &of(CLUSTER), &of(CLUSTER))),
            (true, "a retired one is given back", on(VOLUME, "ec2:CreateTags", &retired, &of(CLUSTER))),
            (false, "another cluster's volume is parked", on(VOLUME, "ec2:CreateTags", &of(OTHER), &retired)),
            (false, "and loses its tags", on(VOLUME, "ec2:DeleteTags", &of(OTHER), &of(OTHER))),
            (false, "even where it bears our mark", on(VOLUME, "ec2:DeleteTags", &given_back(OTHER), &of(OTHER))),
            (true, "one that is given back", on(VOLUME, "ec2:DeleteTags", &given_back(CLUSTER), &retired)),
            (false, "another cluster's volume is made ours", on(VOLUME, "ec2:CreateTags", &of(OTHER), &of(CLUSTER))),
            (false, "our volume is made another cluster's", on(VOLUME, "ec2:CreateTags", &of(CLUSTER), &of(OTHER))),
            (false, "so is a retired one", on(VOLUME, "ec2:CreateTags", &retired, &of(OTHER))),
            (false, "a stranger's volume is made kops'", on(VOLUME, "ec2:CreateTags", &strange, &of(CLUSTER))),
            (false, "a stranger's volume loses tags", on(VOLUME, "ec2:DeleteTags", &strange, &strange)),
            (
                false,
                "a stranger's is marked as retired, to be tagged next",
                on(VOLUME, "ec2:CreateTags", &strange, &retired),
            ),
            (
                false,
                "tags in a create call of another kind",
                with(on(VOLUME, "ec2:CreateTags", &none, &of(CLUSTER)), "ec2:CreateAction", "RunInstances"),
            ),
            (false, "a snapshot is tagged", on(SNAPSHOT, "ec2:CreateTags", &of(CLUSTER), &of(CLUSTER))),
            (false, "a snapshot is deleted", on(SNAPSHOT, "ec2:DeleteSnapshot", &of(CLUSTER), &none)),
            (false, "a volume is deleted", on(VOLUME, "ec2:DeleteVolume", &of(CLUSTER), &none)),
            (false, "a volume is attached", on(VOLUME, "ec2:AttachVolume", &of(CLUSTER), &none)),
            (true, "an event on the bus", put_events("default")),
            (false, "an event of another source", from_source("payments")),
            (false, "an event on another bus", put_events("payments")),
        ],
    );
}

#[test]
fn of_whose_snapshots_it_makes_volumes_follows_one_parameter() {
    let of = |cluster: &str| tags::kops(cluster, "main", "a", &["a".to_owned()]);
    let marked = |cluster: &str| tags::snapshot(&of(cluster), "2026-11-23T02:00:00Z", "id=vol-0123456789abcdef0");
    let claimed = tags::of([("etcd-backup/cluster", CLUSTER)]);
    for (foreign, [another_clusters, unmarked, others]) in
        [("off", [false; 3]), ("account", [true, true, false]), ("any", [true; 3])]
    {
        let stack = Stack::with(&json!({"Clusters": CLUSTER, "ForeignSnapshots": foreign}));
        answers(
            &stack.role("RestoreRole"),
            vec![
                (true, "one of ours", volume_of(ACCOUNT, &marked(CLUSTER))),
                (another_clusters, "one that is marked as another cluster's", volume_of(ACCOUNT, &marked(OTHER))),
                (unmarked, "another tool's", volume_of(ACCOUNT, &of(CLUSTER))),
                (unmarked, "one with half a mark", volume_of(ACCOUNT, &claimed)),
                (others, "one that another account shares", volume_of("999900001111", &Tags::new())),
                (others, "though it bears our marks", volume_of("999900001111", &marked(CLUSTER))),
                (others, "one that AWS shares", volume_of("amazon", &Tags::new())),
            ],
        );
    }
    let for_all = Stack::by_default().role("RestoreRole");
    assert_eq!(for_all.allows(&[volume_of(ACCOUNT, &marked(OTHER))]), [true], "of all clusters, if none are named");
}

#[test]
fn no_other_policy_could_let_it_claim_a_strangers_volume() {
    // As if somebody had attached `ec2:CreateTags` on everything.
    let stack = Stack::by_default();
    let everything = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}],
    });
    let role = stack.role("RestoreRole").and(everything);
    let strange = tags::of([("Name", "a database")]);
    let tagged = |key: &str| on(VOLUME, "ec2:CreateTags", &strange, &tags::of([(key, CLUSTER)]));
    answers(
        &role,
        vec![
            (true, "a stranger's volume is tagged", tagged("team")),
            (false, "is made the cluster's", tagged("KubernetesCluster")),
            (false, "is marked as retired", tagged("etcd-backup/retired-at")),
            (false, "in letters that IAM takes for the same", tagged("Etcd-Backup/Retired-At")),
        ],
    );
}

#[test]
fn keys_are_used_through_ec2_alone_and_only_those_given() {
    let use_of = |key: &str, action: &str| on(key, action, &Tags::new(), &Tags::new());
    let through = |request, service| with(request, "kms:ViaService", service);
    let other = KEY.replace("1234abcd", "ffffffff");
    let grant = || through(use_of(KEY, "kms:CreateGrant"), THROUGH_EC2);
    let role = Stack::with(&json!({"KmsKeyArns": KEY})).role("RestoreRole");
    answers(
        &role,
        vec![
            (true, "through EC2", through(use_of(KEY, "kms:Decrypt"), THROUGH_EC2)),
            (false, "not through EC2", use_of(KEY, "kms:Decrypt")),
            (false, "through another service", through(use_of(KEY, "kms:Decrypt"), "s3.eu-central-1.amazonaws.com")),
            (false, "another key", through(use_of(&other, "kms:Decrypt"), THROUGH_EC2)),
            (true, "a grant for EC2", with(grant(), "kms:GrantIsForAWSResource", "true")),
            (false, "a grant for anybody", with(grant(), "kms:GrantIsForAWSResource", "false")),
        ],
    );
    answers(
        &Stack::by_default().role("RestoreRole"),
        vec![(false, "no key was given", through(use_of(KEY, "kms:Decrypt"), THROUGH_EC2))],
    );
}
