//! The planner: from what was observed, the request and `now` to a plan, with all that stands in its way.

use jiff::{SignedDuration, Timestamp};

use super::apply_event::{apply_event, pin, then_event};
use super::filters::{claimants, claims};
use super::forecast::forecast;
use super::hazards;
use super::new_volume::{NewVolume, full_tags, private_tags};
use super::next_steps;
use super::parking::{self, discovery, fits, is_retired_for, originals};
use super::pins::{changed, pins, retired};
use super::plan::{EmptiedPlan, MemberPlan, MemberState, Observed, RestorePlan, Settings};
use super::progress::{Progress, made_by, progress, rivals, undo_event};
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, RestoreRequest, What};
use super::source::{Source, Sources, sources};
use super::stages::{self, Mark, Stages};
use super::under_way::under_way;
use crate::ids::{EtcdClusterId, Lineage, Member, VolumeId};
use crate::tags::{self, Tags};
use crate::told;
use crate::volume::{Volume, VolumeState};

/// For how long a plan may be begun. An event that a console has kept must not, months later, retire what lives by then.
const PLAN_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// Decides a restore. The error is a refusal that leaves nothing to plan: the request cannot be meant, there is no such
/// point, or the snapshot does not say what it is of.
pub fn plan(
    observed: &Observed,
    request: &RestoreRequest,
    settings: &Settings,
    now: Timestamp,
) -> Result<RestorePlan, Refusal> {
    let sources = sources(request, &observed.snapshots, settings).map_err(|refusal| match &request.what {
        What::Point { of, .. } => half_done(refusal, &observed.volumes, request, of),
        What::Snapshot(..) => refusal,
    })?;
    let stages::Decided { stages, refusals: of_stages, warnings: of_order } = stages::decide(request, &sources)?;
    let planner = Planner { observed, request, sources: &sources, stages: &stages, now };
    let (mut members, mut refusals) = (Vec::new(), Vec::new());
    for source in &sources.members {
        let (member, in_the_way) = planner.member(source)?;
        refusals.extend(in_the_way);
        members.push(member);
    }
    let is_new = members.iter().any(|member| member.state == MemberState::New);
    let is_later = request.is_later_stage();
    if is_new && !is_later && now.duration_since(request.id.planned()) > PLAN_HOLDS {
        return Err(Refusal::invalid(format!("id: the plan {} is more than a day old; plan again", request.id)));
    }
    if let Some(error) = refusals.iter().find(|refusal| refusal.kind == RefusalKind::NotOurs) {
        return Err(error.clone());
    }
    let (emptied, in_the_way) = planner.emptied(&members);
    refusals.extend(in_the_way);
    let mut warnings = observed.warnings.clone();
    let is_planned = |name: &Member| members.iter().any(|member| member.lineage.member == *name);
    let lacks_a_snapshot = is_later && !stages.0.iter().flatten().all(is_planned);
    // What an earlier try has taken from the snapshots is not asked of them again.
    if (is_new && !is_later) || lacks_a_snapshot || members.is_empty() {
        refusals.extend(sources.refusals.iter().cloned());
        refusals.extend(of_stages.into_iter().filter(|_| !is_later));
    }
    refusals.extend(stages::not_yet(request, &members, &observed.volumes, now));
    warnings.extend(sources.warnings.iter().cloned());
    warnings.extend(of_order);
    if request.cut_over && !is_later {
        refusals.extend(hazards::rollback(&observed.volumes, request, &sources));
        warnings.extend(hazards::warnings(&observed.volumes, request, &sources));
        warnings.extend(hazards::attached(&observed.volumes, request, (&members, &emptied)));
    }
    let forecast = forecast(&observed.volumes, if request.cut_over { &members } else { &[] }, &emptied, now);
    if request.cut_over && !forecast.is_ok() {
        warnings.push("the volumes would not be accepted as they are, see `acceptance`".to_owned());
    }
    let (steps_before, steps_after) =
        next_steps::of_restore(observed, request, &sources, (&members, &emptied), &stages.0);
    let stage = request.apply.as_ref().map_or(1, |apply| apply.stage);
    let mut plan = RestorePlan {
        id: request.id.clone(),
        of: sources.of.clone(),
        slot: sources.slot,
        skew: sources.skew,
        cut_over: request.cut_over,
        allow_attached: request.allows(Allow::Attached),
        apply: apply_event(request, &sources, &stages.0),
        then: None,
        retire: if let Some(apply) = request.apply.as_ref().filter(|apply| apply.is_later()) {
            apply.pins.retire.clone()
        } else {
            retired(&members, &emptied)
        },
        members,
        emptied,
        stages: stages.0,
        stage,
        set: sources.set,
        refusals,
        warnings,
        forecast,
        steps_before,
        steps_after,
    };
    if let Some(apply) = request.apply.as_ref().filter(|_| plan.refusals.is_empty()) {
        let changed = changed(&plan, sources.supplanted.as_ref(), &apply.pins).map(|why| {
            let message = format!("what is there now would make another plan: {why}; plan again");
            half_done(Refusal::new(RefusalKind::PlanChanged, message), &observed.volumes, request, &plan.of)
        });
        match changed {
            Some(changed) => plan.refusals.push(changed),
            // What was shown is what undo gives back, whatever is listed by now.
            None if apply.pins.digest.is_some() => plan.retire.clone_from(&apply.pins.retire),
            None => {}
        }
    }
    let shown = pins(&plan);
    plan.apply = pin(plan.apply, &shown);
    plan.then = plan.slot.and_then(|slot| then_event(&plan.id, &plan.of, slot, &plan.stages, plan.stage, &shown));
    Ok(plan)
}

