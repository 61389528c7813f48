//! From an event by hand to a request, or to the field that is wrong and what is accepted.

use std::fmt::Display;

use super::event::{Event, Mode};
use super::request::{At, ExportRequest, Request, What};
use crate::ids::{EtcdCluster, EtcdClusterId, Member, SnapshotId};
use crate::scope::ClusterSet;
use crate::slot::Slot;

impl Request {
    /// Checks an event. `{}` lists. The error names the field and what is accepted.
    pub fn accept(event: &Event, clusters: &ClusterSet) -> Result<Self, String> {
        let mode = event.mode.unwrap_or(if *event == Event::default() { Mode::List } else { Mode::Export });
        if let Some(field) = event.present().find(|field| !mode.takes().contains(field)) {
            return Err(format!("{field}: does not go with the mode `{}`", mode.name()));
        }
        match mode {
            Mode::Export => export(event, clusters).map(Self::Export),
            Mode::List => list(event, clusters),
            Mode::Restore => Ok(Self::Restore(etcd_cluster(event, clusters)?, backup(event)?)),
            Mode::Apply => {
                let plan = event
                    .plan
                    .clone()
                    .ok_or("plan: is missing; send the mode `restore` first, and then its `apply`")?;
                Ok(Self::Apply { of: etcd_cluster(event, clusters)?, backup: backup(event)?, plan })
            }
        }
    }
}

fn export(event: &Event, clusters: &ClusterSet) -> Result<ExportRequest, String> {
    let allow_degraded = event.allow_degraded.unwrap_or_default();
    if let Some(id) = &event.snapshot {
        let others = event.present().find(|field| !["snapshot", "allow_degraded"].contains(field));
        if let Some(field) = others {
            return Err(format!("{field}: does not go with `snapshot`, whose tags say what it is of"));
        }
        return Ok(ExportRequest { what: What::Snapshot(parse("snapshot", SnapshotId::parse(id))?), allow_degraded });
    }
    let at = match event.recovery_point.as_deref() {
        None | Some("latest") => At::Latest,
        Some(time) => At::Slot(Slot::parse(time).ok_or_else(|| {
            format!("recovery_point: `{time}` is neither `latest` nor a time such as `2026-11-23T02:00:00Z`")
        })?),
    };
    let member = event.member.as_deref().map(|member| parse("member", Member::parse(member))).transpose()?;
    Ok(ExportRequest { what: What::Point { of: etcd_cluster(event, clusters)?, at, member }, allow_degraded })
}

fn list(event: &Event, clusters: &ClusterSet) -> Result<Request, String> {
    let scope = clusters.narrowed(event.cluster.as_deref(), event.etcd_cluster.as_deref())?;
    match event.limit.unwrap_or(10) {
        0 => Err("limit: 0 lists nothing; give a whole number from 1".to_owned()),
        limit => Ok(Request::List(scope, limit as usize)),
    }
}

fn etcd_cluster(event: &Event, clusters: &ClusterSet) -> Result<EtcdClusterId, String> {
    let missing = |field: &str| format!("{field}: is missing; name the kops cluster and the etcd cluster, e.g. `main`");
    let cluster = clusters.named(event.cluster.as_deref().ok_or_else(|| missing("cluster"))?)?;
    let etcd_cluster = event.etcd_cluster.as_deref().ok_or_else(|| missing("etcd_cluster"))?;
    Ok(EtcdClusterId { cluster, etcd_cluster: parse("etcd_cluster", EtcdCluster::parse(etcd_cluster))? })
}

fn backup(event: &Event) -> Result<String, String> {
    event.backup.clone().ok_or_else(|| "backup: is missing; the mode `list` shows their names".to_owned())
}

fn parse<T, E: Display>(field: &str, parsed: Result<T, E>) -> Result<T, String> {
    parsed.map_err(|error| format!("{field}: {error}"))
}
