//! The event: one by hand, a scheduled one, or `verify`'s word that a point is sound.

use etcd_backup_aws::event::{invalid, read};
use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::export::{Event, Exports, Request, Settings};
use etcd_backup_core::ids::{Cluster, EtcdCluster, EtcdClusterId};
use etcd_backup_core::slot::Slot;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What an event may be; said in every refusal of one.
const ACCEPTED: &str = "accepted by hand: {\"cluster\": …, \"etcd_cluster\": …, \"recovery_point\": \"latest\" or its time, \
                        \"member\": …}, {\"snapshot\": \"snap-…\"}, {\"mode\": \"list\"}, or {\"mode\": \"restore\", \
                        \"cluster\": …, \"etcd_cluster\": …, \"backup\": …}; from EventBridge: `Etcd Snapshot Verified`, or a \
                        scheduled event";

/// What `verify` announces, as far as it matters here.
#[derive(Deserialize)]
struct Announced {
    cluster: String,
    etcd_cluster: String,
    recovery_point: String,
}

/// Reads an event.
pub(crate) fn parse(event: Value, settings: &Settings) -> Result<Request, FunctionError> {
    let is = |source: &str, detail_type: &str| event["source"] == source && event["detail-type"] == detail_type;
    if is("aws.events", "Scheduled Event") {
        let time = event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        return time.map(Request::Watch).ok_or_else(|| invalid("time: is missing, or none", ACCEPTED));
    }
    if is("etcd-volume-backup", "Etcd Snapshot Verified") {
        return verified(event["detail"].clone(), settings);
    }
    let event: Event = read(event, ACCEPTED)?;
    Request::accept(&event, &settings.clusters).map_err(|why| invalid(why, ACCEPTED))
}

fn verified(detail: Value, settings: &Settings) -> Result<Request, FunctionError> {
    if settings.exports == Exports::Off {
        return Ok(Request::Other("`EXPORT` is `off`: snapshots are exported by hand alone".to_owned()));
    }
    let announced: Announced =
        serde_json::from_value(detail).map_err(|error| invalid(format!("detail: {error}"), ACCEPTED))?;
    let of = Cluster::parse(&announced.cluster)
        .and_then(|cluster| Ok(EtcdClusterId { cluster, etcd_cluster: EtcdCluster::parse(&announced.etcd_cluster)? }));
    let (Ok(of), Some(slot)) = (of, Slot::parse(&announced.recovery_point)) else {
        return Err(invalid("detail: names no recovery point", ACCEPTED));
    };
    Ok(if settings.clusters.contains(&of.cluster) {
        Request::Verified(of, slot)
    } else {
        Request::Other(format!("{} is not one of CLUSTERS", of.cluster))
    })
}
