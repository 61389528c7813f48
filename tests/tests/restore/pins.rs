//! An apply does what its plan showed or nothing, and an undo gives nothing to a volume that it does not name.

use jiff::SignedDuration;
use scenarios::{Kops, LocalAws, RawVolume};
use serde_json::json;

use super::*;

#[tokio::test]
async fn better_snapshots_put_there_after_the_plan_are_not_restored() {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
    let point = cluster.verified_point("main", POINT).late("b", SignedDuration::from_secs(2)).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    cluster.verified_point("main", POINT).await;
    account.forget_calls().await;

    let error = restore.invoke(apply.clone()).await.unwrap_err();

    assert_eq!(error.error_type, "PlanChanged", "{error}");
    assert!(error.error_message.contains("would now be restored from snap-"), "{error}");
    assert!(error.error_message.contains("the plan showed snap-"), "{error}");
    assert!(account.writes().await.is_empty());
    assert_eq!(apply["snapshots"]["b"], json!(point["b"]));
}

#[tokio::test]
async fn a_volume_that_claims_a_member_since_the_plan_is_not_retired() {
    let account = LocalAws::account();
    single(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    let tags = tags::kops(CLUSTER, "main", "a", &["a".to_owned()]);
    let blank = RawVolume::in_zone("eu-central-1a").tags(&tags).create(&account).await;
    account.forget_calls().await;

    let error = restore.invoke(apply).await.unwrap_err();

    assert_eq!(error.error_type, "PlanChanged", "{error}");
    assert!(error.error_message.contains(&format!("{blank} would be retired too")), "{error}");
    assert!(account.writes().await.is_empty());
    assert!(is_accepted(&applied(&restore, main(json!({"replace": true}))).await));
}

#[tokio::test]
async fn an_undo_gives_kops_tags_to_no_volume_that_only_bears_a_retired_ones_marks() {
    let account = LocalAws::account();
    let cluster = single(&account).await;
    let old = cluster.volume("main", "a").to_owned();
    let before = account.volume(&old).await.unwrap();
    let restore = restore(&account).await;
    let result = applied(&restore, main(json!({"replace": true}))).await;
    let marks = account.volume(&old).await.unwrap().tags;
    let impostor = RawVolume::in_zone("eu-central-1a").tags(&marks).create(&account).await;

    let mut unnamed = result["undo"].clone();
    unnamed.as_object_mut().unwrap().remove("old_volumes");
    let error = restore.invoke(unnamed).await.unwrap_err();
    assert_eq!(error.error_type, "InvalidRequest");
    assert!(error.error_message.contains("old_volumes: is missing"), "{error}");
    let undone = restore.invoke(result["undo"].clone()).await.unwrap();

    assert!(says(&undone["warnings"], &[&format!("{impostor} bears the marks")]), "{undone:#}");
    assert_eq!(account.volume(&old).await.unwrap(), before);
    assert_eq!(account.volume(&impostor).await.unwrap().tags, marks);
}