/// A point may have been pruned since a restore of it began: then its volumes are what matters.
fn half_done(refusal: Refusal, volumes: &[Volume], request: &RestoreRequest, of: &EtcdClusterId) -> Refusal {
    let made = made_by(volumes, of, request.id.as_str());
    if made.is_empty() {
        return refusal;
    }
    // Marks can be written by others: of an apply, what its plan showed counts.
    let is_shown = |volume: &&Volume| request.apply.as_ref().is_none_or(|apply| apply.pins.retire.contains(&volume.id));
    let shown: Vec<Volume> = volumes.iter().filter(is_shown).cloned().collect();
    let undo = undo_event(of, &made, &shown);
    let message = format!("{}. But the restore {} has begun; take it back: {undo}", refusal.message, request.id);
    Refusal::new(refusal.kind, message)
}

struct Planner<'a> {
    observed: &'a Observed,
    request: &'a RestoreRequest,
    sources: &'a Sources<'a>,
    stages: &'a Stages,
    now: Timestamp,
}

impl<'a> Planner<'a> {
    fn volumes(&self) -> &'a [Volume] {
        &self.observed.volumes
    }

    fn member(&self, source: &Source<'_>) -> Result<(MemberPlan, Vec<Refusal>), Refusal> {
        let of = &self.sources.of;
        let lineage = Lineage { of: of.clone(), member: source.membership.member.clone() };
        let mark = Mark::new(self.stages, &lineage.member);
        let new = NewVolume::of(source, of, self.request, mark).map_err(Refusal::invalid)?;
        let full = full_tags(source, of);
        let is_later = self.request.is_later_stage();
        let (made, state) = match progress(self.volumes(), &self.request.id, &lineage, (&new, !is_later)) {
            Progress::None => (None, MemberState::New),
            Progress::Made(volume) if volume.state == VolumeState::Creating => (Some(volume), MemberState::Creating),
            Progress::Made(volume) => (Some(volume), MemberState::Available),
            Progress::Live(volume) => (Some(volume), MemberState::Live),
            Progress::Over(why) => return Err(self.over(&lineage, &why)),
            Progress::Unclear(one, other) => return Err(self.unclear(&lineage, one, other)),
        };
        let made = made.map(|volume| volume.id.clone());
        let mut refusals = Vec::new();
        let (mut old, mut retired) = (Vec::new(), Vec::new());
        if self.request.cut_over {
            (old, retired) = self.old_volumes(&lineage, made.as_ref());
            refusals.extend(self.in_progress(&lineage));
            refusals.extend(old.iter().flat_map(|volume| self.claimed(volume, &lineage, made.as_ref())));
            refusals.extend(old.iter().filter_map(|volume| self.cannot_be_retired(volume, made.as_ref())));
            refusals.extend(self.cannot_be_tagged(&full, &lineage).filter(|_| state != MemberState::Live));
        }
        let tagged_in = self.stages.of(&lineage.member);
        let (old, retired) = (ids(old), ids(retired));
        let owner = source.snapshot.owner.clone();
        Ok((MemberPlan { lineage, owner, new, full, made, stage: tagged_in, state, old, retired }, refusals))
    }

    /// The members that are to join empty: their volumes are retired. Once the restore has begun, one that was made since the
    /// plan is the empty one that kops has made for it.
    fn emptied(&self, members: &[MemberPlan]) -> (Vec<EmptiedPlan>, Vec<Refusal>) {
        let heir = members.first().and_then(|member| member.made.as_ref());
        let mut refusals = Vec::new();
        let plan = |member: &Member| {
            let lineage = Lineage { of: self.sources.of.clone(), member: member.clone() };
            let (mut old, retired) = self.old_volumes(&lineage, heir);
            old.retain(|volume| heir.is_none() || volume.created < self.request.id.planned());
            refusals.extend(self.in_progress(&lineage));
            refusals.extend(old.iter().flat_map(|volume| self.claimed(volume, &lineage, heir)));
            let placeholder = placeholder();
            let unfit = |volume: &&Volume| {
                let heir = heir.or(placeholder.as_ref());
                parking::retire_emptied(volume, &self.request.id, heir, self.now)
                    .err()
                    .map(|unfit| (volume.id.clone(), unfit))
            };
            let unfit = old.iter().filter_map(unfit);
            refusals.extend(unfit.map(|(id, unfit)| unfit.refusal(format!("the old volume {id}"))));
            EmptiedPlan { lineage, old: ids(old), retired: ids(retired) }
        };
        (self.sources.emptied.iter().map(plan).collect(), refusals)
    }

    /// The volumes to retire, and those that an earlier try has retired.
    fn old_volumes(&self, lineage: &Lineage, made: Option<&VolumeId>) -> (Vec<&Volume>, Vec<&Volume>) {
        let is_rival = |volume: &&Volume| self.rivals(lineage).any(|(_, rival)| rival.id == volume.id);
        let claimants = claimants(self.volumes(), lineage).filter(|one| made != Some(&one.id) && !is_rival(one));
        let mut old: Vec<&Volume> = claimants.collect();
        let was_of = |volume: &&Volume| originals(&volume.tags).is_none_or(|tags| claims(&tags, lineage));
        let retired = self.volumes().iter().filter(|one| self.has_begun(one, made)).filter(was_of);
        // One from which some of its tags have been taken claims nothing any more, and is not yet retired.
        let (whole, half): (Vec<&Volume>, Vec<&Volume>) = retired.partition(|one| discovery(&one.tags).is_empty());
        let more: Vec<&Volume> = half.into_iter().filter(|one| old.iter().all(|other| other.id != one.id)).collect();
        old.extend(more);
        (old, whole)
    }

    /// Whether an earlier try has begun to retire the volume in favour of its own.
    fn has_begun(&self, volume: &Volume, made: Option<&VolumeId>) -> bool {
        made.is_some() && is_retired_for(&volume.tags, Some(&self.request.id), made)
    }

    fn rivals(&self, lineage: &Lineage) -> impl Iterator<Item = (&str, &Volume)> {
        rivals(self.volumes(), lineage, Some(&self.request.id))
    }

    fn over(&self, lineage: &Lineage, why: &str) -> Refusal {
        Refusal::invalid(format!("id: the restore {} is over for {lineage}: {why}; plan again", self.request.id))
    }

    fn unclear(&self, lineage: &Lineage, one: &Volume, other: &Volume) -> Refusal {
        Refusal::invalid(format!(
            "id: {} and {} both bear the marks of the restore {}, which makes one volume for {lineage}: find in CloudTrail \
             which of them its CreateVolume made, delete the other, and send this event again",
            one.id, other.id, self.request.id
        ))
    }

    fn in_progress(&self, lineage: &Lineage) -> Vec<Refusal> {
        let under_way = under_way(self.volumes());
        let of_rival = |(id, volume): (&str, &Volume)| {
            let whole = under_way.iter().find(|one| one.id == id && one.of == lineage.of)?;
            let told = whole.told(self.volumes(), &self.observed.snapshots);
            let message = format!("restore {} is making {} for {lineage}: {told}", told::value(id), volume.id);
            Some(Refusal::new(RefusalKind::RestoreInProgress, message))
        };
        self.rivals(lineage).filter_map(of_rival).collect()
    }

    /// What a volume that claims the member stands in the way of.
    fn claimed(&self, volume: &Volume, lineage: &Lineage, made: Option<&VolumeId>) -> Vec<Refusal> {
        let attached = volume.attached_to.iter().map(|instance| format!(", attached to {instance}"));
        let state = format!("`{}`{}", volume.state, attached.collect::<String>());
        let mut refusals = Vec::new();
        // A volume whose retirement has begun is not asked about again.
        let begun = self.has_begun(volume, made);
        if !self.request.replace && !begun {
            let what_then = if self.request.is_later_stage() {
                "This stage retires none: take its etcd tag and `Name` away, and send this event again; or send the \
                 restore's `undo`, and plan again"
            } else {
                "If etcd on it is lost, plan again with `replace`, which retires it; if it is sound, there is nothing to \
                 restore"
            };
            let message = format!("{lineage} has a volume, {} ({state}). {what_then}", volume.id);
            refusals.push(Refusal::new(RefusalKind::MemberClaimed, message));
        }
        if volume.tags.get(tags::CLUSTER).is_none_or(|cluster| cluster != lineage.of.cluster.as_str()) && !begun {
            let message = format!(
                "{}, which etcd-manager takes for {lineage}, lacks the tag `{}`, without which this function's role may not \
                 change it: give it that tag, or take its etcd tag away",
                volume.id,
                tags::CLUSTER
            );
            refusals.push(Refusal::new(RefusalKind::MemberClaimed, message));
        }
        if volume.is_attached() && !self.request.allows(Allow::Attached) {
            let message = format!(
                "{}, which claims {lineage}, is {state}: etcd may be running on it. Set its master's Auto Scaling group to \
                 0 and wait until the volume is `available`, or set `allow_attached`",
                volume.id
            );
            refusals.push(Refusal::new(RefusalKind::VolumeAttached, message));
        }
        refusals
    }

    fn cannot_be_retired(&self, volume: &Volume, made: Option<&VolumeId>) -> Option<Refusal> {
        let placeholder = placeholder();
        let unfit = parking::retire(volume, Some(&self.request.id), made.or(placeholder.as_ref()), self.now).err()?;
        Some(unfit.refusal(format!("the old volume {}", volume.id)))
    }

    /// Every step must fit, the way back included: an apply that cannot be undone is none.
    fn cannot_be_tagged(&self, full: &Tags, lineage: &Lineage) -> impl Iterator<Item = Refusal> {
        let mut tagged = full.clone();
        tagged.extend(private_tags(&self.request.id, lineage, Mark::new(self.stages, &lineage.member)));
        let unfit = fits(tagged.keys()).max(parking::could_be_retired(&tagged, self.now)).err();
        let what = format!("the new volume of {lineage}, with its snapshot's tags");
        unfit.map(|unfit| unfit.refusal(what)).into_iter()
    }
}

fn ids(volumes: Vec<&Volume>) -> Vec<VolumeId> {
    volumes.into_iter().map(|volume| volume.id.clone()).collect()
}

/// Stands for a volume that is not there yet: as long as an id is.
fn placeholder() -> Option<VolumeId> {
    VolumeId::parse("vol-00000000000000000").ok()
}
