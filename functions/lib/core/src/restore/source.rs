//! From what is asked for to the snapshots that it means.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, At, Described, RestoreRequest, What};
use crate::ids::{EtcdCluster, EtcdClusterId, Member, SnapshotId, Zone};
use crate::recovery_point::{PointState, RecoveryPoint, group, skew};
use crate::scope::ClusterSet;
use crate::slot::Slot;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags::{self, Membership, RecordedVolume};

/// What one member is restored from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub membership: Membership,
    /// The etcd tag's value, to the letter.
    pub etcd_value: String,
    pub snapshot: &'a Snapshot,
    pub recorded: Option<RecordedVolume>,
    pub zone: Zone,
}

/// What is restored.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub of: EtcdClusterId,
    pub slot: Option<Slot>,
    pub skew: Option<SignedDuration>,
    /// The members that the etcd cluster had when the snapshots were taken.
    pub expected: BTreeSet<Member>,
    pub members: Vec<Source<'a>>,
    pub refusals: Vec<Refusal>,
    pub warnings: Vec<String>,
}

/// Which etcd cluster a request is about. Of a snapshot its tags say so, else the event must.
pub fn subject(
    request: &RestoreRequest,
    snapshots: &[Snapshot],
    clusters: &ClusterSet,
) -> Result<EtcdClusterId, Refusal> {
    match &request.what {
        What::Point { of, .. } => Ok(of.clone()),
        What::Snapshot(id, described) => {
            identify(find(id, snapshots)?, described, request.zone.as_ref(), clusters).map(|(of, _)| of)
        }
    }
}

pub(super) fn sources<'a>(
    request: &RestoreRequest,
    snapshots: &'a [Snapshot],
    clusters: &ClusterSet,
    max_skew: SignedDuration,
) -> Result<Sources<'a>, Refusal> {
    let mut sources = match &request.what {
        What::Point { of, at, members } => of_point(request, snapshots, (of, *at, members.as_ref()), max_skew)?,
        What::Snapshot(id, described) => {
            let snapshot = find(id, snapshots)?;
            let (of, source) = identify(snapshot, described, request.zone.as_ref(), clusters)?;
            let slot = snapshot.tags.get(tags::RECOVERY_POINT).and_then(|slot| Slot::parse(slot));
            let expected = source.membership.members.clone();
            let skew = Some(SignedDuration::ZERO);
            Sources { of, slot, skew, expected, members: vec![source], refusals: Vec::new(), warnings: Vec::new() }
        }
    };
    let unusable: Vec<Refusal> = sources.members.iter().filter_map(|source| unusable(source, request)).collect();
    sources.refusals.extend(unusable);
    Ok(sources)
}

fn find<'a>(id: &SnapshotId, snapshots: &'a [Snapshot]) -> Result<&'a Snapshot, Refusal> {
    snapshots.iter().find(|snapshot| snapshot.id == *id).ok_or_else(|| {
        let message = format!("snapshot: there is no {id} that this account may see in this region");
        Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
    })
}

/// What a snapshot is of: its tags say so, and what they lack the event must.
fn identify<'a>(
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
    let cluster = snapshot.tags.get(tags::CLUSTER).and_then(|name| crate::ids::Cluster::parse(name).ok());
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

fn of_point<'a>(
    request: &RestoreRequest,
    snapshots: &'a [Snapshot],
    (of, at, named): (&EtcdClusterId, At, Option<&BTreeSet<Member>>),
    max_skew: SignedDuration,
) -> Result<Sources<'a>, Refusal> {
    let ours = snapshots.iter().filter_map(|snapshot| snapshot.ours().ok().flatten());
    let points = group(ours.filter(|snapshot| snapshot.lineage.of == *of).collect()).remove(of).unwrap_or_default();
    let mut warnings = Vec::new();
    let point = match at {
        At::Slot(slot) => {
            points.iter().find(|point| point.slot == slot).ok_or_else(|| no_such_point(of, slot, &points))?
        }
        At::Latest { verified } => latest(of, &points, verified, max_skew, &mut warnings)?,
    };
    let expected: BTreeSet<Member> = point.expected().into_iter().cloned().collect();
    if let Some(stranger) = named.and_then(|named| named.iter().find(|member| !expected.contains(member))) {
        let message = format!("members: `{stranger}` is none of the point's, which are {}", join(&expected));
        return Err(Refusal::invalid(message));
    }
    let wanted = named.unwrap_or(&expected);
    let chosen = point.chosen();
    let mut refusals: Vec<Refusal> =
        wanted.iter().filter_map(|member| missing(request, point, member, named.is_some())).collect();
    let chosen: Vec<_> = wanted.iter().filter_map(|member| chosen.get(member).copied()).collect();
    if chosen.is_empty() && refusals.is_empty() {
        refusals.push(Refusal::new(
            RefusalKind::IncompleteRecoveryPoint,
            format!("{}: no member has a completed snapshot", point.slot),
        ));
    }
    if request.zone.is_some() && chosen.len() != 1 && wanted.len() != 1 {
        let message = "zone: overrides the zone of one member; name that one in `members`";
        return Err(Refusal::invalid(message));
    }
    let skew = skew(chosen.iter().map(|snapshot| snapshot.started));
    if let Some(skew) = skew.filter(|skew| *skew > max_skew) {
        let (skew, limit) = (skew.as_millis(), max_skew.as_millis());
        let message = format!(
            "the snapshots of {} are {skew} ms apart, more than {limit} ms: what one member acknowledged another may not \
             have, and etcd may refuse to start from such a set. Take another point, one member's snapshot for all \
             (README, `etcdutl`), or set `allow_skew`",
            point.slot
        );
        if request.allows(Allow::Skew) || !request.cut_over {
            warnings.push(message);
        } else {
            refusals.push(Refusal::new(RefusalKind::SkewTooLarge, message));
        }
    }
    let members = chosen.into_iter().filter_map(|ours| {
        let snapshot = snapshots.iter().find(|snapshot| snapshot.id == ours.id)?;
        Some(Source {
            membership: Membership { member: ours.lineage.member.clone(), members: ours.members.clone() },
            etcd_value: snapshot.tags.get(&of.etcd_key())?.clone(),
            snapshot,
            zone: request.zone.clone().unwrap_or_else(|| ours.volume.zone.clone()),
            recorded: Some(ours.volume.clone()),
        })
    });
    Ok(Sources {
        of: of.clone(),
        slot: Some(point.slot),
        skew,
        expected,
        members: members.collect(),
        refusals,
        warnings,
    })
}

