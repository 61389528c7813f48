//! What a person asks for.

use scenarios::{Disk, Kops, LocalAws, RawSnapshot};
use serde_json::{Value, json};

use super::*;

fn number(truth: &Value, field: &str) -> i64 {
    truth[field].as_i64().unwrap_or_else(|| panic!("no {field} in {truth}"))
}

#[tokio::test]
async fn the_members_of_a_point_are_read_compared_and_marked() {
    let account = LocalAws::account();
    let (_cluster, snapshots) = three(&account).await;
    let verify = verify(&account).await;

    let result = verify.invoke(json!({"cluster": CLUSTER, "etcd_cluster": "main"})).await.unwrap();

    assert_eq!((&result["outcome"], &result["recovery_point"]), (&json!("verified"), &json!(POINT)));
    let truths = ["a", "b", "c"].map(|member| Disk::fixture(&format!("member-{member}")).truth);
    for (found, truth) in result["members"].as_array().unwrap().iter().zip(&truths) {
        assert_eq!(found["verdict"], "ok", "{found}");
        assert_eq!((&found["cluster_id"], &found["member_id"]), (&truth["cluster_id"], &truth["member_id"]));
        assert_eq!((&found["revision"], &found["consistent_index"]), (&truth["revision"], &truth["consistent_index"]));
        assert_eq!((&found["wal_last_index"], &found["commit"]), (&truth["wal_last_index"], &truth["commit_index"]));
        assert!(found["blocks_read"].as_u64().unwrap() > 0);
        let tag = verdict(&account, &snapshots[found["member"].as_str().unwrap()]).await.unwrap();
        assert!(tag.starts_with("ok at=") && tag.contains(&format!(" revision={} ", truth["revision"])), "{tag}");
    }
    let spread = |field: &str| {
        let of = truths.each_ref().map(|truth| number(truth, field));
        of.iter().max().unwrap() - of.iter().min().unwrap()
    };
    assert_eq!(result["spread"], json!({"revisions": spread("revision"), "indexes": spread("wal_last_index")}));
    assert_eq!(result["best_member"], "c");
    assert_eq!(told(&account).await, ["Etcd Snapshot Verified"]);
    assert_eq!(account.events().await[0].detail["members"].as_array().unwrap().len(), 3);
    assert_eq!(verify.metric("SnapshotsVerified", &[("Cluster", CLUSTER), ("EtcdCluster", "main")]), [3.0]);
    assert_eq!(
        (verify.metric("SnapshotsVerified", &[]), verify.metric("SnapshotsCorrupt", &[])),
        (vec![3.0], vec![0.0])
    );
}

#[tokio::test]
async fn a_corrupt_snapshot_is_a_result_with_its_reason() {
    let account = LocalAws::account();
    let snapshot = one(&account, &corrupt()).await;
    let verify = verify(&account).await;

    let result = verify.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(result["members"][0]["verdict"], "corrupt", "{result}");
    let reason = result["members"][0]["reason"].as_str().unwrap();
    let tag = verdict(&account, &snapshot).await.unwrap();
    assert!(tag.starts_with("corrupt at=") && tag.ends_with(&format!("reason={reason}")), "{tag}");
    assert_eq!(told(&account).await, ["Etcd Snapshot Corrupt"]);
    assert_eq!(verify.metric("SnapshotsCorrupt", &[]), [1.0]);
}

#[tokio::test]
async fn what_is_no_ext4_is_unsupported_and_never_corrupt() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("xfs").bytes).await;

    let result = verify(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(result["members"][0]["verdict"], "unsupported", "{result}");
    assert!(verdict(&account, &snapshot).await.unwrap().starts_with("unsupported at="));
    assert!(told(&account).await.is_empty());
}

#[tokio::test]
async fn a_deep_look_reads_more_and_says_the_same_of_a_sound_volume() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("segments-3.5").bytes).await;
    let verify = verify(&account).await;

    let shallow = verify.invoke(json!({"snapshot": snapshot})).await.unwrap();
    let deep = verify.invoke(json!({"snapshot": snapshot, "deep": true})).await.unwrap();

    let read = |result: &Value| result["members"][0]["blocks_read"].as_u64().unwrap();
    assert_eq!((&shallow["members"][0]["verdict"], &deep["members"][0]["verdict"]), (&json!("ok"), &json!("ok")));
    assert!(read(&shallow) < read(&deep), "{shallow} {deep}");
}

#[tokio::test]
async fn what_cannot_be_meant_or_read_is_refused_and_nothing_is_read() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().create(&account).await;
    let pending = cluster.past_point("main", POINT).with_state("a", "pending").await.remove("a").unwrap();
    let foreign = account.plant_snapshots(&[RawSnapshot::of(cluster.volume("main", "a"), POINT)]).await.remove(0);
    let verify = verify(&account).await;
    for (event, error_type, says) in [
        (json!({}), "InvalidRequest", "cluster: is missing"),
        (json!({"key1": "value1"}), "InvalidRequest", "unknown field `key1`"),
        (json!({"snapshot": "vol-1"}), "InvalidRequest", "snapshot: "),
        (json!({"snapshot": pending, "cluster": CLUSTER}), "InvalidRequest", "cluster: does not go with `snapshot`"),
        (json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": "noon"}), "InvalidRequest", "`noon`"),
        (json!({"cluster": CLUSTER, "etcd_cluster": "events"}), "NoSuchRecoveryPoint", ""),
        (
            json!({"snapshot": "snap-0123456789abcdef0"}),
            "NoSuchRecoveryPoint",
            "this account has no snap-0123456789abcdef0",
        ),
        (json!({"snapshot": foreign}), "NotOurs", "is not ours"),
        (json!({"snapshot": pending}), "SnapshotNotCompleted", ""),
    ] {
        let error = verify.invoke(event.clone()).await.expect_err(&event.to_string());
        assert_eq!(error.error_type, error_type, "{event}: {error}");
        assert!(error.error_message.contains(says), "{event}: {error}");
    }
    assert!(account.calls("ListSnapshotBlocks").await.is_empty());
    assert!(verdict(&account, &pending).await.is_none());
}
