//! What a new volume is like.

use scenarios::{Account, Kops, LocalAws, RawSnapshot, RawVolume, tags};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_old_volume_of_legacy_kops_comes_back_for_etcd_manager_too() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(&account).await;
    let old = cluster.volume("main", "a").to_owned();
    account.untag(&old, &["k8s.io/role/control-plane", &format!("kubernetes.io/cluster/{CLUSTER}")]).await;
    let legacy = account.volume(&old).await.unwrap();
    let snapshot = RawSnapshot::of(&old, POINT).tags(&tags::snapshot(
        &legacy.tags,
        POINT,
        &format!("id={old} type=gp2 size=20 zone=eu-central-1a encrypted=true"),
    ));
    let snapshot = snapshot.taken_by("of-the-past");
    account.plant_snapshots(&[snapshot]).await;
    let restore = restore(&account).await;

    let result = applied(&restore, main(json!({"replace": true}))).await;

    assert!(is_accepted(&result), "{result:#}");
    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    assert_eq!(new.tags, cluster.get("main", "a").tags, "with all that newer versions look for");
    assert_eq!((new.volume_type.as_str(), new.throughput), ("gp2", None));
}

#[tokio::test]
async fn settings_are_those_recorded_unless_the_event_says_otherwise() {
    let (account, event) = single_with_point(false).await;
    let restore = restore(&account).await;
    for (fields, expected) in [
        (json!({}), ("gp3", Some(3000), Some(125), None)),
        (json!({"iops": 6000, "throughput": 250}), ("gp3", Some(6000), Some(250), None)),
        (json!({"volume_type": "io2", "iops": 400}), ("io2", Some(400), None, None)),
        (json!({"volume_type": "gp2"}), ("gp2", Some(100), None, None)),
        (json!({"initialization_rate": 200}), ("gp3", Some(3000), Some(125), Some("200"))),
    ] {
        let mut event = event.clone();
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        account.forget_calls().await;

        let plan = restore.invoke(event).await.unwrap();
        let result = restore.invoke(plan["apply"].clone()).await.unwrap();

        let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
        let calls = account.calls("CreateVolume").await;
        assert_eq!(
            (new.volume_type.as_str(), new.iops, new.throughput, calls[0].param("VolumeInitializationRate")),
            expected,
            "{fields}"
        );
        let settings = &plan["steps"][0]["settings"];
        assert_eq!(
            (&settings["volume_type"], &settings["size_gib"]),
            (&json!(expected.0), &json!(20)),
            "the plan said so"
        );
        assert!(is_accepted(&result), "{result:#}");
    }
}

#[tokio::test]
async fn encryption_and_key_are_the_snapshots_unless_a_key_is_named() {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/1b1f5b8e-0000-4000-8000-000000000001";
    for (encrypted, fields, expected) in [
        (false, json!({}), (false, None)),
        (false, json!({"kms_key": key}), (true, Some(key))),
        (true, json!({}), (true, Some("key/own"))),
        (true, json!({"kms_key": key}), (true, Some(key))),
    ] {
        let (account, mut event) = single_with_point(encrypted).await;
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let restore = restore(&account).await;

        let plan = restore.invoke(event).await.unwrap();
        let result = restore.invoke(plan["apply"].clone()).await.unwrap();

        let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
        assert_eq!(new.encrypted, expected.0, "{encrypted} {fields}");
        let suffix = expected.1.unwrap_or_default();
        assert!(!expected.0 || new.kms_key.as_ref().unwrap().ends_with(suffix), "{encrypted} {fields}: {new:?}");
        assert_eq!(plan["steps"][0]["settings"]["encrypted"], expected.0);
        let asked = account.calls("CreateVolume").await.pop().unwrap();
        assert_eq!(asked.param("KmsKeyId"), fields["kms_key"].as_str(), "the snapshot's own key is EC2's to take");
    }
}

#[tokio::test]
async fn keys_of_128_and_values_of_256_characters_come_back() {
    let account = LocalAws::account();
    let etcd = "e".repeat(128 - "k8s.io/etcd/".len());
    let mut long = tags::kops(CLUSTER, &etcd, "m", &["m".to_owned(), "n".repeat(252)]);
    assert_eq!(long[&format!("k8s.io/etcd/{etcd}")].len(), 256);
    long.insert("Name".into(), "x".repeat(256));
    long.insert("L".repeat(128), "ü😀".repeat(64));
    let volume = RawVolume::in_zone("eu-central-1a").tags(&long).create(&account).await;
    let described = format!("id={volume} type=gp3 size=20 iops=3000 throughput=125 zone=eu-central-1a encrypted=true");
    let snapshot = RawSnapshot::of(&volume, POINT).tags(&tags::snapshot(&long, POINT, &described));
    account.plant_snapshots(&[snapshot.taken_by("of-the-past")]).await;
    let restore = restore(&account).await;
    let event = json!({"cluster": CLUSTER, "etcd_cluster": etcd, "recovery_point": POINT, "members": ["m"], "replace": true,
                       "allow_rollback": true});

    let result = applied(&restore, event).await;

    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    assert_eq!(new.tags["L".repeat(128).as_str()], long["L".repeat(128).as_str()]);
    assert_eq!(new.tags[&format!("k8s.io/etcd/{etcd}")], long[&format!("k8s.io/etcd/{etcd}")]);
    assert_eq!(new.tags["Name"], format!("m.etcd-{etcd}.{CLUSTER}"), "kops' name, which the old volume had not");
    assert!(says(&result["warnings"], &["had the tag `Name` `xxxx", "the new volume gets"]), "{result:#}");
    restore.invoke(result["undo"].clone()).await.unwrap();
    assert_eq!(account.volume(&volume).await.unwrap().tags, long);
}

/// A single master's cluster with one point; encrypted or not. The event plans its restore.
async fn single_with_point(encrypted: bool) -> (Account, Value) {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(&account).await;
    let volume = account.change_volumes(cluster.volume("main", "a"));
    if encrypted {
        volume.encrypted_with("arn:aws:kms:eu-central-1:111122223333:key/own").await;
    } else {
        volume.unencrypted().await;
    }
    cluster.verified_point("main", POINT).await;
    cluster.lose("main", "a").await;
    drop(cluster);
    (account, main(json!({"replace": true})))
}
