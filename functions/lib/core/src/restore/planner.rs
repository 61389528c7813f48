//! The planner: from what was observed, the request and `now` to a plan, with all that stands in its way.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::acceptance::{Acceptance, Expected, acceptance};
use super::apply_event::apply_event;
use super::filters::claimants;
use super::hazards;
use super::new_volume::{NewVolume, full_tags, private_tags};
use super::next_steps;
use super::parking::{self, discovery, fits, is_retired_for};
use super::plan::{MemberPlan, MemberState, Observed, RestorePlan, Settings};
use super::progress::{Progress, made_by, progress, rivals, undo_event};
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, RestoreRequest, What};
use super::source::{Source, Sources, sources};
use crate::ids::{Lineage, VolumeId};
use crate::tags::{self, Tags};
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
    let sources = sources(request, &observed.snapshots, &settings.clusters, settings.max_skew)
        .map_err(|refusal| half_done(refusal, &observed.volumes, request))?;
    let planner = Planner { volumes: &observed.volumes, request, sources: &sources, now };
    let mut members = Vec::new();
    let mut refusals = Vec::new();
    for source in &sources.members {
        let (member, in_the_way) = planner.member(source)?;
        refusals.extend(in_the_way);
        members.push(member);
    }
    if members.iter().any(|member| member.state == MemberState::New)
        && now.duration_since(request.id.planned()) > PLAN_HOLDS
    {
        return Err(Refusal::invalid(format!("id: the plan {} is more than a day old; plan again", request.id)));
    }
    if let Some(error) = refusals.iter().find(|refusal| refusal.kind == RefusalKind::NotOurs) {
        return Err(error.clone());
    }
    // What an earlier try has taken from the snapshots is not asked of them again.
    if members.iter().any(|member| member.state == MemberState::New) || members.is_empty() {
        refusals.extend(sources.refusals.iter().cloned());
    }
    let mut warnings = observed.warnings.clone();
    warnings.extend(sources.warnings.iter().cloned());
    if request.cut_over {
        refusals.extend(hazards::rollback(&observed.volumes, request, &sources));
        warnings.extend(hazards::warnings(&observed.volumes, request, &sources));
    }
    let forecast = planner.forecast(&members);
    if request.cut_over && !forecast.is_ok() {
        warnings.push("the volumes would not be accepted as they are, see `acceptance`".to_owned());
    }
    let (steps_before, steps_after) = next_steps::of_restore(observed, &sources, &members, request.cut_over);
    Ok(RestorePlan {
        id: request.id.clone(),
        of: sources.of.clone(),
        slot: sources.slot,
        skew: sources.skew,
        cut_over: request.cut_over,
        allow_attached: request.allows(Allow::Attached),
        apply: apply_event(request, &sources),
        members,
        refusals,
        warnings,
        forecast,
        steps_before,
        steps_after,
    })
}

/// A point may have been pruned since a restore of it began: then its volumes are what matters.
fn half_done(refusal: Refusal, volumes: &[Volume], request: &RestoreRequest) -> Refusal {
    let of = match &request.what {
        What::Point { of, .. } => of,
        What::Snapshot(..) => return refusal,
    };
    let made = made_by(volumes, of, request.id.as_str());
    if made.is_empty() {
        return refusal;
    }
    let undo = undo_event(of, &made);
    let message = format!("{}. But the restore {} has begun; take it back: {undo}", refusal.message, request.id);
    Refusal::new(refusal.kind, message)
}

struct Planner<'a> {
    volumes: &'a [Volume],
    request: &'a RestoreRequest,
    sources: &'a Sources<'a>,
    now: Timestamp,
}

