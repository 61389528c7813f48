//! Which recovery point is meant, and which of its snapshots.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, At, RestoreRequest};
use super::source::{Source, Sources, join};
use crate::ids::{EtcdClusterId, Member};
use crate::recovery_point::{RecoveryPoint, group, skew};
use crate::slot::Slot;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags::Membership;
use crate::verdict::Verdict;

pub(super) fn of_point<'a>(
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
        point.counts()
            && point.skew().is_some_and(|skew| skew <= max_skew)
            && (!verified || point.verdict() == Some(Verdict::Ok))
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
