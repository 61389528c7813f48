//! Bad input is refused, names the field and what is accepted, and changes nothing.

use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_event_that_cannot_be_meant_is_refused_with_what_is_accepted() {
    let account = LocalAws::account();
    Kops::cluster(CLUSTER).create(&account).await;
    let restore = restore(&account).await;
    account.forget_calls().await;
    let id = "20261123T021500.041Z-1a2b3c4d";

    for (event, says) in [
        (json!({"key1": "value1", "key2": "value2", "key3": "value3"}), "unknown field `key1`"),
        (
            json!({"mode": "restore"}),
            "mode: unknown variant `restore`, expected one of `list`, `plan`, `apply`, `undo`",
        ),
        (json!({"cluster": CLUSTER}), "etcd_cluster: is missing"),
        (json!({"etcd_cluster": "main"}), "cluster: is missing"),
        (main(json!({"cluster": "k8s.*"})), "cluster: `k8s.*` is not a kops cluster name"),
        (main(json!({"replace": "yes"})), "replace: invalid type: string \"yes\", expected a boolean"),
        (
            main(json!({"recovery_point": "yesterday"})),
            "recovery_point: `yesterday` is neither `latest` nor a time such as",
        ),
        (main(json!({"members": []})), "members: is empty"),
        (main(json!({"members": ["a/b"]})), "members: `a/b` is not an etcd member name"),
        (main(json!({"members": "a"})), "members: invalid type: string \"a\""),
        (main(json!({"member": "a/a,b,c"})), "member: goes with `snapshot`"),
        (main(json!({"limit": 3})), "limit: does not go with the mode `plan`"),
        (main(json!({"volumes": {"a": "vol-1"}})), "volumes: does not go with the mode `plan`"),
        (
            main(json!({"recovery_point": POINT, "verified": true})),
            "verified: goes with `recovery_point` `latest` alone",
        ),
        (main(json!({"replace": true, "cut_over": false})), "replace: does not go with `cut_over` false"),
        (main(json!({"volume_type": "gp4"})), "volume_type: `gp4` is not one of gp3, gp2"),
        (main(json!({"iops": 0})), "iops: is not a whole number from 1"),
        (main(json!({"iops": -1})), "iops: invalid value"),
        (
            main(json!({"initialization_rate": 99})),
            "initialization_rate: is not a whole number of MiB/s from 100 to 300",
        ),
        (main(json!({"kms_key": ""})), "kms_key: is empty"),
        (main(json!({"zone": ""})), "zone: `` is not an availability zone"),
        (json!({"snapshot": "vol-1"}), "snapshot: `vol-1` is not a snapshot id"),
        (json!({"snapshot": "snap-*"}), "snapshot: `snap-*` is not a snapshot id"),
        (json!({"snapshot": "snap-1", "recovery_point": "latest"}), "recovery_point: does not go with `snapshot`"),
        (json!({"snapshot": "snap-1", "member": "a"}), "member: `a` has no `/`"),
        (json!({"mode": "list", "replace": true}), "replace: does not go with the mode `list`"),
        (json!({"mode": "list", "limit": 0}), "limit: 0 lists nothing"),
        (main(json!({"mode": "apply", "recovery_point": POINT})), "id: is missing; plan first"),
        (main(json!({"mode": "apply", "id": id, "recovery_point": POINT})), "snapshots: is missing; plan first"),
        (
            main(json!({"mode": "apply", "id": id})),
            "recovery_point: `latest` may by now be another than the one planned; plan first",
        ),
        (
            main(json!({"mode": "apply", "recovery_point": "latest", "id": id})),
            "recovery_point: `latest` may by now be another",
        ),
        (
            main(json!({"mode": "apply", "recovery_point": POINT, "id": "mine"})),
            "id: `mine` is not an id that a plan gave",
        ),
        (main(json!({"retire": ["vol-1"]})), "retire: goes with the mode `apply` alone"),
        (main(json!({"old_volumes": ["vol-1"]})), "old_volumes: does not go with the mode `plan`"),
        (main(json!({"mode": "undo"})), "volumes: is missing"),
        (main(json!({"mode": "undo", "volumes": {}})), "volumes: is missing"),
        (main(json!({"mode": "undo", "volumes": {"a": "snap-1"}})), "volumes: `snap-1` is not a volume id"),
        (
            main(json!({"mode": "undo", "volumes": {"a": "vol-1"}, "replace": true})),
            "replace: does not go with the mode `undo`",
        ),
        (json!([]), "the event is not a JSON object"),
        (json!("restore"), "the event is not a JSON object"),
    ] {
        let error = restore.invoke(event.clone()).await.expect_err(&event.to_string());
        assert_eq!(error.error_type, "InvalidRequest", "{event}: {error}");
        assert!(error.error_message.contains(says), "{event}: {error}");
        assert!(error.error_message.contains("Nothing was done; accepted: "), "{event}: {error}");
    }
    assert!(account.all_calls().await.is_empty());
    assert!(restore.logs().iter().any(|line| line.contains("unknown field `key1`")), "a refusal is logged");
}

#[tokio::test]
async fn what_the_point_or_the_settings_do_not_have_is_refused() {
    let account = LocalAws::account();
    three(&account).await;
    let restore = restore(&account).await;
    account.forget_calls().await;
    for (fields, says) in [
        (json!({"members": ["d"]}), "members: `d` is none of the point's, which are a, b, c"),
        (json!({"zone": "eu-central-1b"}), "zone: overrides the zone of one member; name that one in `members`"),
        (json!({"volume_type": "io2"}), "iops: is missing, and a io2 volume needs it"),
        (json!({"volume_type": "gp2", "iops": 3000}), "iops: a gp2 volume takes none"),
        (json!({"volume_type": "io1", "iops": 300, "throughput": 125}), "throughput: a io1 volume takes none"),
    ] {
        let error = restore.invoke(main(fields.clone())).await.unwrap_err();
        assert_eq!(error.error_type, "InvalidRequest", "{fields}: {error}");
        assert!(error.error_message.contains(says), "{fields}: {error}");
    }
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn a_cluster_that_is_not_looked_after_is_refused() {
    let account = LocalAws::account();
    let restore = Function::named("restore").account(&account).env("CLUSTERS", "other.example.com").start().await;
    for mode in ["list", "plan", "undo"] {
        let error = restore.invoke(json!({"mode": mode, "cluster": CLUSTER})).await.unwrap_err();
        assert!(
            error.error_message.starts_with("cluster: `k8s.example.com` is not one of CLUSTERS (other.example.com)"),
            "{error}"
        );
    }
    assert!(account.all_calls().await.is_empty());
}

#[tokio::test]
async fn a_bad_configuration_is_answered_to_every_invocation_and_calls_nothing() {
    let account = LocalAws::account();
    let function = Function::named("restore").account(&account).env("MAX_SKEW", "soon").env("CONCURRENCY", "0");
    let restore = function.env("CLUSTERS", "").start().await;
    for event in [json!({}), json!({"key1": "value1"})] {
        let error = restore.invoke(event).await.unwrap_err();
        assert_eq!(error.error_type, "InvalidConfiguration");
        for says in ["CLUSTERS: is empty", "MAX_SKEW: `soon`", "CONCURRENCY: `0`"] {
            assert!(error.error_message.contains(says), "{error}");
        }
    }
    assert!(account.all_calls().await.is_empty());
}
