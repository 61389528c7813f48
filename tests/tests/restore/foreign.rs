//! One snapshot by its id: ours, a copy, or one that another tool or a person made.

use scenarios::tags::Tags;
use scenarios::{Account, Kops, LocalAws, RawSnapshot, tags};
use serde_json::json;

use super::*;

/// A snapshot of a volume that is long gone, with these tags.
async fn snapshot(account: &Account, tagged: &Tags) -> String {
    let snapshot = RawSnapshot::of("vol-00000000000000001", POINT).tags(tagged);
    account.plant_snapshots(&[snapshot]).await.remove(0)
}

/// The function where any snapshot may be restored that the account may use.
async fn open(account: &Account) -> RunningFunction {
    Function::named("restore").account(account).env("FOREIGN_SNAPSHOTS", "any").start().await
}

/// Whether the first refusal has all these words.
fn is_said(plan: &Value, words: &[&str]) -> bool {
    says(&json!([plan["refusals"][0]["message"]]), words)
}

#[tokio::test]
async fn one_of_ours_needs_nothing_but_its_id_though_its_cluster_is_gone() {
    let account = LocalAws::account();
    let mut cluster =
        Kops::cluster(CLUSTER).single_master().etcd(["main"]).cloud_labels([("team", "x")]).create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    let before = cluster.get("main", "a").tags.clone();
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;

    let result = applied(&restore, json!({"snapshot": point["a"]})).await;

    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(
        (&result["recovery_point"], &result["cluster"], &result["etcd_cluster"]),
        (&json!(POINT), &json!(CLUSTER), &json!("main"))
    );
    assert_eq!(account.volume(each(&result, "new_volume")[0]).await.unwrap().tags, before);
    assert_eq!(restore.invoke(result["undo"].clone()).await.unwrap()["outcome"], "undone");
}

#[tokio::test]
async fn one_without_tags_needs_the_fields_that_it_lacks() {
    let account = LocalAws::account();
    let bare = snapshot(&account, &Tags::new()).await;
    let restore = open(&account).await;

    let error = restore.invoke(json!({"snapshot": bare})).await.unwrap_err();
    assert_eq!(error.error_type, "NotOurs");
    assert!(
        error
            .error_message
            .contains("give `cluster`, `etcd_cluster`, `member` (`<member>/<all members>`, e.g. `a/a,b,c`), `zone`"),
        "{error}"
    );
    let error =
        restore.invoke(json!({"snapshot": bare, "cluster": CLUSTER, "zone": "eu-central-1a"})).await.unwrap_err();
    assert!(error.error_message.contains("give `etcd_cluster`, `member` ("), "{error}");

    let event = json!({"snapshot": bare, "cluster": CLUSTER, "etcd_cluster": "main", "member": "a/a",
        "zone": "eu-central-1a", "allow_foreign": true});
    let result = applied(&restore, event).await;
    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(result["recovery_point"], json!(null));
    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    assert_eq!(new.tags, tags::kops(CLUSTER, "main", "a", &["a".to_owned()]));
    assert_eq!((new.volume_type.as_str(), new.iops, new.throughput, new.size), ("gp3", Some(3000), Some(125), 8));
}

#[tokio::test]
async fn one_with_the_volumes_tags_needs_its_zone_alone() {
    let account = LocalAws::account();
    let mut of_dlm = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    of_dlm.extend(tags::of([("aws:dlm:lifecycle-policy-id", "policy-1"), ("team", "x")]));
    let copied = snapshot(&account, &of_dlm).await;
    let restore = open(&account).await;

    let error = restore.invoke(json!({"snapshot": copied})).await.unwrap_err();
    assert!(error.error_message.contains("give `zone`"), "{error}");

    let result = applied(&restore, json!({"snapshot": copied, "zone": "eu-central-1b", "allow_foreign": true})).await;
    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    of_dlm.remove("aws:dlm:lifecycle-policy-id");
    assert_eq!((new.zone.as_str(), new.tags), ("eu-central-1b", of_dlm), "AWS's own tags are not copied");
}

#[tokio::test]
async fn a_copy_of_ours_is_restored_with_what_it_says() {
    let account = LocalAws::account();
    let volume = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let described = "id=vol-0123456789abcdef0 type=io2 size=30 iops=500 zone=eu-central-1c encrypted=false";
    // What EC2 says of every copy.
    let copy = RawSnapshot::of("vol-ffffffff", POINT).tags(&tags::snapshot(&volume, POINT, described));
    let copy = account.plant_snapshots(&[copy]).await.remove(0);
    let restore = restore(&account).await;

    let none = restore.invoke(main(json!({}))).await.unwrap_err();
    assert_eq!(none.error_type, "NoSuchRecoveryPoint", "a copy is no recovery point: {none}");
    let result = applied(&restore, json!({"snapshot": copy, "allow_foreign": true})).await;

    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    assert_eq!(
        (new.zone.as_str(), new.volume_type.as_str(), new.iops, new.size),
        ("eu-central-1c", "io2", Some(500), 30)
    );
    assert_eq!(new.tags, volume);
}

