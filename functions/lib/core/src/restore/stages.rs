//! In which stages a restore tags its members, and what stands in the way of that.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::plan::{MemberPlan, MemberState};
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, Apply, RestoreRequest};
use super::source::{Sources, join};
use super::verify_event::verify_event;
use super::ways_out::ways_out;
use crate::ids::Member;
use crate::set::Set;
use crate::tags;
use crate::volume::Volume;

/// For how long the volumes of the first stage must have been attached before the next stage is tagged: etcd-manager
/// mounts and starts within that time.
const UP_FOR: SignedDuration = SignedDuration::from_secs(60);

/// The members of each stage, in the order in which they are tagged. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stages(pub(super) Vec<Vec<Member>>);

impl Stages {
    /// All at once.
    fn one(sources: &Sources<'_>) -> Self {
        Self(vec![sources.members.iter().map(|source| source.membership.member.clone()).collect()])
    }

    /// From 1.
    pub(super) fn of(&self, member: &Member) -> usize {
        1 + self.0.iter().position(|stage| stage.contains(member)).unwrap_or_default()
    }

    fn is_same(&self, named: &[BTreeSet<Member>]) -> bool {
        let own = self.0.iter().map(|stage| stage.iter().cloned().collect::<BTreeSet<Member>>());
        own.eq(named.iter().cloned())
    }
}

/// A volume's stage, as its private tag has it: `1/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) stage: usize,
    pub(super) of: usize,
}

impl Mark {
    /// `None` where there is one stage alone: it needs no mark.
    pub(super) fn new(stages: &Stages, member: &Member) -> Option<Self> {
        (stages.0.len() > 1).then(|| Self { stage: stages.of(member), of: stages.0.len() })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stage, self.of)
    }
}

/// The stages of a restore, and what stands in their way unless the restore has begun: then those hold that its event
/// names.
pub(super) struct Decided {
    pub(super) stages: Stages,
    pub(super) refusals: Vec<Refusal>,
    pub(super) warnings: Vec<String>,
}

/// Decides the stages. An error: the event names others than its plan can have named.
pub(super) fn decide(request: &RestoreRequest, sources: &Sources<'_>) -> Result<Decided, Refusal> {
    let mut decided = by_positions(request, sources);
    let Some(apply) = request.apply.as_ref().filter(|_| request.cut_over) else { return Ok(decided) };
    if apply.stages.is_empty() {
        if sources.members.len() > 1 {
            decided.refusals.push(Refusal::invalid("stages: is missing; plan first"));
        }
        return Ok(decided);
    }
    let named: BTreeSet<&Member> = apply.stages.iter().flatten().collect();
    let restored: BTreeSet<&Member> = sources.members.iter().map(|source| &source.membership.member).collect();
    if named != restored && sources.refusals.is_empty() {
        let message = format!("stages: name {}, but {} are restored; plan again", join(named), join(restored));
        return Err(Refusal::invalid(message));
    }
    if decided.refusals.is_empty() && !decided.stages.is_same(&apply.stages) {
        decided.refusals.push(Refusal::new(
            RefusalKind::PlanChanged,
            "by what `verify` has found since, the members would be started in another order: plan again",
        ));
    }
    decided.stages = named_stages(apply);
    Ok(decided)
}

fn named_stages(apply: &Apply) -> Stages {
    Stages(apply.stages.iter().map(|stage| stage.iter().cloned().collect()).collect())
}

