//! A cluster's masters are taken over: what they try on the backups, with the rights that kops gives them. Afterwards no
//! snapshot of ours is gone, the metric of an alarm says that something is wrong, and `latest` is genuine.

mod attacker;
mod claims;
mod forgeries;
mod retagging;

use scenarios::{Account, Function, Kops, LocalAws, RunningFunction};
use serde_json::json;

use attacker::Attacker;

const CLUSTER: &str = "k8s.example.com";

/// Slots of the hours before now; the first is the last full hour.
fn hours_ago(hours: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(now - now % 3600 - hours * 3600).unwrap().to_string()
}

/// Backups of the last hours, all verified; the policy would keep one point.
async fn backed_up(account: &Account) -> (Kops<'_>, RunningFunction, Vec<String>) {
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(account).await;
    for hours in (2..6).rev() {
        cluster.verified_point("main", &hours_ago(hours)).await;
    }
    let backup = Function::named("backup").account(account).env("RETENTION", "keep-last=4").start().await;
    let ours = account.snapshots().await.into_iter().map(|snapshot| snapshot.id).collect();
    (cluster, backup, ours)
}

/// The point that `latest` means now.
async fn latest(account: &Account) -> String {
    let restore = Function::named("restore").account(account).start().await;
    let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": "latest", "replace": true});
    let plan = restore.invoke(event).await.unwrap();
    assert_eq!(plan["members"].as_array().map(Vec::len), Some(3), "{plan:#}");
    plan["recovery_point"].as_str().unwrap().to_owned()
}

async fn all_there(account: &Account, ours: &[String]) {
    let there: Vec<String> = account.snapshots().await.into_iter().map(|snapshot| snapshot.id).collect();
    let gone: Vec<&String> = ours.iter().filter(|id| !there.contains(id)).collect();
    assert!(gone.is_empty(), "{gone:?} are gone");
}

#[tokio::test]
async fn the_attacker_has_kops_rights_and_no_others() {
    let account = LocalAws::account();
    let (cluster, _, ours) = backed_up(&account).await;
    let attacker = Attacker::of(&account, CLUSTER);
    let volume = cluster.volume("main", "a");
    assert!(attacker.tag(volume, &[("team", "x")]).await, "kops lets masters tag the cluster's volumes");
    assert!(attacker.snapshot(volume, "mine", &[("KubernetesCluster", CLUSTER)]).await.is_some());
    assert!(attacker.snapshot(volume, "mine", &[("team", "x")]).await.is_none(), "only with the cluster's tag");
    for id in &ours {
        assert!(!attacker.delete(id).await, "none of ours bears the tag that gives rights");
    }
    all_there(&account, &ours).await;
}
