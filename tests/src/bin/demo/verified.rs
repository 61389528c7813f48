//! What `verify` says: a volume of a real etcd in one recovery point's snapshot, the same one damaged in the next.

use scenarios::{Account, Disk, Kops, LocalAws, events};
use serde_json::{Value, json};

use crate::text::{paragraph, promise, spaced, table};
use crate::{Demo, binary};

const CLUSTER: &str = "small.example.com";
const SOUND: &str = "2026-11-23T02:00:00Z";
const DAMAGED: &str = "2026-11-23T03:00:00Z";

pub(crate) async fn show() -> Demo {
    let account = LocalAws::account();
    let disk = Disk::fixture("clean-3.5");
    set(&account, &disk).await?;
    paragraph(
        "The snapshots of another cluster, with a single master, hold what a real etcd 3.5 wrote onto a real ext4; in the \
         newer one both meta pages of its database are lost. Nobody has read either. The hourly sweep does, block by \
         block, through the EBS direct APIs, without any volume:",
    );
    println!();
    let verify = binary("verify")?.account(&account).start().await;
    let swept = verify.invoke(events::scheduled("2026-11-23T03:30:00Z")).await?;
    let points = swept["recovery_points"].as_array().ok_or("no recovery points")?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |point: &Value| {
        let member = &point["members"][0];
        [&point["recovery_point"], &member["verdict"], &member["revision"], &member["blocks_read"]].map(text)
    };
    let rows: Vec<[String; 4]> = points.iter().map(row).collect();
    table(["point (UTC)", "verdict", "revision", "blocks read"], &rows);
    println!();
    let (damaged, sound) = (&points[0]["members"][0], &points[1]["members"][0]);
    paragraph(&format!("Why: {}.", text(&damaged["reason"])));
    println!();
    promise(
        sound["verdict"] == "ok" && sound["revision"] == disk.truth["revision"],
        &format!("etcd's own tool says of the sound one that its revision is {}", disk.truth["revision"]),
    )?;
    promise(damaged["verdict"] == "corrupt", "the damaged one is found corrupt")?;
    latest(&account).await
}

/// A cluster with two points.
async fn set(account: &Account, disk: &Disk) -> Demo {
    let cluster = Kops::cluster(CLUSTER).single_master().etcd(["main"]).create(account).await;
    for (slot, disk) in [(SOUND, disk.clone()), (DAMAGED, disk.clone().without_meta_pages())] {
        let snapshots = cluster.past_point("main", slot).await;
        let snapshot = snapshots.get("a").ok_or("the local AWS lost a snapshot")?;
        account.put_disk(snapshot, &disk.bytes).await;
    }
    Ok(())
}

/// What that means for a restore.
async fn latest(account: &Account) -> Demo {
    let restore = binary("restore")?.account(account).start().await;
    let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "replace": true, "verified": true});
    let plan = restore.invoke(event.clone()).await?;
    promise(plan["recovery_point"] == SOUND, &format!("a restore of {} takes the point of {SOUND}", spaced(&event)))
}
