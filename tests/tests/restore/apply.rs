//! An apply does what its plan said, in the order that keeps old and new members apart.

use scenarios::{Kops, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_lost_volume_comes_back_as_kops_made_it() {
    let account = LocalAws::account();
    let mut cluster = Kops::cluster(CLUSTER).single_master().cloud_labels([("team", "a")]).create(&account).await;
    let point = cluster.past_point("main", POINT).await;
    let before = account.volume(cluster.volume("main", "a")).await.unwrap();
    cluster.lose("main", "a").await;
    let restore = restore(&account).await;

    let plan = restore.invoke(main(json!({}))).await.unwrap();
    assert_eq!(plan["acceptance"], json!({"protokube": "ok", "etcd_manager": "ok", "kops": "ok"}), "{plan:#}");
    let result = restore.invoke(plan["apply"].clone()).await.unwrap();

    assert!(is_accepted(&result), "{result:#}");
    let volumes = account.volumes().await;
    let new = volumes.iter().find(|volume| volume.id == each(&result, "new_volume")[0]).unwrap();
    assert_eq!(new.tags, before.tags);
    assert_eq!(new.snapshot.as_ref(), Some(&point["a"]));
    assert_eq!(
        (&new.zone, &new.volume_type, new.size, new.iops, new.throughput, new.encrypted),
        (&before.zone, &before.volume_type, before.size, before.iops, before.throughput, before.encrypted)
    );
}
