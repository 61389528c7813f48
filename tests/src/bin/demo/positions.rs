//! Snapshots that hold a real etcd's volumes, read by `verify`: where each member stands, and in which order they can start.

use jiff::{SignedDuration, Timestamp};
use scenarios::{Account, Disk};
use serde_json::Value;

use crate::restored::{Restored, about};
use crate::text::{paragraph, promise, table};
use crate::{Demo, binary};

/// The snapshots of that point get the volumes of a real etcd of three members, which were copied two seconds apart; then
/// `verify` reads them. Gives its answer.
pub(crate) async fn read(account: &Account, etcd: &str, slot: Timestamp) -> Demo<Value> {
    let slot_name = slot.to_string();
    let of_point = |tags: &scenarios::tags::Tags| {
        let is = |key: &str, value: &str| tags.get(key).is_some_and(|found| found == value);
        is("etcd-backup/recovery-point", &slot_name) && is("etcd-backup/etcd-cluster", etcd)
    };
    for snapshot in account.snapshots().await.iter().filter(|snapshot| of_point(&snapshot.tags)) {
        let (member, _) = snapshot.tags["etcd-backup/member"].split_once('/').ok_or("a member without its list")?;
        account.put_disk(&snapshot.id, &Disk::fixture(&format!("member-{member}")).bytes).await;
    }
    let verify = binary("verify")?.account(account).start().await;
    Ok(verify.invoke(about(etcd, serde_json::json!({ "recovery_point": slot.to_string() }))).await?)
}

/// What was found of a set that must be started in stages.
pub(crate) fn show(found: &Value) -> Demo {
    paragraph(
        "Its snapshots hold the volumes of a real etcd, copied two seconds apart while it was written to. verify has read \
         where each member stands in raft's log:",
    );
    println!();
    let members = found["members"].as_array().ok_or("verify names no members")?;
    let row = |member: &Value| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        [&member["member"], &member["verdict"], &member["wal_last_index"], &member["commit"]].map(text)
    };
    table(["member", "verdict", "last entry", "committed"], &members.iter().map(row).collect::<Vec<_>>());
    println!();
    let why = found["set"]["why"].as_str().unwrap_or_default();
    paragraph(&format!("Started all at once they could get stuck: {why}."));
    println!();
    promise(found["set"]["any_order"] == false, "verify says that this set needs an order")
}

/// The masters have started on the volumes of the first stage, a while ago.
pub(crate) async fn start(account: &Account, applied: &Restored, masters: &[(String, String)]) -> Demo {
    account.clock(&(Timestamp::now() - SignedDuration::from_mins(2)).to_string()).await;
    for member in applied.members.iter().filter(|member| member.stage == Some(1)) {
        let volume = member.new_volume.as_ref().ok_or("a member has no new volume")?;
        let master = masters.iter().find(|(of, _)| *of == member.member).ok_or("a member has no master")?;
        account.attach(volume, &master.1, "/dev/xvdu").await;
    }
    account.real_clock().await;
    Ok(())
}
