//! What `verify` found, and restores: it is listed, `latest` goes by it, and what is corrupt is not restored unless told
//! so.

use scenarios::{Account, Kops, LocalAws, tags};
use serde_json::json;

use super::refusals::refused_unless;
use super::*;

const OK: &str = "ok at=2026-11-23T02:10:00Z revision=7 index=9 term=2 last=2.9 commit=9";
const DEGRADED: &str =
    "degraded at=2026-11-23T02:10:00Z revision=7 index=9 term=2 last=2.9 commit=9 reason=one bbolt meta is broken";
const UNSUPPORTED: &str = "unsupported at=2026-11-23T02:10:00Z reason=no ext4";
const CORRUPT: &str = "corrupt at=2026-11-23T02:10:00Z reason=both bbolt metas are broken";
/// It looks like a verdict, and is none.
const OKAY: &str = "okay, at a glance";
const NOBODY: &str = "";

/// A complete point of etcd `main`, with these verdicts of `a`, `b` and `c`; gives the snapshots' ids.
async fn found(account: &Account, cluster: &Kops<'_>, slot: &str, verdicts: [&str; 3]) -> [String; 3] {
    let mut ids = cluster.past_point("main", slot).await;
    for (member, verdict) in MEMBERS.iter().zip(verdicts).filter(|(_, verdict)| *verdict != NOBODY) {
        write(account, &ids[*member], verdict).await;
    }
    MEMBERS.map(|member| ids.remove(member).unwrap())
}

async fn write(account: &Account, snapshot: &str, verdict: &str) {
    account.change_snapshots(snapshot).tags(&tags::of([("etcd-backup/verified", verdict)])).await;
}

async fn cluster_of_three(account: &Account) -> Kops<'_> {
    Kops::cluster(CLUSTER).etcd(["main"]).create(account).await
}

#[tokio::test]
async fn list_shows_what_was_found_of_each_member_and_the_worst_of_them() {
    let account = LocalAws::account();
    let cluster = cluster_of_three(&account).await;
    let points = [
        ("2026-11-23T08:00:00Z", [CORRUPT, UNSUPPORTED, OK], json!("corrupt")),
        ("2026-11-23T07:00:00Z", [NOBODY, "corrupted!", NOBODY], json!("corrupt")),
        ("2026-11-23T06:00:00Z", [OK, DEGRADED, UNSUPPORTED], json!("unsupported")),
        ("2026-11-23T05:00:00Z", [DEGRADED, NOBODY, OK], json!("degraded")),
        ("2026-11-23T04:00:00Z", [OK, OK, OK], json!("ok")),
        ("2026-11-23T03:00:00Z", [OK, OK, NOBODY], json!(null)),
        (POINT, [OK, OKAY, OK], json!(null)),
    ];
    for (slot, verdicts, _) in &points {
        found(&account, &cluster, slot, *verdicts).await;
    }

    let listed = restore(&account).await.invoke(json!({})).await.unwrap();

    let listed = listed["recovery_points"].as_array().unwrap();
    assert_eq!(listed.len(), points.len());
    for (listed, (slot, verdicts, worst)) in listed.iter().zip(points) {
        assert_eq!((&listed["recovery_point"], &listed["verified"]), (&json!(slot), &worst));
        let of_members: Vec<&Value> =
            listed["members"].as_array().unwrap().iter().map(|one| &one["verified"]).collect();
        let as_written = verdicts.map(|verdict| if verdict == NOBODY { json!(null) } else { json!(verdict) });
        assert_eq!(of_members, as_written.iter().collect::<Vec<_>>(), "{slot}");
    }
}

#[tokio::test]
async fn latest_verified_is_the_newest_of_which_every_member_was_found_ok() {
    let account = LocalAws::account();
    let cluster = cluster_of_three(&account).await;
    found(&account, &cluster, "2026-11-23T01:00:00Z", [OK; 3]).await;
    let verified = found(&account, &cluster, POINT, [OK; 3]).await;
    for (hour, verdicts) in
        [[OK, OKAY, OK], [OK, NOBODY, OK], [OK, OK, UNSUPPORTED], [DEGRADED, OK, OK]].iter().enumerate()
    {
        found(&account, &cluster, &format!("2026-11-23T{:02}:00:00Z", hour + 3), *verdicts).await;
    }
    found(&account, &cluster, "2026-11-23T07:00:00Z", [OK, CORRUPT, OK]).await;
    let restore = restore(&account).await;

    let plan = restore.invoke(main(json!({"replace": true, "verified": true}))).await.unwrap();

    assert_eq!(
        (&plan["recovery_point"], each(&plan, "snapshot")),
        (&json!(POINT), verified.iter().map(|id| &**id).collect())
    );
    assert!(says(&plan["warnings"], &[&format!("`latest` is {POINT}"), "2026-11-23T07:00:00Z"]), "{plan:#}");
    let usual = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_eq!(usual["recovery_point"], "2026-11-23T06:00:00Z", "what is degraded counts as complete");
}

