//! Members of a real etcd cluster that contradict each other, and what can be restored of them.

use scenarios::{Disk, Kops, LocalAws};

use super::*;

/// The first event in a message, after these words.
fn event_after(message: &str, words: &str) -> Value {
    let (_, rest) = message.split_once(words).unwrap_or_else(|| panic!("{words}: {message}"));
    let mut events = serde_json::Deserializer::from_str(rest).into_iter();
    events.next().unwrap().unwrap()
}

/// The volumes of the three members with another one of b, and what is said of the point.
async fn told_with(account: &Account, b: &Disk) -> Value {
    let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(account).await;
    let snapshots = cluster.past_point("main", POINT).await;
    for (member, snapshot) in &snapshots {
        let disk = if member == "b" { b.clone() } else { Disk::fixture(&format!("member-{member}")) };
        account.put_disk(snapshot, &disk.bytes).await;
    }
    let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": POINT});
    let result = verify(account).await.invoke(event).await.unwrap();
    let verdicts = result["members"].as_array().unwrap().iter().map(|member| &member["verdict"]);
    assert!(verdicts.eq([&json!("ok"); 3]), "each by itself is sound: {result:#}");
    result
}

#[tokio::test]
async fn of_members_that_differ_those_that_agree_are_restored_and_the_other_joins_empty() {
    for (b, words) in [
        (Disk::fixture("member-b").with_more_revisions(5000), "the databases of a and b differ: a has revision 799"),
        (Disk::fixture("clean-3.5"), "the members are not of one etcd cluster"),
    ] {
        let account = LocalAws::account();
        let result = told_with(&account, &b).await;

        assert_eq!((&result["set"]["contradicts"], &result["set"]["order"]), (&json!(true), &json!([])), "{result:#}");
        assert_eq!(result["best_member"], "c");
        let why = result["set"]["why"].as_str().unwrap();
        assert!(
            why.contains(words) && why.ends_with("; a and c agree with each other; the best single member is c"),
            "{why}"
        );
        let warning = result["warnings"][0].as_str().unwrap();
        assert!(
            warning.starts_with(&format!("the members must not be restored together: {why}. Take another")),
            "{warning}"
        );

        let restore = Function::named("restore").account(&account).start().await;
        let listed = restore.invoke(json!({})).await.unwrap();
        assert_eq!(listed["recovery_points"][0]["set"], result["set"]);
        let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": POINT, "replace": true});
        let plan = restore.invoke(event).await.unwrap();
        assert_eq!((&plan["refusals"][0]["type"], plan.get("apply")), (&json!("SetContradicts"), None));
        let message = plan["refusals"][0]["message"].as_str().unwrap();
        let agreeing = restore.invoke(event_after(message, "join empty, by `restore`: ")).await.unwrap();
        assert_eq!((agreeing.get("refusals"), &agreeing["set"]["any_order"]), (None, &json!(true)), "{agreeing:#}");
        let alone = restore.invoke(event_after(message, "that `restore` makes for it: ")).await.unwrap();
        assert_eq!((alone.get("refusals"), &alone["members"][0]["member"]), (None, &json!("c")), "{alone:#}");
        assert!(restore.invoke(agreeing["apply"].clone()).await.unwrap()["acceptance"]["protokube"] == "ok");
    }
}
