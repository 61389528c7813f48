//! What there is, and what would be done with it.

use jiff::SignedDuration;
use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn an_empty_event_lists_what_there_is_of_living_and_of_lost_clusters() {
    let account = LocalAws::account();
    let mut lost = Kops::cluster("lost.example.com").single_master().etcd(["main"]).create(&account).await;
    lost.past_hours("main", "2026-11-20T05:00:00Z", 2).await;
    lost.lose("main", "a").await;
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.past_hours("main", "2026-11-23T01:00:00Z", 12).await;
    let point = cluster.verified_point("main", POINT).without("b").late("c", SignedDuration::from_secs(6)).pinned();
    let found = "ok at=2026-11-23T02:10:00Z revision=7 term=2 last=2.9 commit=9";
    let point = point.tagged("etcd-backup/verified", found).await;
    let restore = restore(&account).await;
    account.forget_calls().await;

    let listed = restore.invoke(json!({})).await.unwrap();

    assert_eq!((&listed["outcome"], &listed["warnings"]), (&json!("listed"), &json!([])));
    let points = listed["recovery_points"].as_array().unwrap();
    let of = |name: &str| points.iter().filter(|point| point["cluster"] == name).collect::<Vec<_>>();
    assert_eq!(
        (of(CLUSTER).len(), of("lost.example.com").len()),
        (10, 2),
        "ten of each etcd cluster, unless said otherwise"
    );
    let times: Vec<&str> = of(CLUSTER).iter().map(|point| text(&point["recovery_point"])).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older), "{times:?}");
    let newest = of(CLUSTER)[0];
    for (field, value) in [
        ("recovery_point", json!(POINT)),
        ("etcd_cluster", json!("main")),
        ("state", json!("partial")),
        ("skew_ms", json!(6000)),
        ("skewed", json!(true)),
        ("pinned", json!(true)),
        ("verified", json!("ok")),
    ] {
        assert_eq!(newest[field], value, "{field}");
    }
    assert!(newest["age_seconds"].as_i64().unwrap() > 0);
    assert_eq!(
        newest["members"][0],
        json!({"member": "a", "snapshot": point["a"], "volume": cluster.volume("main", "a"), "zone": "eu-central-1a",
               "size_gib": 20, "state": "completed", "verified": found})
    );
    assert_eq!((&newest["members"][1]["state"], &newest["members"][1]["snapshot"]), (&json!("missing"), &json!(null)));
    assert_eq!(account.all_calls().await.iter().filter(|call| !call.action.starts_with("Describe")).count(), 0);

    let scoped =
        restore.invoke(json!({"mode": "list", "cluster": CLUSTER, "etcd_cluster": "main", "limit": 1})).await.unwrap();
    assert_eq!(scoped["recovery_points"].as_array().unwrap().len(), 1);
    let none = restore.invoke(json!({"mode": "list", "cluster": "none.example.com"})).await.unwrap();
    assert!(says(&none["warnings"], &["none.example.com has no recovery points"]), "{none:#}");
}

#[tokio::test]
async fn a_plan_says_all_that_would_be_done_and_changes_nothing() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).cloud_labels([("team", "x")]).create(&account).await;
    let point = cluster.verified_point("main", POINT).late("c", SignedDuration::from_millis(41)).await;
    let restore = restore(&account).await;
    account.forget_calls().await;

    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();

    assert!(account.writes().await.is_empty() && account.events().await.is_empty() && restore.metrics().is_empty());
    assert!(is_accepted(&plan), "the forecast: {plan:#}");
    assert_eq!((&plan["skew_ms"], plan.get("undo"), plan.get("refusals")), (&json!(41), None, None));
    assert!(steps(&plan).iter().all(|step| step.ends_with("planned")));
    let step = |name: &str| plan["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap();
    assert_eq!(step("create")["settings"]["iops"], 3000);
    assert_eq!(step("tag")["tags"], json!(cluster.get("main", "a").tags));
    let mut taken = cluster.get("main", "a").tags.clone();
    taken.remove("team");
    assert_eq!(
        (&step("retire")["volume"], &step("retire")["tags"]),
        (&json!(cluster.volume("main", "a")), &json!(taken))
    );
    assert_eq!(each(&plan, "snapshot"), [&point["a"], &point["b"], &point["c"]]);
    assert_eq!(
        (each(&plan, "zone"), each(&plan, "new_volume")),
        (vec!["eu-central-1a", "eu-central-1b", "eu-central-1c"], vec!["-"; 3])
    );
    let mut expected = main(json!({"mode": "apply", "recovery_point": POINT, "replace": true, "stages": [MEMBERS]}));
    shown(&mut expected, &plan);
    assert_eq!(plan["apply"], expected);
    let other = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_ne!(other["apply"]["id"], expected["id"], "a fresh id for each plan");
}