fn latest<'p>(
    of: &EtcdClusterId,
    points: &'p [RecoveryPoint],
    verified: bool,
    max_skew: SignedDuration,
    warnings: &mut Vec<String>,
) -> Result<&'p RecoveryPoint, Refusal> {
    let newest = points.first();
    let fit = points.iter().find(|point| {
        let verdict = point.verdict();
        point.state() == PointState::Complete
            && point.skew().is_some_and(|skew| skew <= max_skew)
            && if verified { verdict == Some("ok") } else { verdict != Some("corrupt") }
    });
    let Some(fit) = fit else {
        let which = if verified {
            "complete, not skewed and verified `ok`"
        } else {
            "complete, not skewed and not found corrupt"
        };
        let message = match newest {
            None => format!("{of} has no recovery points in this account and region"),
            Some(newest) => format!(
                "none of the {} recovery points of {of} is {which}; the newest, {}, is {}. The mode `list` shows them all; \
                 name one by its time",
                points.len(),
                newest.slot,
                newest.state().word()
            ),
        };
        return Err(Refusal::new(RefusalKind::NoSuchRecoveryPoint, message));
    };
    if let Some(newest) = newest.filter(|newest| newest.slot > fit.slot) {
        warnings.push(format!(
            "`latest` is {}: newer points, up to {}, are not complete, are skewed or were not found sound",
            fit.slot, newest.slot
        ));
    }
    Ok(fit)
}

fn no_such_point(of: &EtcdClusterId, slot: Slot, points: &[RecoveryPoint]) -> Refusal {
    let there = match (points.first(), points.last()) {
        (Some(newest), Some(oldest)) => format!("there are {}, from {} to {}", points.len(), oldest.slot, newest.slot),
        _ => "there are none in this account and region".to_owned(),
    };
    let message = format!("{of} has no recovery point {slot}; {there}. The mode `list` shows them");
    Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
}

/// Why a member cannot be restored from the point, if so.
fn missing(request: &RestoreRequest, point: &RecoveryPoint, member: &Member, is_named: bool) -> Option<Refusal> {
    let has = |state| point.snapshots.iter().any(|one| one.lineage.member == *member && one.state == state);
    if has(SnapshotState::Completed) || (request.allows(Allow::Partial) && !is_named) {
        return None;
    }
    let (kind, why) = if has(SnapshotState::Pending) {
        (RefusalKind::SnapshotNotCompleted, "is still pending: wait, or take an older point")
    } else if is_named {
        (RefusalKind::IncompleteRecoveryPoint, "is not there: take another point")
    } else {
        (RefusalKind::IncompleteRecoveryPoint, "is not there: take another point, or set `allow_partial`")
    };
    Some(Refusal::new(kind, format!("{}: member {member}'s snapshot {why}", point.slot)))
}

fn unusable(source: &Source<'_>, request: &RestoreRequest) -> Option<Refusal> {
    let Snapshot { id, state, archived, state_message, tags, .. } = source.snapshot;
    if *state != SnapshotState::Completed {
        let message = match state {
            SnapshotState::Pending => format!("{id} is still pending: wait until it is completed"),
            SnapshotState::Error => {
                format!("{id} failed: {}", state_message.as_deref().unwrap_or("EC2 does not say why"))
            }
            _ => format!("{id} is neither pending nor completed: is it in the Recycle Bin?"),
        };
        return Some(Refusal::new(RefusalKind::SnapshotNotCompleted, message));
    }
    if *archived {
        let message = format!("{id} lies in the archive tier: restore it to the standard tier first (24 to 72 hours)");
        return Some(Refusal::new(RefusalKind::SnapshotArchived, message));
    }
    let verdict = tags.get(tags::VERIFIED).filter(|verdict| verdict.starts_with("corrupt"));
    verdict.filter(|_| !request.allows(Allow::Corrupt)).map(|verdict| {
        let message = format!("{id} was found {verdict}. Take another point, or set `allow_corrupt`");
        Refusal::new(RefusalKind::CorruptSnapshot, message)
    })
}

pub(super) fn join<'a, T: ToString + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    items.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