impl Planner<'_> {
    fn member(&self, source: &Source<'_>) -> Result<(MemberPlan, Vec<Refusal>), Refusal> {
        let of = &self.sources.of;
        let lineage = Lineage { of: of.clone(), member: source.membership.member.clone() };
        let new = NewVolume::of(source, of, self.request).map_err(Refusal::invalid)?;
        let full = full_tags(source, of);
        let (made, state) = match progress(self.volumes, &self.request.id, &lineage, &new) {
            Progress::None => (None, MemberState::New),
            Progress::Made(volume) if volume.state == VolumeState::Creating => (Some(volume), MemberState::Creating),
            Progress::Made(volume) => (Some(volume), MemberState::Available),
            Progress::Live(volume) => (Some(volume), MemberState::Live),
            Progress::Over(why) => return Err(self.over(&lineage, &why)),
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
        let ids = |volumes: Vec<&Volume>| volumes.into_iter().map(|volume| volume.id.clone()).collect();
        Ok((MemberPlan { lineage, new, full, made, state, old: ids(old), retired: ids(retired) }, refusals))
    }

    /// The volumes to retire, and those that an earlier try has retired.
    fn old_volumes(&self, lineage: &Lineage, made: Option<&VolumeId>) -> (Vec<&Volume>, Vec<&Volume>) {
        let is_rival = |volume: &&Volume| self.rivals(lineage).any(|(_, rival)| rival.id == volume.id);
        let claimants = claimants(self.volumes, lineage).filter(|one| made != Some(&one.id) && !is_rival(one));
        let mut old: Vec<&Volume> = claimants.collect();
        let retired = self.volumes.iter().filter(|one| self.has_begun(one, made));
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
        rivals(self.volumes, lineage, Some(&self.request.id))
    }

    fn over(&self, lineage: &Lineage, why: &str) -> Refusal {
        Refusal::invalid(format!("id: the restore {} is over for {lineage}: {why}; plan again", self.request.id))
    }

    fn in_progress(&self, lineage: &Lineage) -> Vec<Refusal> {
        let refusal = |(id, volume): (&str, &Volume)| {
            let message = format!(
                "restore {id} is making {} for {lineage}. If it was interrupted, send its `apply` event again, or take it \
                 back: {}",
                volume.id,
                undo_event(&lineage.of, &made_by(self.volumes, &lineage.of, id))
            );
            Refusal::new(RefusalKind::RestoreInProgress, message)
        };
        self.rivals(lineage).map(refusal).collect()
    }

    /// What a volume that claims the member stands in the way of.
    fn claimed(&self, volume: &Volume, lineage: &Lineage, made: Option<&VolumeId>) -> Vec<Refusal> {
        let attached = volume.attached_to.iter().map(|instance| format!(", attached to {instance}"));
        let state = format!("`{}`{}", volume.state, attached.collect::<String>());
        let mut refusals = Vec::new();
        // A volume whose retirement has begun is not asked about again.
        let begun = self.has_begun(volume, made);
        if !self.request.replace && !begun {
            let message = format!(
                "{lineage} has a volume, {} ({state}). If etcd on it is lost, set `replace` to retire it; if it is sound, \
                 there is nothing to restore",
                volume.id
            );
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
        tagged.extend(private_tags(&self.request.id, lineage));
        let unfit = fits(tagged.keys()).max(parking::could_be_retired(&tagged, self.now)).err();
        let what = format!("the new volume of {lineage}, with its snapshot's tags");
        unfit.map(|unfit| unfit.refusal(what)).into_iter()
    }

    /// What the three filters would find if the plan were carried out on what EC2 lists now.
    fn forecast(&self, members: &[MemberPlan]) -> Acceptance {
        let mut volumes = self.volumes.to_vec();
        let mut expected = Vec::new();
        for member in members.iter().filter(|_| self.request.cut_over) {
            let Some(id) = member.made.clone().or_else(|| new_volume_of(member)) else { continue };
            let leaves: BTreeSet<&VolumeId> = member.old.iter().chain([&id]).collect();
            volumes.retain(|volume| !leaves.contains(&volume.id));
            volumes.push(after(member, id.clone(), self.now));
            expected.push(Expected { lineage: member.lineage.clone(), volume: id, zone: member.new.zone.clone() });
        }
        acceptance(&volumes, &expected)
    }
}

/// Stands for a volume that is not there yet: as long as an id is.
fn placeholder() -> Option<VolumeId> {
    VolumeId::parse("vol-00000000000000000").ok()
}

fn new_volume_of(member: &MemberPlan) -> Option<VolumeId> {
    VolumeId::parse(&format!("vol-from-{}", member.new.snapshot)).ok()
}

fn after(member: &MemberPlan, id: VolumeId, now: Timestamp) -> Volume {
    let settings = &member.new.settings;
    Volume {
        id,
        state: VolumeState::Available,
        zone: member.new.zone.clone(),
        size_gib: settings.size_gib,
        volume_type: settings.volume_type.clone(),
        iops: settings.iops,
        throughput: settings.throughput,
        encrypted: settings.encrypted,
        kms_key: settings.kms_key.clone(),
        created: now,
        snapshot: Some(member.new.snapshot.clone()),
        attached_to: Vec::new(),
        tags: member.full.clone(),
    }
}
