//! An apply does what its plan said, in the order that keeps old and new members apart.

use scenarios::ledger::Ledger;
use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_lost_volume_comes_back_as_kops_made_it() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().cloud_labels([("team", "a")]).create(&account).await;
    let point = cluster.verified_point("main", POINT).await;
    let before = account.volume(cluster.volume("main", "a")).await.unwrap();
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;

    let result = applied(&restore, main(json!({}))).await;

    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(
        steps(&result),
        ["create a done", "wait a done", "tag a done", "accept - done"],
        "without an old volume nothing is retired"
    );
    let new = account.volume(each(&result, "new_volume")[0]).await.unwrap();
    assert_eq!(new.tags, before.tags);
    assert_eq!(new.snapshot.as_ref(), Some(&point["a"]));
    assert_eq!(
        (&new.zone, &new.volume_type, new.size, new.iops, new.throughput, new.encrypted),
        (&before.zone, &before.volume_type, before.size, before.iops, before.throughput, before.encrypted)
    );
    assert_eq!(
        (&result["recovery_point"], &result["skew_ms"], each(&result, "old_volume")),
        (&json!(POINT), &json!(0), vec!["-"])
    );
    assert_eq!(result["undo"], main(json!({"mode": "undo", "volumes": {"a": new.id}, "old_volumes": []})));
}

#[tokio::test]
async fn a_whole_etcd_cluster_is_rolled_back_and_old_and_new_never_meet() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"recovery_point": POINT, "replace": true}))).await;
    account.forget_calls().await;

    let result = restore.invoke(apply).await.unwrap();

    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(
        steps(&result),
        [
            "create a done",
            "create b done",
            "create c done",
            "wait a done",
            "wait b done",
            "wait c done",
            "retire a done",
            "retire b done",
            "retire c done",
            "tag a done",
            "tag b done",
            "tag c done",
            "accept - done",
        ]
    );
    for (moment, ledger) in Ledger::from(&before).moments(&account.all_calls().await) {
        for member in MEMBERS {
            let claimants = ledger.claimants(CLUSTER, "main", member);
            assert!(claimants.len() <= 1, "{moment}: {claimants:?}");
        }
        assert!(!ledger.is_mixed(CLUSTER, "main", &MEMBERS), "{moment}");
    }
    let volumes = account.volumes().await;
    for (member, (old, new)) in
        MEMBERS.iter().zip(each(&result, "old_volume").into_iter().zip(each(&result, "new_volume")))
    {
        assert_eq!(old, cluster.volume("main", member));
        let find = |id: &str| volumes.iter().find(|volume| volume.id == id).unwrap();
        assert_eq!(find(new).tags, cluster.get("main", member).tags, "kops' own tags alone");
        let keys: Vec<&str> = find(old).tags.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["etcd-backup/replaced-by", "etcd-backup/restore", "etcd-backup/retired-at", "etcd-backup/was/1"]
        );
        assert_eq!(find(old).tags["etcd-backup/replaced-by"], new);
    }
    let events = ["a", "b", "c"].map(|member| cluster.volume("events", member).to_owned());
    assert!(volumes.iter().filter(|volume| events.contains(&volume.id)).all(|volume| before.contains(volume)));
}

