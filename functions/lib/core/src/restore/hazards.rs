//! What raft makes dangerous about a restore: members that went on meeting members that were taken back.

use std::collections::BTreeSet;

use super::filters::{ROLES, etcd_manager, protokube};
use super::plan::{EmptiedPlan, MemberPlan};
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, RestoreRequest};
use super::source::{Sources, join};
use crate::ids::{Lineage, Member, VolumeId};
use crate::tags::Membership;
use crate::told;
use crate::volume::Volume;

/// Why the restored members must not meet the others, if so.
pub(super) fn rollback(volumes: &[Volume], request: &RestoreRequest, sources: &Sources<'_>) -> Option<Refusal> {
    if request.allows(Allow::Rollback) {
        return None;
    }
    rollback_hazard(volumes, sources).map(|why| {
        let message = format!("{why}. If you know better, set `allow_rollback`");
        Refusal::new(RefusalKind::MemberRollback, message)
    })
}

fn rollback_hazard(volumes: &[Volume], sources: &Sources<'_>) -> Option<String> {
    let Sources { of, expected, emptied, members, .. } = sources;
    let restored: BTreeSet<&Member> = members.iter().map(|source| &source.membership.member).collect();
    if restored.len() + emptied.len() < expected.len() {
        return Some(format!(
            "{of} has the members {}, and only {} would go back in time: a member that forgets what it acknowledged can \
             break the etcd cluster. Where the others live, replace the lost member instead: remove it, and let it join \
             empty (README, `one of three members lost`); where the restored are a quorum, the others can be made to join \
             empty by `\"others\": \"empty\"`",
            join(expected),
            join(restored)
        ));
    }
    // The lists on the volumes that live now; one that cannot be read is acceptance's matter.
    let living = volumes.iter().filter(|volume| !volume.is_leaving()).filter(|volume| {
        let by_role = ROLES.iter().find_map(|role| etcd_manager(&volume.tags, of, role));
        by_role.or_else(|| protokube(&volume.tags, of)).is_some()
    });
    let lists: Vec<(&Volume, BTreeSet<Member>)> = living
        .filter_map(|volume| Some((volume, Membership::parse(volume.tags.get(&of.etcd_key())?).ok()?.members)))
        .collect();
    let living: BTreeSet<Member> = lists.iter().flat_map(|(_, members)| members.iter().cloned()).collect();
    let other = lists.iter().find(|(_, members)| living != *expected && members != expected);
    other.map(|(volume, _)| {
        format!(
            "{of} had the members {} at this point, and {} says that it now has {}: etcd would start with a membership that \
             is no more",
            join(expected),
            volume.id,
            join(&living)
        )
    })
}

/// Old volumes that may be retired though they are attached.
pub(super) fn attached(
    volumes: &[Volume],
    request: &RestoreRequest,
    (members, emptied): (&[MemberPlan], &[EmptiedPlan]),
) -> Vec<String> {
    let old = members.iter().flat_map(|member| &member.old).chain(emptied.iter().flat_map(|member| &member.old));
    let old: BTreeSet<&VolumeId> = old.filter(|_| request.allows(Allow::Attached)).collect();
    let attached = volumes.iter().filter(|volume| old.contains(&volume.id) && volume.is_attached());
    let told = |volume: &Volume| {
        format!(
            "allowed all the same: {} is `{}` ({}), and an etcd that runs on it goes on when its tags are taken: it must have \
             ended before a restored member starts, or one that went on meets one that went back in time",
            volume.id,
            volume.state,
            join(&volume.attached_to)
        )
    };
    attached.map(told).collect()
}

/// What is dangerous, and not refused.
pub(super) fn warnings(volumes: &[Volume], request: &RestoreRequest, sources: &Sources<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if request.allows(Allow::Rollback) {
        warnings.extend(rollback_hazard(volumes, sources).map(|why| format!("allowed all the same: {why}")));
    }
    for source in &sources.members {
        let lineage = Lineage { of: sources.of.clone(), member: source.membership.member.clone() };
        let blank = super::filters::claimants(volumes, &lineage)
            .filter(|volume| volume.snapshot.is_none() && volume.created > source.snapshot.started);
        warnings.extend(blank.map(|volume| {
            format!(
                "{} was made blank after this snapshot, as kops does where it finds none: an etcd that started on it is a \
                 new one, and nothing of it may run when the restored {lineage} starts",
                volume.id
            )
        }));
        let name = sources.of.volume_name(lineage.member.as_str());
        let other_name =
            source.volume_tags().remove(crate::tags::NAME).filter(|found| *found != name && source.recorded.is_some());
        warnings.extend(other_name.map(|found| {
            format!(
                "the volume of {} had the tag `Name` `{}`; the new volume gets `{name}`, by which kops finds it",
                source.snapshot.id,
                told::value(&found)
            )
        }));
        let moved = source.recorded.as_ref().filter(|recorded| recorded.zone != source.zone);
        warnings.extend(moved.map(|recorded| {
            format!(
                "{lineage} moves from {} to {}: kops cannot move a volume, so its instance group must be there too",
                recorded.zone, source.zone
            )
        }));
    }
    if request.overrides.kms_key.is_some() {
        warnings.push("kops cannot change a volume's KMS key: put the same key into the cluster's spec".to_owned());
    }
    warnings
}
