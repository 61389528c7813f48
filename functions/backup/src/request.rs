//! The event: what EventBridge or a person sends.

use etcd_backup_aws::config::BackupConfig;
use etcd_backup_aws::event;
use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::backup::{Request, Trigger};
use etcd_backup_core::provenance::fits;
use etcd_backup_core::scope::Scope;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What an event may be; said in every refusal.
const ACCEPTED: &str = "accepted by hand, all optional: {\"cluster\": string, \"etcd_cluster\": string, \"keep\": \
                        true|false, \"prune\": true|false, \"accept_members\": true|false, \"dry_run\": true|false}; from a schedule: an EventBridge \
                        scheduled event, or {\"scheduled_time\": RFC 3339 time}";

/// An event by hand. Strict: a misspelt `dry_run` must not become a backup.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the event's fields")]
struct ByHand {
    cluster: Option<String>,
    etcd_cluster: Option<String>,
    #[serde(default)]
    keep: bool,
    #[serde(default)]
    prune: bool,
    #[serde(default)]
    accept_members: bool,
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
    if event["source"] == "aws.events" && event["detail-type"] == "Scheduled Event" {
        return scheduled("time", event::read::<ScheduledEvent>(event, ACCEPTED)?.time, id, config, now);
    }
    if event.get("scheduled_time").is_some() {
        return scheduled(
            "scheduled_time",
            event::read::<ScheduledTime>(event, ACCEPTED)?.scheduled_time,
            id,
            config,
            now,
        );
    }
    by_hand(&event::read(event, ACCEPTED)?, id, config)
}

/// A scheduled time is believed, but not ahead of its time: no snapshot is taken before its slot.
fn scheduled(
    field: &str,
    time: Timestamp,
    id: &str,
    config: &BackupConfig,
    now: Timestamp,
) -> Result<Request, FunctionError> {
    let slot = config.settings.period.slot(time);
    if slot.time() > now && !fits(slot, false, now) {
        return Err(invalid(format!("{field}: {time} lies in the future")));
    }
    Ok(Request {
        id: id.to_owned(),
        trigger: Trigger::Schedule(time),
        scope: Scope { clusters: config.shared.clusters.clone(), etcd_cluster: None },
        keep: false,
        prune: true,
        accept_members: false,
        dry_run: false,
    })
}

fn by_hand(event: &ByHand, id: &str, config: &BackupConfig) -> Result<Request, FunctionError> {
    let scope =
        config.shared.clusters.narrowed(event.cluster.as_deref(), event.etcd_cluster.as_deref()).map_err(invalid)?;
    Ok(Request {
        id: id.to_owned(),
        trigger: Trigger::Manual,
        scope,
        keep: event.keep,
        prune: event.prune,
        accept_members: event.accept_members,
        dry_run: event.dry_run,
    })
}

fn invalid(why: impl std::fmt::Display) -> FunctionError {
    event::invalid(why, ACCEPTED)
}
