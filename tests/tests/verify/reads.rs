//! What is read without being asked for by hand, as `VERIFY` says.

use jiff::{SignedDuration, Timestamp};
use scenarios::{Kops, LocalAws, events};

use super::*;

async fn that_reads(account: &Account, reads: &str) -> RunningFunction {
    Function::named("verify").account(account).env("VERIFY", reads).start().await
}

#[tokio::test]
async fn daily_the_first_complete_point_of_a_day_is_read_and_the_others_by_hand() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let mut snapshots = Vec::new();
    for slot in ["2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z"] {
        let snapshot = cluster.past_point("main", slot).await.remove("a").unwrap();
        account.put_disk(&snapshot, &sound()).await;
        snapshots.push(snapshot);
    }
    let verify = that_reads(&account, "daily").await;

    let first = verify.invoke(notification(&snapshots[1], "createSnapshot", "succeeded")).await.unwrap();
    assert_eq!((&first["outcome"], &first["members"][0]["verdict"]), (&json!("verified"), &json!("ok")), "{first}");
    account.forget_calls().await;
    let second = verify.invoke(notification(&snapshots[2], "createSnapshot", "succeeded")).await.unwrap();

    assert_eq!(second["outcome"], "nothing-to-do", "{second}");
    let reason = second["reason"].as_str().unwrap();
    assert!(reason.ends_with("of its day the first complete one was 2026-11-23T00:00:00Z"), "{reason}");
    assert!(account.calls("ListSnapshotBlocks").await.is_empty());
    let by_hand = verify.invoke(json!({"snapshot": snapshots[2]})).await.unwrap();
    assert_eq!(by_hand["members"][0]["verdict"], "ok");
}

#[tokio::test]
async fn daily_a_sweep_makes_up_for_the_point_of_today() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let today = Timestamp::now().strftime("%Y-%m-%dT00:00:00Z").to_string();
    let yesterday = (today.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(1)).to_string();
    let before = cluster.past_point("main", &yesterday).await.remove("a").unwrap();
    let first = cluster.past_point("main", &today).await.remove("a").unwrap();
    account.put_disk(&first, &sound()).await;

    let result = that_reads(&account, "daily").await.invoke(events::scheduled("2026-11-23T04:30:00Z")).await.unwrap();

    assert_eq!((&result["outcome"], &result["left"]), (&json!("verified"), &json!(0)), "{result}");
    assert!(verdict(&account, &first).await.unwrap().starts_with("ok at="));
    assert_eq!(verified(&account, &before).await, None);
}

#[tokio::test]
async fn off_reads_nothing_but_by_hand_and_still_tells_of_snapshots_that_failed() {
    let account = LocalAws::account();
    let snapshot = one(&account, &sound()).await;
    let verify = that_reads(&account, "off").await;
    account.forget_calls().await;
    for event in [notification(&snapshot, "createSnapshot", "succeeded"), events::scheduled("2026-11-23T04:30:00Z")] {
        let answer = verify.invoke(event).await.unwrap();
        let said = json!({"outcome": "nothing-to-do", "reason": "`VERIFY` is `off`: snapshots are read by hand alone"});
        assert_eq!(answer, said);
    }
    assert!(account.all_calls().await.is_empty(), "nothing is even looked at");

    let by_hand = verify.invoke(json!({"cluster": CLUSTER, "etcd_cluster": "main"})).await.unwrap();
    assert_eq!(by_hand["members"][0]["verdict"], "ok", "{by_hand}");
    account.change_snapshots(&snapshot).state("error").await;
    let failed = verify.invoke(notification(&snapshot, "createSnapshot", "failed")).await.unwrap();
    assert_eq!(failed["outcome"], "announced", "{failed}");
}

#[tokio::test]
async fn what_is_no_value_of_verify_is_refused() {
    let account = LocalAws::account();
    let verify = that_reads(&account, "weekly").await;
    let error = verify.invoke(json!({"snapshot": "snap-1"})).await.unwrap_err();
    assert_eq!(error.error_type, "InvalidConfiguration");
    assert_eq!(error.error_message, "VERIFY: `weekly` is none of `all`, `daily` and `off`");
}
