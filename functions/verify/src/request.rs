//! The event: a notification of EC2's, a scheduled one, or one by hand.

use etcd_backup_aws::event::{invalid, read};
use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::scope::ClusterSet;
use etcd_backup_core::verify::{Event, Notification, Request};
use serde_json::Value;

/// What an event may be; said in every refusal of one.
const ACCEPTED: &str = "accepted by hand: {\"snapshot\": \"snap-…\", \"deep\": false}, or {\"cluster\": …, \
                        \"etcd_cluster\": …, \"recovery_point\": \"latest\" or its time, \"deep\": false}; from \
                        EventBridge: an EBS Snapshot Notification, or a scheduled event";

/// Reads an event.
pub(crate) fn parse(event: Value, clusters: &ClusterSet) -> Result<Request, FunctionError> {
    let is = |source: &str, detail_type: &str| event["source"] == source && event["detail-type"] == detail_type;
    if is("aws.events", "Scheduled Event") {
        return Ok(Request::Sweep);
    }
    if is("aws.ec2", "EBS Snapshot Notification") {
        let notification: Notification = read(event, ACCEPTED)?;
        return Request::notified(&notification).map_err(|why| invalid(why, ACCEPTED));
    }
    let event: Event = read(event, ACCEPTED)?;
    Request::accept(&event, clusters).map_err(|why| invalid(why, ACCEPTED))
}