#[tokio::test]
async fn a_whole_cluster_that_is_gone_comes_back_for_kops_to_adopt() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).await;
    cluster.verified_point("events", POINT).await;
    for (etcd, member) in
        [("main", "a"), ("main", "b"), ("main", "c"), ("events", "a"), ("events", "b"), ("events", "c")]
    {
        cluster.lose(etcd, member).await;
    }
    let restore = restore(&account).await;

    for etcd in ["main", "events"] {
        let result = applied(&restore, json!({"cluster": CLUSTER, "etcd_cluster": etcd})).await;
        assert!(is_accepted(&result), "{result:#}");
    }

    let names: Vec<String> = account.volumes().await.iter().map(|volume| volume.tags["Name"].clone()).collect();
    assert_eq!(names.len(), 6);
    for etcd in ["main", "events"] {
        for member in MEMBERS {
            let name = format!("{member}.etcd-{etcd}.{CLUSTER}");
            assert_eq!(names.iter().filter(|one| **one == name).count(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn the_same_apply_again_finds_every_step_done_and_writes_nothing() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    let first = restore.invoke(apply.clone()).await.unwrap();
    // The masters have been started since.
    for volume in each(&first, "new_volume") {
        let zone = account.volume(volume).await.unwrap().zone;
        account.attach(volume, &account.run_instance(&zone).await, "/dev/xvdu").await;
    }
    account.forget_calls().await;

    let again = restore.invoke(apply.clone()).await.unwrap();

    assert_eq!(again["outcome"], "applied");
    assert!(steps(&again).iter().all(|step| step.ends_with("already")) && is_accepted(&again), "{again:#}");
    for field in ["undo", "members", "recovery_point"] {
        assert_eq!(again[field], first[field]);
    }
    let writes = account.writes().await;
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn where_there_was_no_old_volume_the_same_apply_again_writes_nothing_either() {
    let account = LocalAws::account();
    let mut cluster = single(&account).await;
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;
    // `replace`: what the first try made must not be taken for a volume to replace.
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    let first = restore.invoke(apply.clone()).await.unwrap();
    account.forget_calls().await;

    let again = restore.invoke(apply).await.unwrap();

    assert!(steps(&again).iter().all(|step| step.ends_with("already")), "{again:#}");
    assert_eq!(again["undo"], first["undo"]);
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn another_restore_of_the_same_snapshot_makes_another_volume() {
    let account = LocalAws::account();
    single(&account).await;
    let restore = restore(&account).await;

    let first = applied(&restore, main(json!({"replace": true}))).await;
    let second = applied(&restore, main(json!({"replace": true}))).await;

    assert_eq!(each(&second, "old_volume"), each(&first, "new_volume"));
    assert_ne!(each(&second, "new_volume"), each(&first, "new_volume"));
    assert!(is_accepted(&second));
}

#[tokio::test]
async fn any_etcd_cluster_any_member_name_and_a_single_member_are_restored() {
    for (etcd, blueprint) in [
        ("cilium", Kops::cluster(CLUSTER)),
        ("main", Kops::cluster(CLUSTER).members_named_by_zone()),
        ("events", Kops::cluster(CLUSTER).single_master()),
    ] {
        let account = LocalAws::account();
        let cluster = blueprint.etcd([etcd]).create(&account).await;
        cluster.verified_point(etcd, POINT).await;
        let members = cluster.volumes().count();
        let restore = restore(&account).await;

        let result = applied(&restore, json!({"cluster": CLUSTER, "etcd_cluster": etcd, "replace": true})).await;

        assert!(is_accepted(&result), "{etcd}: {result:#}");
        assert_eq!(each(&result, "new_volume").len(), members);
    }
}

#[tokio::test]
async fn a_volume_for_inspection_is_nobodys_and_in_nobodys_way() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).create(&account).await;
    cluster.verified_point("main", POINT).await;
    let before = account.volumes().await;
    let restore = restore(&account).await;
    let event = main(json!({"members": ["b"], "cut_over": false}));
    let apply = planned(&restore, event).await;

    let result = restore.invoke(apply.clone()).await.unwrap();

    assert_eq!(
        (steps(&result), &result["acceptance"]),
        (vec!["create b done".into(), "wait b done".into()], &json!(null))
    );
    assert_eq!(result.get("undo"), None);
    let volumes = account.volumes().await;
    let new = volumes.iter().find(|volume| volume.id == each(&result, "new_volume")[0]).unwrap();
    let keys: Vec<&str> = new.tags.keys().map(String::as_str).collect();
    assert_eq!(keys, ["Name", "etcd-backup/lineage", "etcd-backup/restore"]);
    assert_eq!(new.tags["Name"], format!("inspection of b.etcd-main.{CLUSTER}"));
    assert!(before.iter().all(|volume| volumes.contains(volume)), "nothing else was touched");
    account.forget_calls().await;
    let again = restore.invoke(apply).await.unwrap();
    assert!(steps(&again).iter().all(|step| step.ends_with("already")), "{again:#}");
    assert!(account.writes().await.is_empty());

    let real = applied(&restore, main(json!({"replace": true}))).await;
    assert!(is_accepted(&real), "{real:#}");
}
