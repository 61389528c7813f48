//! `verify`, as Lambda runs it, on volumes of a real etcd.

mod blocks;
mod by_hand;
mod contradictions;
mod deadlines;
mod deaths;
mod faults;
mod marks;
mod notified;
mod reads;
mod sets;
mod sweep;

use scenarios::{Account, Disk, Function, RunningFunction};
use serde_json::{Value, json};

use crate::etcds::{CLUSTER, POINT, one, three};

async fn verify(account: &Account) -> RunningFunction {
    Function::named("verify").account(account).start().await
}

/// A sound volume.
fn sound() -> Vec<u8> {
    Disk::fixture("clean-3.5").bytes
}

/// The same, both meta pages of every database lost.
fn corrupt() -> Vec<u8> {
    Disk::fixture("clean-3.5").without_meta_pages().bytes
}

/// EC2's notification about a snapshot.
fn notification(snapshot: &str, event: &str, result: &str) -> Value {
    json!({"version": "0", "id": "01234567-0123-0123-0123-012345678901", "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2", "account": "123456789012", "time": "2026-11-23T02:01:00Z", "region": "eu-central-1",
        "resources": [format!("arn:aws:ec2::eu-central-1:snapshot/{snapshot}")],
        "detail": {"event": event, "result": result, "cause": "", "request-id": "",
            "snapshot_id": format!("arn:aws:ec2::eu-central-1:snapshot/{snapshot}"),
            "source": "arn:aws:ec2::eu-central-1:volume/vol-01234567", "startTime": "2026-11-23T02:00:02Z",
            "endTime": "2026-11-23T02:01:00Z"}})
}

/// The tag that holds the verdict, or says that reading began.
async fn verified(account: &Account, snapshot: &str) -> Option<String> {
    account.snapshot(snapshot).await.unwrap().tags.get("etcd-backup/verified").cloned()
}

/// The verdict.
async fn verdict(account: &Account, snapshot: &str) -> Option<String> {
    verified(account, snapshot).await.filter(|value| !value.starts_with("begun at="))
}

/// The types of the events that were sent.
async fn told(account: &Account) -> Vec<String> {
    account.events().await.into_iter().map(|event| event.detail_type).collect()
}
