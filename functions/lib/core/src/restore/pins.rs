//! What an apply names of its plan, so that it does what was shown or nothing: the snapshots, the volumes to retire, and a
//! digest of all the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{EmptiedPlan, MemberPlan, MemberState, RestorePlan};
use super::settings::VolumeSettings;
use super::source::join;
use crate::digest::Digest;
use crate::ids::{Member, SnapshotId, VolumeId};
use crate::tags::Tags;

/// What an apply names of its plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    /// What each member is restored from.
    pub snapshots: BTreeMap<Member, SnapshotId>,
    /// The volumes that are retired, of all members.
    pub retire: BTreeSet<VolumeId>,
    /// A digest of the plan. `None` after the first stage, which makes and retires nothing.
    pub digest: Option<String>,
}

/// What a plan pins.
pub(super) fn pins(plan: &RestorePlan) -> Pins {
    let snapshots = plan.members.iter().map(|one| (one.lineage.member.clone(), one.new.snapshot.clone()));
    Pins { snapshots: snapshots.collect(), retire: plan.retire.clone(), digest: Some(digest(plan, &plan.retire)) }
}

/// The volumes that a plan retires or has retired, of all members.
pub(super) fn retired(members: &[MemberPlan], emptied: &[EmptiedPlan]) -> BTreeSet<VolumeId> {
    let of_members = members.iter().flat_map(|one| one.old.iter().chain(&one.retired));
    let of_emptied = emptied.iter().flat_map(|one| one.old.iter().chain(&one.retired));
    of_members.chain(of_emptied).cloned().collect()
}

/// How a plan made now differs from the one that an apply names, if so. Of a restore that has begun some of what it named
/// is done, and may be gone.
pub(super) fn changed(plan: &RestorePlan, supplanted: Option<&String>, pinned: &Pins) -> Option<String> {
    let planned = pinned.digest.as_ref()?;
    let has_begun = plan.members.iter().any(|one| one.state != MemberState::New);
    if let Some(supplanted) = supplanted.filter(|_| !has_begun) {
        return Some(supplanted.clone());
    }
    let now = pins(plan);
    if let Some((member, snapshot)) =
        now.snapshots.iter().find(|(member, id)| pinned.snapshots.get(*member) != Some(*id))
    {
        let was = pinned.snapshots.get(member).map_or("none", SnapshotId::as_str);
        return Some(format!("member {member} would now be restored from {snapshot}, the plan showed {was}"));
    }
    // Once it has begun, a volume that bears the marks of a retired one and was not shown is none: it is left as it is.
    let old = plan.members.iter().map(|one| &one.old).chain(plan.emptied.iter().map(|one| &one.old));
    let old: BTreeSet<&VolumeId> = if has_begun { old.flatten().collect() } else { now.retire.iter().collect() };
    let more: Vec<&VolumeId> = old.into_iter().filter(|volume| !pinned.retire.contains(*volume)).collect();
    if !more.is_empty() {
        return Some(format!("{} would be retired too, which the plan did not show", join(more)));
    }
    let fewer: Vec<&VolumeId> = pinned.retire.difference(&now.retire).filter(|_| !has_begun).collect();
    if !fewer.is_empty() {
        return Some(format!("{} would no longer be retired", join(fewer)));
    }
    let is_same = digest(plan, &pinned.retire) == *planned;
    (!is_same).then(|| "settings, tags, zones or members are no longer those that the plan showed".to_owned())
}

/// A digest of all that a plan would do. How far an earlier try came is not in it, nor is the
/// plan's id.
fn digest(plan: &RestorePlan, retire: &BTreeSet<VolumeId>) -> String {
    let mut hash = Digest::new();
    hash.text(&EDITION);
    hash.text(&plan.of);
    hash.text(&plan.slot.map(|slot| slot.to_string()).unwrap_or_default());
    hash.text(&plan.cut_over);
    for member in &plan.members {
        let new = &member.new;
        hash.text(&member.lineage);
        hash.text(&member.stage);
        hash.text(&new.snapshot);
        hash.text(&new.zone);
        settings(&mut hash, &new.settings);
        hash.text(&new.kms_key.as_deref().unwrap_or_default());
        tags(&mut hash, &member.full);
    }
    for emptied in &plan.emptied {
        hash.text(&emptied.lineage);
    }
    for volume in retire {
        hash.text(volume);
    }
    hash.finish()
}

/// Of what the digest is over: a plan made by another edition is planned again.
const EDITION: u8 = 1;

fn settings(digest: &mut Digest, settings: &VolumeSettings) {
    let VolumeSettings { volume_type, size_gib, iops, throughput, encrypted, kms_key, initialization_rate } = settings;
    digest.text(volume_type);
    digest.text(size_gib);
    for number in [iops, throughput, initialization_rate] {
        digest.text(&number.unwrap_or_default());
    }
    digest.text(encrypted);
    digest.text(&kms_key.as_deref().unwrap_or_default());
}

fn tags(digest: &mut Digest, tags: &Tags) {
    for (key, value) in tags {
        digest.text(key);
        digest.text(value);
    }
    digest.end();
}