#[tokio::test]
async fn where_none_was_found_good_enough_latest_is_refused() {
    let account = LocalAws::account();
    let cluster = cluster_of_three(&account).await;
    found(&account, &cluster, "2026-11-23T01:00:00Z", [OK, OK, NOBODY]).await;
    let restore = restore(&account).await;
    account.forget_calls().await;
    let refused = async |fields: Value, words: &[&str]| {
        let error = restore.invoke(main(fields)).await.unwrap_err();
        assert_eq!(error.error_type, "NoSuchRecoveryPoint", "{error}");
        assert!(words.iter().all(|word| error.error_message.contains(word)), "{error}");
        assert!(account.writes().await.is_empty());
    };

    let unread = ["none of the 1", "2026-11-23T01:00:00Z", "c has not been read by `verify`", "\"recovery_point\": "];
    refused(json!({"verified": true}), &unread).await;

    account.change_snapshots(scenarios::Which::InState("completed".into())).tags(&corrupt()).await;
    for allowed in [false, true] {
        let fields = json!({"replace": true, "allow_corrupt": allowed});
        refused(fields, &["it was found corrupt", "name one by its time"]).await;
    }
}

fn corrupt() -> tags::Tags {
    tags::of([("etcd-backup/verified", CORRUPT)])
}

#[tokio::test]
async fn a_corrupt_snapshot_is_refused_and_restored_where_that_is_allowed() {
    for written in [CORRUPT, "corrupted!"] {
        let account = LocalAws::account();
        let cluster = cluster_of_three(&account).await;
        let point = found(&account, &cluster, POINT, [OK, written, OK]).await;
        let words = [point[1].as_str(), written, "set `allow_corrupt`"];
        let named = main(json!({"recovery_point": POINT, "replace": true}));
        refused_unless(&account, named, "CorruptSnapshot", &words, None).await;
        let by_snapshot = json!({"snapshot": point[1], "replace": true, "allow_rollback": true});
        refused_unless(&account, by_snapshot, "CorruptSnapshot", &words, None).await;
        let restore = restore(&account).await;
        // Of the others it says nothing.
        applied(&restore, main(json!({"recovery_point": POINT, "members": ["a", "c"], "cut_over": false}))).await;

        let fields = json!({"recovery_point": POINT, "replace": true, "allow_corrupt": true, "allow_unordered": true});
        let plan = restore.invoke(main(fields.clone())).await.unwrap();
        let apply = plan["apply"].clone();
        let mut expected = main(fields);
        expected["mode"] = json!("apply");
        expected["stages"] = json!([MEMBERS]);
        shown(&mut expected, &plan);
        assert_eq!(apply, expected);
        let result = restore.invoke(apply).await.unwrap();

        assert!(is_accepted(&result), "{result:#}");
        assert_eq!(each(&result, "snapshot"), [&point[0], &point[1], &point[2]]);
        assert!(says(&result["warnings"], &[&format!("{} was found {written}", point[1])]), "{result:#}");
    }
}

#[tokio::test]
async fn a_snapshot_found_corrupt_after_the_plan_is_not_restored() {
    let account = LocalAws::account();
    let cluster = cluster_of_three(&account).await;
    let point = found(&account, &cluster, POINT, [OK; 3]).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    write(&account, &point[2], CORRUPT).await;
    let before = account.volumes().await;
    account.forget_calls().await;

    let error = restore.invoke(apply.clone()).await.unwrap_err();

    assert_eq!(error.error_type, "CorruptSnapshot");
    assert!(error.error_message.contains(&point[2]) && error.error_message.contains("Nothing was changed"), "{error}");
    assert!(account.writes().await.is_empty());
    assert_eq!(account.volumes().await, before);

    let mut allowed = apply;
    allowed["allow_corrupt"] = json!(true);
    allowed["allow_unordered"] = json!(true);
    assert!(is_accepted(&restore.invoke(allowed).await.unwrap()));
}

#[tokio::test]
async fn a_restore_that_has_begun_goes_on_whatever_is_found_since() {
    let account = LocalAws::account();
    let cluster = cluster_of_three(&account).await;
    let point = found(&account, &cluster, POINT, [OK; 3]).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.fail_next("DeleteTags").with("UnauthorizedOperation", 403).always().await;
    restore.invoke(apply.clone()).await.unwrap_err();
    account.clear_faults().await;
    write(&account, &point[0], CORRUPT).await;

    let result = restore.invoke(apply).await.unwrap();

    assert!(is_accepted(&result), "{result:#}");
    assert!(says(&result["warnings"], &[&format!("{} was found {CORRUPT}", point[0])]), "{result:#}");
}

#[tokio::test]
async fn what_is_degraded_or_cannot_be_judged_is_restored_with_a_warning() {
    for (verdicts, doubts, unordered) in
        [([DEGRADED; 3], 3, false), ([UNSUPPORTED; 3], 3, true), ([OKAY, OK, UNSUPPORTED], 1, true)]
    {
        let account = LocalAws::account();
        let cluster = cluster_of_three(&account).await;
        let point = found(&account, &cluster, POINT, verdicts).await;
        let restore = restore(&account).await;

        let fields = json!({"recovery_point": POINT, "replace": true, "allow_unordered": unordered});
        let result = applied(&restore, main(fields)).await;

        assert!(is_accepted(&result), "{result:#}");
        assert_eq!(each(&result, "snapshot"), [&point[0], &point[1], &point[2]]);
        let warnings = result["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
        let told: Vec<&str> = warnings.filter(|warning| warning.contains(" was found ")).collect();
        assert_eq!(told.len(), doubts, "{result:#}");
        assert_eq!(told[doubts - 1], format!("{} was found {}", point[2], verdicts[2]));
    }
}
