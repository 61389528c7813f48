//! The way back: the restored volumes are retired, and the old ones get back every tag that they had.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::filters::{claimants, claims, kops};
use super::new_volume::lineage_value;
use super::next_steps;
use super::parking::{self, fits, is_retired, originals};
use super::plan::Observed;
use super::progress::{made_by, member_of, rivals, undo_event};
use super::refusal::{Refusal, RefusalKind};
use super::request::UndoRequest;
use super::source::join;
use super::undo_named::{left_without, not_named, old_ones_missing, replaced_by};
use crate::ids::{EtcdClusterId, Lineage, Member, SnapshotId, VolumeId, Zone};
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// All that an undo does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPlan {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// What is done for each member.
    pub members: Vec<UndoMember>,
    /// All that its event names, by member: an earlier try may be done with some.
    pub named: BTreeMap<Member, VolumeId>,
    /// The old volumes that its event names.
    pub named_old: BTreeSet<VolumeId>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// What the operator does, in order, once it is undone.
    pub steps_after: Vec<String>,
}

/// What is undone for one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoMember {
    /// The member.
    pub lineage: Lineage,
    /// The volume that the restore made; none for a member that was to join empty.
    pub new: Option<VolumeId>,
    /// What it was made from, and where, if it is still there.
    pub made_from: Option<(SnapshotId, Zone)>,
    /// Whether it still bears tags to take.
    pub retire: bool,
    /// The volumes that it had replaced.
    pub old: Vec<(VolumeId, Zone)>,
}

