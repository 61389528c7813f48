//! Which recovery point is meant, and which of its snapshots.

use std::collections::BTreeSet;

use super::latest::latest;
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, At, RestoreRequest};
use super::source::{Behind, Source, Sources, join};
use crate::ids::{EtcdClusterId, Member};
use crate::raft::quorum;
use crate::recovery_point::{RecoveryPoint, group, position, skew};
use crate::set::Set;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::tags::{self, Membership};

pub(super) fn of_point<'a>(
    request: &RestoreRequest,
    snapshots: &'a [Snapshot],
    (of, at, named): (&EtcdClusterId, At, Option<&BTreeSet<Member>>),
) -> Result<Sources<'a>, Refusal> {
    let ours = snapshots.iter().filter_map(Snapshot::ours);
    let points = group(ours.filter(|snapshot| snapshot.lineage.of == *of).collect()).remove(of).unwrap_or_default();
    let mut warnings = Vec::new();
    let point = match at {
        At::Slot(slot) => {
            points.iter().find(|point| point.slot == slot).ok_or_else(|| no_such_point(of, slot, &points))?
        }
        At::Latest { verified } => latest(of, &points, verified, &mut warnings)?,
    };
    let expected: BTreeSet<Member> = point.expected().into_iter().cloned().collect();
    let wanted = wanted(request, named, &expected)?;
    let chosen = point.chosen();
    let mut refusals: Vec<Refusal> =
        wanted.iter().filter_map(|member| missing(request, point, member, named.is_some())).collect();
    refusals.extend(
        wanted.iter().filter(|member| point.contested().contains(*member)).map(|member| contested(point, member)),
    );
    let best: Vec<&OurSnapshot> = wanted.iter().filter_map(|member| chosen.get(member).copied()).collect();
    let chosen: Vec<&OurSnapshot> = best.iter().map(|best| pinned(request, point, best).unwrap_or(best)).collect();
    let supplanted = best.iter().zip(&chosen).find(|(best, chosen)| best.id != chosen.id);
    let supplanted = supplanted.map(|(best, chosen)| {
        format!("member {} would now be restored from {}, the plan showed {}", best.lineage.member, best.id, chosen.id)
    });
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
    let emptied = if request.empty_others { &expected - wanted } else { BTreeSet::new() };
    let members = chosen.iter().filter_map(|ours| source(ours, snapshots, request));
    Ok(Sources {
        of: of.clone(),
        slot: Some(point.slot),
        skew: skew(chosen.iter().map(|snapshot| snapshot.started)),
        emptied,
        members: members.collect(),
        set: set(&chosen, expected.len()),
        behind: behind(&chosen, &points, point.slot),
        expected,
        supplanted,
        refusals,
        warnings,
    })
}

/// The members that are to be restored.
fn wanted<'m>(
    request: &RestoreRequest,
    named: Option<&'m BTreeSet<Member>>,
    expected: &'m BTreeSet<Member>,
) -> Result<&'m BTreeSet<Member>, Refusal> {
    let Some(named) = named else { return Ok(expected) };
    if let Some(stranger) = named.iter().find(|member| !expected.contains(member)) {
        let message = format!("members: `{stranger}` is none of the point's, which are {}", join(expected));
        return Err(Refusal::invalid(message));
    }
    let quorum = quorum(expected.len());
    if request.empty_others && named.len() < quorum {
        let message = format!("others: `empty` needs at least a quorum in `members`, {quorum} of {}", join(expected));
        return Err(Refusal::invalid(message));
    }
    Ok(named)
}

/// The snapshot of the same member that the plan showed: a restore that has begun goes on with it.
fn pinned<'a>(request: &RestoreRequest, point: &'a RecoveryPoint, best: &OurSnapshot) -> Option<&'a OurSnapshot> {
    let id = request.apply.as_ref()?.pins.snapshots.get(&best.lineage.member)?;
    let is_it = |one: &&OurSnapshot| one.id == *id && one.lineage == best.lineage;
    point.snapshots.iter().filter(is_it).find(|one| one.state == SnapshotState::Completed)
}

/// How the members can be started together. Fewer than a quorum cannot be started alone: whom they meet is not known.
fn set(chosen: &[&OurSnapshot], expected: usize) -> Option<Set> {
    let members = chosen.iter().map(|one| (&one.lineage.member, position(Some(one))));
    (chosen.len() >= quorum(expected)).then(|| Set::of(expected, members))
}

/// How far the newest point that was read is ahead, of the same etcd.
fn behind(chosen: &[&OurSnapshot], points: &[RecoveryPoint], slot: Slot) -> Option<Behind> {
    let greatest = |snapshots: &mut dyn Iterator<Item = &OurSnapshot>| {
        let positions = snapshots.filter_map(OurSnapshot::position);
        positions.filter_map(|position| Some((position.revision?, position.cluster))).max()
    };
    let (to, cluster) = greatest(&mut chosen.iter().copied())?;
    let newer = points.iter().take_while(|point| point.slot > slot);
    let mut read = newer.filter_map(|point| Some((point.slot, greatest(&mut point.snapshots.iter())?)));
    let (newest, (from, _)) = read.find(|(_, (revision, of))| *of == cluster && *revision > to)?;
    Some(Behind { to, newest, from })
}

fn source<'a>(ours: &OurSnapshot, snapshots: &'a [Snapshot], request: &RestoreRequest) -> Option<Source<'a>> {
    let snapshot = snapshots.iter().find(|snapshot| snapshot.id == ours.id)?;
    Some(Source {
        membership: Membership { member: ours.lineage.member.clone(), members: ours.members.clone() },
        etcd_value: snapshot.tags.get(tags::SNAPSHOT_MEMBER)?.clone(),
        snapshot,
        zone: request.zone.clone().unwrap_or_else(|| ours.volume.zone.clone()),
        recorded: Some(ours.volume.clone()),
    })
}

fn no_such_point(of: &EtcdClusterId, slot: Slot, points: &[RecoveryPoint]) -> Refusal {
    let there = match (points.first(), points.last()) {
        (Some(newest), Some(oldest)) => format!("there are {}, from {} to {}", points.len(), oldest.slot, newest.slot),
        _ => "there are none in this account and region".to_owned(),
    };
    let message = format!("{of} has no recovery point {slot}; {there}. The mode `list` shows them");
    Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
}

/// A member's snapshots are of several volumes: the tool does not choose among them.
fn contested(point: &RecoveryPoint, member: &Member) -> Refusal {
    let of_member = point.snapshots.iter().filter(|one| one.lineage.member == *member && one.state.is_good());
    let each: Vec<String> = of_member.map(|one| format!("{} of {}", one.id, one.volume.id)).collect();
    let message = format!(
        "{}: member {member} has snapshots of several volumes ({}): take another point, or restore the right one by its \
         `snapshot`",
        point.slot,
        each.join(", ")
    );
    Refusal::new(RefusalKind::IncompleteRecoveryPoint, message)
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
        (
            RefusalKind::IncompleteRecoveryPoint,
            "is not there: take another point; or name the other members in `members`, at least a quorum, with \
             `\"others\": \"empty\"`, and let this one join empty; or set `allow_partial`",
        )
    };
    Some(Refusal::new(kind, format!("{}: member {member}'s snapshot {why}", point.slot)))
}
