//! What a single snapshot is of: ours, a copy, or one that another tool or a person made.

use super::refusal::{Refusal, RefusalKind};
use super::request::Described;
use super::source::Source;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Zone};
use crate::scope::ClusterSet;
use crate::snapshot::Snapshot;
use crate::tags::{self, Membership, RecordedVolume};

/// What a snapshot is of: its tags say so, and what they lack the event must.
pub(super) fn identify<'a>(
    snapshot: &'a Snapshot,
    described: &Described,
    zone: Option<&Zone>,
    clusters: &ClusterSet,
) -> Result<(EtcdClusterId, Source<'a>), Refusal> {
    let tagged: Vec<(&str, &str)> = tags::etcd_tags(&snapshot.tags).collect();
    if tagged.len() > 1 {
        let message =
            format!("snapshot: {} bears several tags `{}<name>`; remove all but one", snapshot.id, tags::ETCD_PREFIX);
        return Err(Refusal::invalid(message));
    }
    let tagged = tagged.first().copied();
    let cluster = snapshot.tags.get(tags::CLUSTER).and_then(|name| Cluster::parse(name).ok());
    let etcd_cluster = tagged.and_then(|(name, _)| EtcdCluster::parse(name).ok());
    let membership = tagged.and_then(|(_, value)| Membership::parse(value).ok());
    let etcd_value = tagged.filter(|_| membership.is_some()).map(|(_, value)| value.to_owned());
    let recorded = snapshot.tags.get(tags::VOLUME).and_then(|recorded| RecordedVolume::parse(recorded));
    let zone = zone.cloned().or_else(|| recorded.as_ref().map(|recorded| recorded.zone.clone()));
    let cluster = agreed("cluster", cluster, described.cluster.clone())?;
    let etcd_cluster = agreed("etcd_cluster", etcd_cluster, described.etcd_cluster.clone())?;
    let membership = agreed("member", membership, described.membership.clone())?;
    let (Some(cluster), Some(etcd_cluster), Some(membership), Some(zone)) =
        (&cluster, &etcd_cluster, &membership, &zone)
    else {
        let missing = [
            ("`cluster`", cluster.is_none()),
            ("`etcd_cluster`", etcd_cluster.is_none()),
            ("`member` (`<member>/<all members>`, e.g. `a/a,b,c`)", membership.is_none()),
            ("`zone`", zone.is_none()),
        ];
        let missing: Vec<&str> = missing.into_iter().filter(|(_, missing)| *missing).map(|(field, _)| field).collect();
        let message = format!("{} does not say what it is of; give {}", snapshot.id, missing.join(", "));
        return Err(Refusal::new(RefusalKind::NotOurs, message));
    };
    clusters.named(cluster.as_str()).map_err(Refusal::invalid)?;
    let source = Source {
        etcd_value: etcd_value.unwrap_or_else(|| membership.to_string()),
        membership: membership.clone(),
        snapshot,
        recorded,
        zone: zone.clone(),
    };
    Ok((EtcdClusterId { cluster: cluster.clone(), etcd_cluster: etcd_cluster.clone() }, source))
}

/// What the tag says; else what the event says. They must not contradict each other.
fn agreed<T: PartialEq + ToString>(field: &str, tagged: Option<T>, given: Option<T>) -> Result<Option<T>, Refusal> {
    match (tagged, given) {
        (Some(tagged), Some(given)) if tagged != given => Err(Refusal::invalid(format!(
            "{field}: `{}` contradicts the snapshot's tags, which say `{}`; leave it away",
            given.to_string(),
            tagged.to_string()
        ))),
        (tagged, given) => Ok(tagged.or(given)),
    }
}