#[tokio::test]
async fn one_that_another_account_shares_is_restored_where_that_is_set_up_and_asked_for() {
    let account = LocalAws::account();
    let shared = RawSnapshot::of("vol-00000000000000001", POINT).owned_by("999900001111");
    let shared = account.plant_snapshots(&[shared]).await.remove(0);
    let event = json!({"snapshot": shared, "cluster": CLUSTER, "etcd_cluster": "main", "member": "a/a", "zone": "eu-central-1a"});
    let mut trusting = event.clone();
    trusting["allow_foreign"] = json!(true);
    for foreign in ["off", "account"] {
        let restore = Function::named("restore").account(&account).env("FOREIGN_SNAPSHOTS", foreign).start().await;
        let plan = restore.invoke(trusting.clone()).await.unwrap();
        assert_eq!((refusals(&plan), &plan["members"][0]["owner"]), (vec!["Foreign"], &json!("999900001111")));
        assert!(is_said(&plan, &["another account, 999900001111", "ForeignSnapshots to `any`"]), "{plan:#}");
    }
    let restore = open(&account).await;
    let plan = restore.invoke(event).await.unwrap();
    assert_eq!(refusals(&plan), ["Foreign"]);
    assert!(is_said(&plan, &["set `allow_foreign` if you trust it"]), "{plan:#}");
    assert!(account.writes().await.is_empty());
    let result = applied(&restore, trusting).await;
    assert!(is_accepted(&result) && says(&result["warnings"], &["another account, 999900001111"]), "{result:#}");
}

#[tokio::test]
async fn one_that_bears_our_marks_and_is_not_ours_is_restored_only_where_the_event_says_so() {
    let account = LocalAws::account();
    let volume = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let described =
        "id=vol-0123456789abcdef0 type=gp3 size=8 iops=3000 throughput=125 zone=eu-central-1a encrypted=false";
    let made_up = RawSnapshot::of("vol-0123456789abcdef0", POINT).tags(&tags::snapshot(&volume, POINT, described));
    let made_up = account.plant_snapshots(&[made_up]).await.remove(0);
    let restore = restore(&account).await;

    let plan = restore.invoke(json!({"snapshot": made_up})).await.unwrap();
    assert_eq!(refusals(&plan), ["Foreign"]);
    assert!(is_said(&plan, &["is doubtful", "set `allow_foreign`"]), "{plan:#}");
    assert!(is_accepted(&applied(&restore, json!({"snapshot": made_up, "allow_foreign": true})).await));
}

#[tokio::test]
async fn fields_that_contradict_the_tags_are_refused() {
    let account = LocalAws::account();
    let tagged = snapshot(&account, &tags::kops(CLUSTER, "main", "a", &["a".to_owned()])).await;
    let mut twice = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    twice.insert("k8s.io/etcd/events".into(), "a/a".into());
    let twice = snapshot(&account, &twice).await;
    let restore = Function::named("restore").account(&account).env("CLUSTERS", "other.example.com").start().await;
    let all = super::restore(&account).await;
    account.forget_calls().await;
    for (event, says) in [
        (
            json!({"snapshot": tagged, "cluster": "b.example.com"}),
            "cluster: `b.example.com` contradicts the snapshot's tags",
        ),
        (json!({"snapshot": tagged, "etcd_cluster": "events"}), "etcd_cluster: `events` contradicts"),
        (json!({"snapshot": tagged, "member": "b/a,b"}), "member: `b/a,b` contradicts"),
        (json!({"snapshot": twice, "zone": "eu-central-1a"}), "snapshot: "),
    ] {
        let error = all.invoke(event.clone()).await.unwrap_err();
        assert_eq!(error.error_type, "InvalidRequest", "{event}");
        assert!(error.error_message.contains(says), "{event}: {error}");
    }
    let error = restore.invoke(json!({"snapshot": tagged, "zone": "eu-central-1a"})).await.unwrap_err();
    assert_eq!(error.error_type, "InvalidRequest");
    assert!(error.error_message.contains("`k8s.example.com` is not one of CLUSTERS (other.example.com)"), "{error}");
    let error = all.invoke(json!({"snapshot": "snap-0123456789abcdef0"})).await.unwrap_err();
    assert_eq!(error.error_type, "NoSuchRecoveryPoint", "{error}");
    assert!(account.writes().await.is_empty());
}
