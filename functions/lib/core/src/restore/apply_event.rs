//! The events that apply a plan, one for each stage.

use std::collections::BTreeSet;

use super::event::{Event, Mode};
use super::id::RestoreId;
use super::pins::Pins;
use super::request::{Allow, RestoreRequest, What};
use super::source::Sources;
use crate::ids::{EtcdClusterId, Member, VolumeId};
use crate::slot::Slot;

/// The event that asks for this restore: `latest` resolved, with an id, and with the stages of several members. What the
/// plan showed is [pinned](pin) to it.
pub(super) fn apply_event(request: &RestoreRequest, sources: &Sources<'_>, stages: &[Vec<Member>]) -> Event {
    let allowed = |allow| request.allows(allow).then_some(true);
    let overrides = request.overrides.clone();
    let mut event = Event {
        mode: Some(Mode::Apply),
        zone: request.zone.as_ref().map(ToString::to_string),
        replace: request.replace.then_some(true),
        cut_over: (!request.cut_over).then_some(false),
        allow_partial: allowed(Allow::Partial),
        allow_attached: allowed(Allow::Attached),
        allow_rollback: allowed(Allow::Rollback),
        allow_corrupt: allowed(Allow::Corrupt),
        allow_unordered: allowed(Allow::Unordered),
        allow_foreign: allowed(Allow::Foreign),
        others: request.empty_others.then(|| "empty".to_owned()),
        stages: (request.cut_over && sources.members.len() > 1).then(|| names(stages)),
        volume_type: overrides.volume_type,
        iops: overrides.iops,
        throughput: overrides.throughput,
        kms_key: overrides.kms_key,
        initialization_rate: overrides.initialization_rate,
        id: Some(request.id.to_string()),
        ..Event::default()
    };
    match &request.what {
        What::Point { of, members, .. } => {
            event.cluster = Some(of.cluster.to_string());
            event.etcd_cluster = Some(of.etcd_cluster.to_string());
            event.recovery_point = sources.slot.map(|slot| slot.to_string());
            // Of a partial point those that were there: by then there may be more.
            let planned = || sources.members.iter().map(|source| source.membership.member.to_string()).collect();
            let is_whole = sources.members.len() == sources.expected.len();
            event.members = (members.is_some() || !is_whole).then(planned);
        }
        What::Snapshot(snapshot, described) => {
            event.snapshot = Some(snapshot.to_string());
            event.cluster = described.cluster.as_ref().map(ToString::to_string);
            event.etcd_cluster = described.etcd_cluster.as_ref().map(ToString::to_string);
            event.member = described.membership.as_ref().map(ToString::to_string);
        }
    }
    event
}

/// The event of the stage after this one, to be sent when the members tagged so far are healthy. Nothing is made or retired
/// by it, so it names no settings.
pub(super) fn then_event(
    id: &RestoreId,
    of: &EtcdClusterId,
    slot: Slot,
    stages: &[Vec<Member>],
    stage: usize,
    shown: &Pins,
) -> Option<Event> {
    let next = u32::try_from(stage + 1).ok().filter(|_| stage < stages.len())?;
    let event = Event {
        mode: Some(Mode::Apply),
        cluster: Some(of.cluster.to_string()),
        etcd_cluster: Some(of.etcd_cluster.to_string()),
        recovery_point: Some(slot.to_string()),
        stages: Some(names(stages)),
        stage: Some(next),
        id: Some(id.to_string()),
        ..Event::default()
    };
    Some(Event { plan: None, ..pin(event, shown) })
}

/// The event, with what its plan showed.
pub(super) fn pin(event: Event, shown: &Pins) -> Event {
    let snapshots = shown.snapshots.iter().map(|(member, snapshot)| (member.to_string(), snapshot.to_string()));
    Event {
        snapshots: Some(snapshots.collect()),
        retire: Some(volumes(&shown.retire)),
        plan: shown.digest.clone(),
        ..event
    }
}

pub(super) fn volumes(ids: &BTreeSet<VolumeId>) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn names(stages: &[Vec<Member>]) -> Vec<Vec<String>> {
    stages.iter().map(|stage| stage.iter().map(ToString::to_string).collect()).collect()
}
