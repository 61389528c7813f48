//! Sets of real etcds, copied some time apart: the order that is said is the one in which they came up whole.

use scenarios::{Disk, Kops, LocalAws};
use serde_json::json;

use super::*;

#[tokio::test]
async fn the_judgement_of_each_set_is_what_real_etcds_did() {
    for (set, needs_stages) in [("3.5-close-0", false), ("3.5-skewed-1", true), ("3.7-skewed-0", true)] {
        let account = LocalAws::account();
        let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
        let snapshots = cluster.past_point("main", POINT).await;
        let truth = Disk::of_set(set, "a").truth;
        for (member, snapshot) in &snapshots {
            account.put_disk(snapshot, &Disk::of_set(set, member).bytes).await;
        }

        let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": POINT});
        let result = verify(&account).await.invoke(event).await.unwrap();

        assert_eq!(result["set"]["any_order"], truth["in_any_order"], "{set}: {result:#}");
        // Those that need an order can come up whole by luck.
        assert!(needs_stages || truth["all_at_once"] == "whole", "{set}: what the etcds did");
        assert_eq!(truth["first_two_then_third"], "whole", "{set}");
        let order: Vec<&Value> =
            result["set"]["order"].as_array().unwrap().iter().flat_map(|stage| stage.as_array().unwrap()).collect();
        assert_eq!(json!(order), truth["order"], "{set}");
        assert_eq!(result["set"]["order"].as_array().unwrap().len(), if needs_stages { 2 } else { 1 }, "{set}");
        for (member, found) in ["a", "b", "c"].iter().zip(result["members"].as_array().unwrap()) {
            assert_eq!(
                (&found["wal_last_index"], &found["commit"]),
                (&truth["last"][member], &truth["commit"][member])
            );
            let tag = account.snapshot(&snapshots[*member]).await.unwrap().tags["etcd-backup/verified"].clone();
            assert!(tag.contains(&format!(" last={}.{} ", found["wal_last_term"], found["wal_last_index"])), "{tag}");
        }
    }
}
