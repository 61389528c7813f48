//! From what is asked for to the snapshots that it means.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::foreign;
use super::identify::identify;
use super::plan::Settings;
use super::point::of_point;
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, RestoreRequest, What};
use crate::ids::{EtcdClusterId, Member, SnapshotId, Zone};
use crate::marks::unpack;
use crate::scope::ClusterSet;
use crate::set::Set;
use crate::slot::Slot;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags::{self, Membership, RecordedVolume, Tags};
use crate::told;
use crate::verdict::Verdict;

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

impl Source<'_> {
    /// The tags that the volume had: those packed on the snapshot, else what another tool copied onto it.
    pub(super) fn volume_tags(&self) -> Tags {
        let tags = &self.snapshot.tags;
        unpack(tags).filter(|originals| !originals.is_empty()).unwrap_or_else(|| tags.clone())
    }
}

/// What is restored.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub of: EtcdClusterId,
    pub slot: Option<Slot>,
    pub skew: Option<SignedDuration>,
    /// The members that the etcd cluster had when the snapshots were taken.
    pub expected: BTreeSet<Member>,
    /// Those that are to join empty.
    pub emptied: BTreeSet<Member>,
    pub members: Vec<Source<'a>>,
    /// How the members can be started together; `None` where that is no question.
    pub set: Option<Set>,
    /// By how many revisions the newest point that was read is ahead of this one: at least so far the etcd cluster goes
    /// back.
    pub behind: Option<Behind>,
    /// A snapshot that would be taken now in place of one that the plan showed.
    pub supplanted: Option<String>,
    pub refusals: Vec<Refusal>,
    pub warnings: Vec<String>,
}

/// How far a restore takes an etcd cluster back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind {
    /// The revision that it goes back to: the greatest of the members'.
    pub to: i64,
    /// The newest point that was read.
    pub newest: Slot,
    /// Its revision.
    pub from: i64,
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
    settings: &Settings,
) -> Result<Sources<'a>, Refusal> {
    let mut sources = match &request.what {
        What::Point { of, at, members } => of_point(request, snapshots, (of, *at, members.as_ref()))?,
        What::Snapshot(id, described) => {
            let snapshot = find(id, snapshots)?;
            let (of, source) = identify(snapshot, described, request.zone.as_ref(), &settings.clusters)?;
            let (refusals, warnings) = match foreign::judge(snapshot, request, settings) {
                Ok(warning) => (Vec::new(), warning.into_iter().collect()),
                Err(refusal) => (vec![refusal], Vec::new()),
            };
            let slot = snapshot.tags.get(tags::RECOVERY_POINT).and_then(|slot| Slot::parse(slot));
            let expected = source.membership.members.clone();
            let skew = Some(SignedDuration::ZERO);
            Sources {
                of,
                slot,
                skew,
                expected,
                emptied: BTreeSet::new(),
                members: vec![source],
                set: None,
                behind: None,
                supplanted: None,
                refusals,
                warnings,
            }
        }
    };
    let unusable: Vec<Refusal> = sources.members.iter().filter_map(|source| unusable(source, request)).collect();
    sources.refusals.extend(unusable);
    sources.warnings.extend(sources.members.iter().filter_map(doubt));
    Ok(sources)
}

fn find<'a>(id: &SnapshotId, snapshots: &'a [Snapshot]) -> Result<&'a Snapshot, Refusal> {
    snapshots.iter().find(|snapshot| snapshot.id == *id).ok_or_else(|| {
        let message = format!("snapshot: there is no {id} that this account may see in this region");
        Refusal::new(RefusalKind::NoSuchRecoveryPoint, message)
    })
}

/// Why a snapshot cannot be read now, if so.
pub(crate) fn unready(snapshot: &Snapshot) -> Option<Refusal> {
    let Snapshot { id, state, archived, state_message, .. } = snapshot;
    if *state != SnapshotState::Completed {
        let message = match state {
            SnapshotState::Pending => format!("{id} is still pending: wait until it is completed"),
            SnapshotState::Error => {
                format!("{id} failed: {}", told::sentence(state_message.as_deref().unwrap_or("EC2 does not say why")))
            }
            _ => format!("{id} is neither pending nor completed: is it in the Recycle Bin?"),
        };
        return Some(Refusal::new(RefusalKind::SnapshotNotCompleted, message));
    }
    archived.then(|| {
        let message = format!("{id} lies in the archive tier: restore it to the standard tier first (24 to 72 hours)");
        Refusal::new(RefusalKind::SnapshotArchived, message)
    })
}

fn unusable(source: &Source<'_>, request: &RestoreRequest) -> Option<Refusal> {
    if let Some(refusal) = unready(source.snapshot) {
        return Some(refusal);
    }
    let Snapshot { id, tags, .. } = source.snapshot;
    let verified = tags.get(tags::VERIFIED).filter(|value| Verdict::read(value) == Some(Verdict::Corrupt));
    verified.filter(|_| !request.allows(Allow::Corrupt)).map(|verdict| {
        let message = format!(
            "{id} was found {}. Take another point; or name the other members in `members`, at least a quorum, with \
             `\"others\": \"empty\"`, and let this one join empty; or set `allow_corrupt`",
            told::sentence(verdict)
        );
        Refusal::new(RefusalKind::CorruptSnapshot, message)
    })
}

/// What `verify` found, where that is not `ok`. Also where it is refused: a restore that has begun goes on all the same.
fn doubt(source: &Source<'_>) -> Option<String> {
    let Snapshot { id, tags, .. } = source.snapshot;
    let verified = tags.get(tags::VERIFIED)?;
    let is_doubtful = Verdict::read(verified)? != Verdict::Ok;
    is_doubtful.then(|| format!("{id} was found {}", told::sentence(verified)))
}

pub(super) fn join<'a, T: ToString + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    items.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