fn by_positions(request: &RestoreRequest, sources: &Sources<'_>) -> Decided {
    let mut decided = Decided { stages: Stages::one(sources), refusals: Vec::new(), warnings: Vec::new() };
    let Some(set) = sources.set.as_ref().filter(|_| request.cut_over) else { return decided };
    match set {
        Set::Contradicts(contradiction) => {
            let ways = sources.slot.map(|slot| ways_out(&sources.of, slot, contradiction, request.replace));
            decided.refusals.push(Refusal::new(
                RefusalKind::SetContradicts,
                format!(
                    "the snapshots of the members contradict each other: {contradiction}. Started together, they would not \
                     become one sound etcd. {}",
                    ways.unwrap_or_default()
                ),
            ));
        }
        // Where the order is known, it holds: nothing is gained by leaving it to chance.
        Set::Ordered(order) => decided.stages = Stages(order.stages.clone()),
        Set::Unknown { .. } if request.allows(Allow::Unordered) => decided.warnings.push(
            "`allow_unordered`: all members are tagged at once. Where one starts that is behind what another knows to be \
             committed, that other one can stay stuck for ever, without an error"
                .to_owned(),
        ),
        Set::Unknown { why, unread } => {
            let slot = sources.slot.filter(|_| *unread);
            let read = slot.map(|slot| {
                format!(" Send to the `verify` function, then plan again: {}.", verify_event(&sources.of, slot))
            });
            decided.refusals.push(Refusal::new(
                RefusalKind::PositionUnknown,
                format!(
                    "in which order the members can be started is not known: {why}.{} Or set `allow_unordered` to tag them \
                     all at once",
                    read.unwrap_or_default()
                ),
            ));
        }
    }
    decided
}

/// Why a later stage must not be tagged yet, if so.
pub(super) fn not_yet(
    request: &RestoreRequest,
    members: &[MemberPlan],
    volumes: &[Volume],
    now: Timestamp,
) -> Vec<Refusal> {
    let Some(apply) = request.apply.as_ref().filter(|apply| apply.is_later()) else { return Vec::new() };
    let (before, of_stage): (Vec<&MemberPlan>, Vec<&MemberPlan>) =
        members.iter().filter(|member| member.stage <= apply.stage).partition(|member| member.stage < apply.stage);
    let mut refusals = Vec::new();
    for member in of_stage.iter().filter(|member| member.state < MemberState::Available) {
        refusals.push(Refusal::invalid(format!(
            "id: the restore {} has no volume that waits for {}; undo it and plan again, or let the member join empty",
            request.id, member.lineage
        )));
    }
    if of_stage.iter().all(|member| member.state == MemberState::Live) {
        return refusals;
    }
    refusals.extend(gone_on(request, volumes));
    let why = |member: &&MemberPlan| {
        if member.state != MemberState::Live {
            return Some(format!(
                "{} has no volume of this restore yet: send the event of the first stage",
                member.lineage
            ));
        }
        let volume = volumes.iter().find(|volume| Some(&volume.id) == member.made.as_ref())?;
        let since = volume.attached_since.filter(|since| now.duration_since(*since) >= UP_FOR);
        let waits = since.is_none() && !request.allows(Allow::Unattached);
        waits
            .then(|| format!("{}, {}'s, is not attached, or not for {} s", volume.id, member.lineage, UP_FOR.as_secs()))
    };
    let why: Vec<String> = before.iter().filter_map(why).collect();
    if !why.is_empty() {
        let message = format!(
            "the members of the first stage must run and be healthy before the others may join: {}. Start their masters, wait \
             until `etcdctl endpoint health --cluster` says so of each, and send this event again; or set `allow_unattached`",
            why.join("; ")
        );
        refusals.push(Refusal::new(RefusalKind::QuorumNotUp, message));
    }
    refusals
}

/// The volumes of before that are attached still: an etcd that runs on one has gone on after the point, and the members that
/// are tagged now would meet it. Its tags have been taken, so that nothing else tells.
fn gone_on(request: &RestoreRequest, volumes: &[Volume]) -> Vec<Refusal> {
    if request.allows(Allow::Attached) {
        return Vec::new();
    }
    let of_this = |volume: &&Volume| {
        let restore = volume.tags.get(tags::RESTORE).filter(|_| volume.tags.contains_key(tags::REPLACED_BY));
        restore.is_some_and(|restore| restore == request.id.as_str())
    };
    let attached = volumes.iter().filter(of_this).filter(|volume| volume.is_attached());
    let refusal = |volume: &Volume| {
        let message = format!(
            "{}, which this restore has retired, is still `{}` ({}): an etcd that runs on it has gone on after the point, and \
             must not meet the restored members. Set its master's Auto Scaling group to 0, or detach the volume, and send \
             this event again; or set `allow_attached` if no etcd runs on it",
            volume.id,
            volume.state,
            join(&volume.attached_to)
        );
        Refusal::new(RefusalKind::VolumeAttached, message)
    };
    attached.map(refusal).collect()
}
