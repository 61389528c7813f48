//! The event that applies a plan.

use super::event::{Event, Mode};
use super::request::{Allow, RestoreRequest, What};
use super::source::Sources;

/// The event that carries this very plan out: `latest` resolved, with an id.
pub(super) fn apply_event(request: &RestoreRequest, sources: &Sources<'_>) -> Event {
    let allowed = |allow| request.allows(allow).then_some(true);
    let overrides = request.overrides.clone();
    let mut event = Event {
        mode: Some(Mode::Apply),
        zone: request.zone.as_ref().map(ToString::to_string),
        replace: request.replace.then_some(true),
        cut_over: (!request.cut_over).then_some(false),
        allow_skew: allowed(Allow::Skew),
        allow_partial: allowed(Allow::Partial),
        allow_attached: allowed(Allow::Attached),
        allow_rollback: allowed(Allow::Rollback),
        allow_corrupt: allowed(Allow::Corrupt),
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
