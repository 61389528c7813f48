//! Events as AWS sends them.

use serde_json::{Value, json};

use crate::REGION;

/// A scheduled event of EventBridge, with its whole envelope, for this time (RFC 3339, UTC).
#[must_use]
pub fn scheduled(time: &str) -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": time,
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:111122223333:rule/etcd-volume-backup-hourly")],
        "detail": {}
    })
}

/// What EventBridge Scheduler sends where its target's input is `{"scheduled_time": "<aws.scheduler.scheduled-time>"}`.
#[must_use]
pub fn from_scheduler(time: &str) -> Value {
    json!({ "scheduled_time": time })
}
