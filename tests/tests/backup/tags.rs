//! What a snapshot bears.

use scenarios::tags::Tags;
use scenarios::{Kops, LocalAws, events, tags};

use super::{backup, hours_ago, warns};

#[tokio::test]
async fn of_fifty_tags_labels_are_left_out_as_tags_and_none_is_lost() {
    let account = LocalAws::account();
    let labels: Vec<String> = (0..44).map(|n| format!("label-{n:02}")).collect();
    let labels = labels.iter().map(|label| (label.as_str(), "x"));
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).cloud_labels(labels);
    let cluster = cluster.create(&account).await;
    assert_eq!(cluster.get("main", "a").tags.len(), 50);
    let backup = backup(&account).await;

    let result = backup.invoke(events::scheduled(&hours_ago(1))).await.unwrap();

    let left_out = ["label-00", "label-01", "label-02", "label-03", "label-04", "label-05"];
    let told = format!("these labels are not tags of the snapshot: {}", left_out.join(", "));
    assert!(warns(&result, &["member a of main", &told]), "{result}");
    let snapshot = &account.snapshots().await[0];
    let volume = &cluster.get("main", "a").tags;
    let mut expected = volume.clone();
    expected.retain(|key, _| key == "Name" || (key.starts_with("label-") && !left_out.contains(&key.as_str())));
    let copied: Tags = snapshot.tags.clone().into_iter().filter(|(key, _)| !key.starts_with("etcd-backup/")).collect();
    assert_eq!(copied, expected);
    assert_eq!(snapshot.tags.len(), 48, "there is room for a pin and a verdict");
    let whole = tags::snapshot(volume, &snapshot.tags["etcd-backup/recovery-point"], "");
    let packed = |tags: &Tags| -> Vec<String> {
        tags.iter().filter(|(key, _)| key.starts_with("etcd-backup/tags/")).map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(packed(&snapshot.tags), packed(&whole), "a restore gives back all of them");
}

#[tokio::test]
async fn tags_of_aws_and_of_this_tool_are_not_copied_from_the_volume() {
    let account = LocalAws::account();
    let cluster = Kops::cluster("k8s.example.com").single_master().etcd(["main"]).create(&account).await;
    let strange = tags::of([
        ("aws:cloudformation:stack-name", "kops"),
        ("etcd-backup/keep", "true"),
        ("etcd-backup/recovery-point", "2020-01-01T00:00:00Z"),
        ("etcd-backup/retired-at", "2020-01-01T00:00:00Z"),
        ("Unusual +-=._:/@ key", "und ein Wert mit Umlaut: ä"),
    ]);
    account.change_volumes(cluster.volume("main", "a")).tags(&strange).await;
    let backup = backup(&account).await;
    let slot = hours_ago(1);

    backup.invoke(events::scheduled(&slot)).await.unwrap();

    let snapshot = &account.snapshots().await[0];
    let keys: Vec<&str> =
        snapshot.tags.keys().map(String::as_str).filter(|key| key.starts_with("etcd-backup/")).collect();
    let marks = ["cluster", "etcd-cluster", "member", "recovery-point", "tags/1", "trigger", "volume"]
        .map(|word| format!("etcd-backup/{word}"));
    assert_eq!(keys, marks);
    assert!(
        !snapshot.tags.keys().any(|key| key == "KubernetesCluster" || key.contains("k8s.io/")),
        "{:?}",
        snapshot.tags
    );
    assert_eq!(snapshot.tags["etcd-backup/recovery-point"], slot);
    assert_eq!(snapshot.tags["Unusual +-=._:/@ key"], "und ein Wert mit Umlaut: ä");
    assert!(!snapshot.tags.keys().any(|key| key.starts_with("aws:")));
}
