//! Which volume holds which member, and what is wrong where that cannot be said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::finding::Finding;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Member};
use crate::scope::Scope;
use crate::tags::{self, Membership};
use crate::told;
use crate::volume::Volume;

/// One member of an etcd cluster, and a volume found for it: where several claim it, each by itself.
#[derive(Debug)]
pub(super) struct FoundMember<'a> {
    /// `None` where the tag does not say.
    pub member: Option<Member>,
    /// The volume to show.
    pub volume: Option<&'a Volume>,
    /// Whether that volume is to be snapshotted, finding or not.
    pub snapshot: bool,
    /// What is wrong.
    pub finding: Option<Finding>,
}

/// An etcd cluster's volumes.
#[derive(Debug, Default)]
pub(super) struct FoundEtcdCluster<'a> {
    pub members: Vec<FoundMember<'a>>,
    pub oldest_volume: Option<Timestamp>,
    pub warnings: Vec<String>,
}

/// All that the volumes say.
#[derive(Debug, Default)]
pub(super) struct Discovery<'a> {
    pub etcd_clusters: BTreeMap<EtcdClusterId, FoundEtcdCluster<'a>>,
    pub warnings: Vec<String>,
}

/// A volume's etcd tag.
struct Claim<'a> {
    volume: &'a Volume,
    membership: Option<Membership>,
    finding: Option<Finding>,
}

/// Reads the volumes' tags.
pub(super) fn discover<'a>(volumes: &'a [Volume], scope: &Scope) -> Discovery<'a> {
    let mut discovery = Discovery::default();
    let mut claims: BTreeMap<EtcdClusterId, Vec<Claim<'a>>> = BTreeMap::new();
    for volume in volumes {
        let Some(cluster) = volume.tags.get(tags::CLUSTER) else { continue };
        let etcd_tags: Vec<_> = tags::etcd_tags(&volume.tags).collect();
        for &(name, value) in &etcd_tags {
            let of = Cluster::parse(cluster)
                .and_then(|cluster| Ok(EtcdClusterId { cluster, etcd_cluster: EtcdCluster::parse(name)? }));
            match of {
                Ok(of) if scope.contains(&of) => {
                    claims.entry(of).or_default().push(claim(volume, name, value, &etcd_tags));
                }
                Ok(_) => {}
                Err(why) => discovery.warnings.push(format!("volume {} is passed over: {why}", volume.id)),
            }
        }
    }
    discovery.etcd_clusters = claims.into_iter().map(|(of, claims)| (of, found(claims))).collect();
    discovery
}

fn claim<'a>(volume: &'a Volume, name: &str, value: &str, etcd_tags: &[(&str, &str)]) -> Claim<'a> {
    let membership = Membership::parse(value);
    let finding = match &membership {
        _ if etcd_tags.len() > 1 => {
            let keys: Vec<String> =
                etcd_tags.iter().map(|(name, _)| format!("{}{}", tags::ETCD_PREFIX, told::value(name))).collect();
            Some(Finding::SeveralEtcdTags { volume: volume.id.clone(), keys: keys.join(", ") })
        }
        Err(why) => {
            let key = format!("{}{name}", tags::ETCD_PREFIX);
            Some(Finding::Unreadable { volume: volume.id.clone(), key, why: why.to_string() })
        }
        Ok(_) => None,
    };
    Claim { volume, membership: membership.ok(), finding }
}

fn found(claims: Vec<Claim<'_>>) -> FoundEtcdCluster<'_> {
    let mut found = FoundEtcdCluster {
        oldest_volume: claims.iter().map(|claim| claim.volume.created).min(),
        ..FoundEtcdCluster::default()
    };
    // A volume on its way out still bears its tags; it is no rival of the one that follows it.
    let (live, leaving): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| !claim.volume.is_leaving());
    let speaking = if live.is_empty() { &leaving } else { &live };
    let lists: BTreeSet<_> = speaking.iter().filter_map(|claim| Some(&claim.membership.as_ref()?.members)).collect();
    if lists.len() > 1 {
        let lists: Vec<String> = lists.iter().map(|list| join(list.iter())).collect();
        found
            .warnings
            .push(format!("the volumes disagree on the members ({}): every one named is expected", lists.join(" / ")));
    }
    let expected: BTreeSet<Member> = lists.into_iter().flatten().cloned().collect();
    for member in expected {
        let (live, leaving) = (of_member(&live, &member), of_member(&leaving, &member));
        found.members.extend(found_member(&member, &live, &leaving));
    }
    let speaking = if live.is_empty() { leaving } else { live };
    for claim in speaking.into_iter().filter(|claim| claim.membership.is_none()) {
        found.members.push(FoundMember {
            member: None,
            volume: Some(claim.volume),
            snapshot: false,
            finding: claim.finding,
        });
    }
    found
}

fn of_member<'b, 'a>(claims: &'b [Claim<'a>], member: &Member) -> Vec<&'b Claim<'a>> {
    let is_of_member = |membership: &Membership| membership.member == *member;
    claims.iter().filter(|claim| claim.membership.as_ref().is_some_and(is_of_member)).collect()
}

/// Of several volumes with one lineage each is snapshotted: which of them holds the member's etcd, and which the next
/// boot takes, cannot be told by their tags, which the masters may change.
fn found_member<'a>(member: &Member, live: &[&Claim<'a>], leaving: &[&Claim<'a>]) -> Vec<FoundMember<'a>> {
    let found = |volume, snapshot, finding| FoundMember { member: Some(member.clone()), volume, snapshot, finding };
    let shared = || Finding::SharedLineage { volumes: join(live.iter().map(|claim| &claim.volume.id)) };
    match (live, leaving) {
        ([], []) => vec![found(None, false, Some(Finding::NoVolume))],
        ([], [claim, ..]) => vec![found(Some(claim.volume), false, Some(not_ready(claim.volume)))],
        _ => live
            .iter()
            .map(|claim| {
                let ready = claim.volume.state.can_be_snapshotted();
                let finding = if live.len() > 1 { Some(shared()) } else { claim.finding.clone() };
                let finding = finding.or_else(|| (!ready).then(|| not_ready(claim.volume)));
                found(Some(claim.volume), ready, finding)
            })
            .collect(),
    }
}

fn not_ready(volume: &Volume) -> Finding {
    Finding::NotReady { volume: volume.id.clone(), state: volume.state }
}

fn join<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
