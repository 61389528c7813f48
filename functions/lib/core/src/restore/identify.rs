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
    let said = Said::by(snapshot)?;
    let cluster = said.cluster.and_then(|name| Cluster::parse(name).ok());
    let etcd_cluster = said.etcd_cluster.and_then(|name| EtcdCluster::parse(name).ok());
    let membership = said.member.and_then(|value| Membership::parse(value).ok());
    let etcd_value = said.member.filter(|_| membership.is_some()).map(str::to_owned);
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

/// What a snapshot's tags say that it is of: its marks; else, of another tool's snapshot, the tags of kops that it copied.
struct Said<'a> {
    cluster: Option<&'a str>,
    etcd_cluster: Option<&'a str>,
    member: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn by(snapshot: &'a Snapshot) -> Result<Self, Refusal> {
        let word = |key| snapshot.tags.get(key).map(String::as_str);
        let marked = Self {
            cluster: word(tags::SNAPSHOT_CLUSTER),
            etcd_cluster: word(tags::SNAPSHOT_ETCD_CLUSTER),
            member: word(tags::SNAPSHOT_MEMBER),
        };
        if marked.member.is_some() {
            return Ok(marked);
        }
        let tagged: Vec<(&str, &str)> = tags::etcd_tags(&snapshot.tags).collect();
        if tagged.len() > 1 {
            let prefix = tags::ETCD_PREFIX;
            let message = format!("snapshot: {} bears several tags `{prefix}<name>`; remove all but one", snapshot.id);
            return Err(Refusal::invalid(message));
        }
        let (etcd_cluster, member) = tagged.first().copied().unzip();
        Ok(Self { cluster: word(tags::CLUSTER), etcd_cluster, member })
    }
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
