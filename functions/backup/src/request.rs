//! The event: what EventBridge or a person sends.

use etcd_backup_aws::config::BackupConfig;
use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::backup::{ClusterSet, Request, Scope, Trigger};
use etcd_backup_core::ids::{Cluster, EtcdCluster};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What an event may be; said in every refusal.
const ACCEPTED: &str = "accepted by hand, all optional: {\"cluster\": string, \"etcd_cluster\": string, \"keep\": \
                        true|false, \"prune\": true|false, \"dry_run\": true|false}; from a schedule: an EventBridge \
                        scheduled event, or {\"scheduled_time\": RFC 3339 time}";

/// An event by hand. Strict: a misspelt `dry_run` must not become a backup.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    cluster: Option<String>,
    etcd_cluster: Option<String>,
    #[serde(default)]
    keep: bool,
    #[serde(default)]
    prune: bool,
    #[serde(default)]
    dry_run: bool,
}

/// An EventBridge scheduled event: of its envelope, the time alone counts.
#[derive(Debug, Deserialize)]
struct ScheduledEvent {
    time: Timestamp,
}

/// What EventBridge Scheduler sends where its input says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduledTime {
    scheduled_time: Timestamp,
}

/// Reads the event of the invocation with that id.
pub(crate) fn parse(event: Value, id: &str, config: &BackupConfig, now: Timestamp) -> Result<Request, FunctionError> {
    if !event.is_object() {
        return Err(invalid("the event is not a JSON object"));
    }
    if event["source"] == "aws.events" && event["detail-type"] == "Scheduled Event" {
        return scheduled("time", read::<ScheduledEvent>(event)?.time, id, config, now);
    }
    if event.get("scheduled_time").is_some() {
        return scheduled("scheduled_time", read::<ScheduledTime>(event)?.scheduled_time, id, config, now);
    }
    by_hand(read(event)?, id, config)
}

/// A scheduled time is believed however old, but not ahead of its time: beside a point of the future all others would
/// seem old, and be pruned.
fn scheduled(
    field: &str,
    time: Timestamp,
    id: &str,
    config: &BackupConfig,
    now: Timestamp,
) -> Result<Request, FunctionError> {
    let period = config.settings.period;
    if period.is_ahead(period.slot(time), now) {
        return Err(invalid(format!("{field}: {time} lies in the future")));
    }
    Ok(Request {
        id: id.to_owned(),
        trigger: Trigger::Schedule(time),
        scope: Scope { clusters: config.clusters.clone(), etcd_cluster: None },
        keep: false,
        prune: true,
        dry_run: false,
    })
}

fn by_hand(event: ByHand, id: &str, config: &BackupConfig) -> Result<Request, FunctionError> {
    let cluster = event.cluster.map(|name| Cluster::parse(&name)).transpose();
    let cluster = cluster.map_err(|error| invalid(format!("cluster: {error}")))?;
    let etcd_cluster = event.etcd_cluster.map(|name| EtcdCluster::parse(&name)).transpose();
    let etcd_cluster = etcd_cluster.map_err(|error| invalid(format!("etcd_cluster: {error}")))?;
    let clusters = match (cluster, &config.clusters) {
        (None, all) => all.clone(),
        (Some(cluster), all) if all.contains(&cluster) => ClusterSet::Named([cluster].into()),
        (Some(cluster), ClusterSet::Named(names)) => {
            let names: Vec<&str> = names.iter().map(Cluster::as_str).collect();
            return Err(invalid(format!("cluster: `{cluster}` is not one of CLUSTERS ({})", names.join(", "))));
        }
        (Some(cluster), ClusterSet::All) => ClusterSet::Named([cluster].into()),
    };
    Ok(Request {
        id: id.to_owned(),
        trigger: Trigger::Manual,
        scope: Scope { clusters, etcd_cluster },
        keep: event.keep,
        prune: event.prune,
        dry_run: event.dry_run,
    })
}

fn read<T: for<'de> Deserialize<'de>>(event: Value) -> Result<T, FunctionError> {
    serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner();
        invalid(if path == "." { why.to_string() } else { format!("{path}: {why}") })
    })
}

fn invalid(why: impl std::fmt::Display) -> FunctionError {
    FunctionError::invalid_request(format!("{why}. Nothing was done; {ACCEPTED}"))
}