/// Decides an undo.
pub fn plan_undo(observed: &Observed, request: &UndoRequest) -> Result<UndoPlan, Vec<Refusal>> {
    let mut warnings = observed.warnings.clone();
    let marked = || observed.volumes.iter().filter(|volume| replaced_by(volume).is_some_and(|new| request.names(new)));
    let Some(named) = &request.old_volumes else {
        return match marked().next() {
            None => plan_undo(observed, &UndoRequest { old_volumes: Some(BTreeSet::new()), ..request.clone() }),
            Some(_) => Err(vec![old_ones_missing(observed, request)]),
        };
    };
    warnings.extend(marked().filter(|volume| !named.contains(&volume.id)).map(not_named));
    let (mut members, mut refusals, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    for (member, new) in &request.volumes {
        let lineage = Lineage { of: request.of.clone(), member: member.clone() };
        match undo_member(&observed.volumes, lineage, (new, named)) {
            Ok((member, emptied)) if member.retire || !(member.old.is_empty() && emptied.is_empty()) => {
                members.push(member);
                members.extend(emptied);
            }
            Ok((member, _)) => nothing.push(Refusal::new(
                RefusalKind::NothingToUndo,
                format!(
                    "{new} of {} has been undone: it is retired, and no volume waits to be given back",
                    member.lineage
                ),
            )),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.extend(left_behind(&observed.volumes, request, &members));
    refusals.extend(members.iter().filter_map(|member| left_without(&observed.volumes, member)));
    refusals.extend(members.iter().flat_map(|member| in_the_way(&observed.volumes, member)));
    // A repeated undo of several goes on with those that are left.
    if members.is_empty() {
        refusals.extend(nothing);
    } else {
        warnings.extend(nothing.into_iter().map(|refusal| refusal.message));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    warnings.extend(hazards(&members));
    let zones: BTreeSet<&Zone> = members.iter().flat_map(UndoMember::zones).collect();
    let new: Vec<&VolumeId> = members.iter().filter_map(|member| member.new.as_ref()).collect();
    let steps_after = next_steps::of_undo(observed, &zones, &new);
    Ok(UndoPlan {
        of: request.of.clone(),
        members,
        named: request.volumes.clone(),
        named_old: named.clone(),
        warnings,
        steps_after,
    })
}

/// What is lost, and what is as unclear as it was before.
fn hazards(members: &[UndoMember]) -> Vec<String> {
    let several = members.iter().filter(|member| member.old.len() > 1).map(|member| {
        let old = join(member.old.iter().map(|(id, _)| id));
        format!(
            "{old} all claimed {} before the restore, and do so again: which of them a master takes is chance. Take the \
             etcd tag from all but one",
            member.lineage
        )
    });
    let mut hazards: Vec<String> = several.collect();
    hazards.push("what was written to the restored volumes since the apply is lost with them".to_owned());
    let without = members.iter().filter(|member| member.old.is_empty()).map(|member| &member.lineage.member);
    let without: Vec<&Member> = without.collect();
    if !without.is_empty() {
        hazards
            .push(format!("had no volume before, and have none again: {}. kops would make blank ones", join(without)));
    }
    hazards
}

/// Members of one restore go back together: one that went back in time must not meet one that went on.
fn left_behind(volumes: &[Volume], request: &UndoRequest, members: &[UndoMember]) -> Option<Refusal> {
    let of_undone = |volume: &&Volume| members.iter().any(|member| member.is_old(&volume.id));
    let restores: BTreeSet<&String> =
        volumes.iter().filter(of_undone).filter_map(|volume| volume.tags.get(tags::RESTORE)).collect();
    let made: Vec<_> = restores.into_iter().map(|restore| made_by(volumes, &request.of, restore)).collect();
    let is_named = |volume: &String| request.volumes.values().any(|named| named.as_str() == volume);
    let whole = made.iter().find(|made| !made.values().all(is_named))?;
    let message = format!(
        "the same restore has made more: take all of it back, or members of before and of the restore would meet: {}",
        undo_event(&request.of, whole, volumes)
    );
    Some(Refusal::new(RefusalKind::MemberRollback, message))
}

/// What is undone for a member, and for those that were to join empty beside it: their volumes name its new one.
fn undo_member(
    volumes: &[Volume],
    lineage: Lineage,
    (new, old): (&VolumeId, &BTreeSet<VolumeId>),
) -> Result<(UndoMember, Vec<UndoMember>), Refusal> {
    let not_ours = |why: String| Err(Refusal::new(RefusalKind::NotOurs, format!("volumes: {new} {why}")));
    let volume = volumes.iter().find(|volume| volume.id == *new && !volume.is_leaving());
    let replaced = volumes
        .iter()
        .filter(|volume| old.contains(&volume.id) && replaced_by(volume).is_some_and(|by| by == new.as_str()));
    let replaced: Vec<&Volume> = replaced.collect();
    if volume.is_none() && replaced.is_empty() {
        return not_ours(format!(
            "is not of {lineage}, nor did it replace a volume that was, in this account and region"
        ));
    }
    if let Some(volume) = volume {
        let is_marked = volume.tags.get(tags::LINEAGE).is_some_and(|value| *value == lineage_value(&lineage));
        let was = originals(&volume.tags).unwrap_or_default();
        let is_of =
            [&volume.tags, &was].iter().any(|tags| claims(tags, &lineage) || (is_marked && kops(tags, &lineage)));
        if is_marked && !is_of && !is_retired(&volume.tags) && replaced.is_empty() {
            let message = format!("{new} was made for inspection and is nobody's: delete it by hand when you are done");
            return Err(Refusal::new(RefusalKind::NothingToUndo, message));
        }
        if !is_of {
            return not_ours(format!("is not of {lineage}"));
        }
        // kops makes none from a snapshot: a healthy volume must not be retired by a slip.
        if volume.snapshot.is_none() {
            return not_ours("was not made from a snapshot, so no restore made it".to_owned());
        }
    }
    let (mut own, mut emptied) = (Vec::new(), BTreeMap::<Lineage, Vec<&Volume>>::new());
    for old in replaced {
        match originals(&old.tags) {
            Some(was) if claims(&was, &lineage) => own.push(old),
            Some(was) => match of_another_member(&was, &lineage).filter(|_| joins_empty(old)) {
                Some(other) => emptied.entry(other).or_default().push(old),
                None => return not_ours(format!("replaced {}, which was not of {lineage}", old.id)),
            },
            None => {
                return not_ours(format!(
                    "replaced {}, whose tags `{}<n>` cannot be read: were they changed? Give it kops' tags by hand",
                    old.id,
                    tags::WAS_PREFIX
                ));
            }
        }
    }
    let old = |old: Vec<&Volume>| old.into_iter().map(|old| (old.id.clone(), old.zone.clone())).collect();
    let member = UndoMember {
        lineage,
        new: Some(new.clone()),
        made_from: volume.and_then(|volume| Some((volume.snapshot.clone()?, volume.zone.clone()))),
        retire: volume.is_some_and(|volume| !(is_retired(&volume.tags) && parking::discovery(&volume.tags).is_empty())),
        old: old(own),
    };
    let emptied = emptied.into_iter().map(|(lineage, volumes)| UndoMember {
        lineage,
        new: None,
        made_from: None,
        retire: false,
        old: old(volumes),
    });
    Ok((member, emptied.collect()))
}

fn joins_empty(volume: &Volume) -> bool {
    volume.tags.contains_key(tags::JOINS_EMPTY)
}

/// Of which other member of the same etcd cluster a volume with these tags is.
fn of_another_member(tags: &Tags, lineage: &Lineage) -> Option<Lineage> {
    let member = Member::parse(&member_of(tags, &lineage.of)?).ok()?;
    let other = Lineage { of: lineage.of.clone(), member };
    claims(tags, &other).then_some(other)
}

fn in_the_way(volumes: &[Volume], member: &UndoMember) -> Vec<Refusal> {
    let find = |id: &VolumeId| volumes.iter().find(|volume| volume.id == *id);
    let mut refusals = Vec::new();
    let new = member.new.as_ref().and_then(find).filter(|_| member.retire);
    if let Some(volume) = new.filter(|volume| volume.is_attached()) {
        let instances = join(&volume.attached_to);
        let message = format!(
            "{} is `{}` ({instances}): set its master's Auto Scaling group to 0, wait until it is `available`, and send the \
             undo again",
            volume.id, volume.state
        );
        refusals.push(Refusal::new(RefusalKind::VolumeAttached, message));
    }
    refusals.extend(member.rival(volumes));
    // Giving back adds before it takes, and parking does so too.
    let old = member.old.iter().filter_map(|(id, _)| find(id)).map(|volume| {
        let was = originals(&volume.tags).unwrap_or_default();
        (volume, fits(volume.tags.keys().chain(was.keys().filter(|key| !volume.tags.contains_key(*key)))))
    });
    let new = new.map(|volume| (volume, parking::could_be_retired(&volume.tags, Timestamp::UNIX_EPOCH)));
    let unfit = old.chain(new).filter_map(|(volume, fits)| Some(fits.err()?.refusal(&volume.id)));
    refusals.extend(unfit);
    refusals
}

impl UndoMember {
    /// Who is at the member, so that nothing can be given back to it. A volume that still has its tags, since the restore
    /// died before it took them, is none: it is given nothing that it lacks.
    pub(super) fn rival(&self, volumes: &[Volume]) -> Option<Refusal> {
        let lineage = &self.lineage;
        let lacks_tags = |volume: &&Volume| self.is_old(&volume.id) && !claims(&volume.tags, lineage);
        volumes.iter().find(lacks_tags)?;
        if let Some(volume) = claimants(volumes, lineage).find(|volume| !self.is_about(&volume.id)) {
            let message = format!("{} claims {lineage} by now: undo what made it, or take its tags away", volume.id);
            return Some(Refusal::new(RefusalKind::MemberClaimed, message));
        }
        let (restore, volume) = rivals(volumes, lineage, None).find(|(_, rival)| !self.is_about(&rival.id))?;
        let message = format!("restore {restore} is making {} for {lineage}: finish or undo that one first", volume.id);
        Some(Refusal::new(RefusalKind::RestoreInProgress, message))
    }

    pub(super) fn is_old(&self, volume: &VolumeId) -> bool {
        self.old.iter().any(|(old, _)| old == volume)
    }

    /// Whether the volume is the one that is taken back, or one that is given back.
    fn is_about(&self, volume: &VolumeId) -> bool {
        self.new.as_ref() == Some(volume) || self.is_old(volume)
    }

    fn zones(&self) -> impl Iterator<Item = &Zone> {
        self.old.iter().map(|(_, zone)| zone).chain(self.made_from.iter().map(|(_, zone)| zone))
    }
}