#[tokio::test]
async fn next_steps_name_the_masters_and_their_groups_in_order() {
    let account = LocalAws::account();
    let cluster = three(&account).await;
    let mut masters = Vec::new();
    for (zone, member) in [("eu-central-1a", "a"), ("eu-central-1b", "b"), ("eu-central-1c", "c")] {
        let master = cluster.master(zone).await;
        account.attach(cluster.volume("main", member), &master, "/dev/xvdu").await;
        masters.push(master);
    }
    let restore = restore(&account).await;

    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();

    assert_eq!(refusals(&plan), ["VolumeAttached"; 3]);
    let steps: Vec<&str> = plan["next_steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect();
    let place = |words: &str| {
        let found = steps.iter().position(|step| step.contains(words));
        found.unwrap_or_else(|| panic!("{words} not in {steps:#?}"))
    };
    let mut order = vec![place("Pause whatever runs `kops update cluster`")];
    let down = place("set the minimum and desired capacity of each to 0");
    for (master, zone) in masters.iter().zip(["eu-central-1a", "eu-central-1b", "eu-central-1c"]) {
        assert!(steps[down].contains(&format!("master-{zone}.masters.{CLUSTER} ({master})")), "{steps:#?}");
    }
    order.push(down);
    let wait = place("Wait until these volumes are `available`");
    assert!(["a", "b", "c"].iter().all(|member| steps[wait].contains(cluster.volume("main", member))));
    order.extend([
        wait,
        place("Send the event under `apply`"),
        place("Start etcd, all masters together"),
        place("Check etcd"),
    ]);
    order.extend([place("Let `kops update cluster` run again"), place("Keep the retired volumes")]);
    assert!(order.is_sorted(), "{steps:#?}");
    assert!(
        steps[order[4]].contains(&format!("back to their sizes: master-eu-central-1a.masters.{CLUSTER}, ")),
        "{steps:#?}"
    );
}

#[tokio::test]
async fn latest_is_the_newest_complete_point_that_was_read_and_is_not_corrupt() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.verified_point("main", "2026-11-23T01:00:00Z").await;
    let degraded = "degraded at=x term=2 last=2.9 commit=9 reason=one meta";
    cluster.verified_point("main", POINT).tagged("etcd-backup/verified", degraded).await;
    cluster
        .verified_point("main", "2026-11-23T03:00:00Z")
        .tagged("etcd-backup/verified", "corrupt at=x reason=y")
        .await;
    cluster.past_point("main", "2026-11-23T04:00:00Z").await;
    cluster.verified_point("main", "2026-11-23T05:00:00Z").with_state("b", "pending").await;
    cluster.verified_point("main", "2026-11-23T06:00:00Z").without("b").await;
    let restore = restore(&account).await;

    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_eq!(plan["recovery_point"], POINT);
    assert!(says(&plan["warnings"], &[&format!("`latest` is {POINT}"), "2026-11-23T06:00:00Z"]), "{plan:#}");
    let verified = restore.invoke(main(json!({"replace": true, "verified": true}))).await.unwrap();
    assert_eq!(verified["recovery_point"], "2026-11-23T01:00:00Z");
    assert_eq!(verified["apply"].get("verified"), None, "the point is named");
}

#[tokio::test]
async fn a_point_that_is_not_there_is_an_error_that_says_what_there_is() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    cluster.verified_point("main", POINT).without("a").await;
    let restore = restore(&account).await;
    for (fields, words) in [
        (
            json!({}),
            "none of the 1 recovery points of main of k8s.example.com can be `latest`: 2026-11-23T02:00:00Z (it is partial)",
        ),
        (
            json!({"recovery_point": "2026-11-23T03:00:00Z"}),
            "there are 1, from 2026-11-23T02:00:00Z to 2026-11-23T02:00:00Z",
        ),
        (
            json!({"etcd_cluster": "events"}),
            "events of k8s.example.com has no recovery points in this account and region",
        ),
    ] {
        let mut event = main(json!({}));
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let error = restore.invoke(event).await.unwrap_err();
        assert_eq!(error.error_type, "NoSuchRecoveryPoint", "{fields}");
        assert!(error.error_message.contains(words), "{fields}: {error}");
    }
}

#[tokio::test]
async fn a_plan_of_an_interrupted_restore_says_what_is_left() {
    let account = LocalAws::account();
    three(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.fail_next("DeleteTags").with("UnauthorizedOperation", 403).always().await;
    restore.invoke(apply.clone()).await.unwrap_err();
    let mut plan = apply.clone();
    plan["mode"] = json!("plan");
    plan.as_object_mut()
        .unwrap()
        .retain(|field, _| !["stages", "snapshots", "retire", "plan"].contains(&field.as_str()));

    let plan = restore.invoke(plan).await.unwrap();

    assert_eq!(steps(&plan)[5..8], ["wait c already", "retire a planned", "retire b planned"]);
    assert_eq!(plan["apply"], apply);
}
