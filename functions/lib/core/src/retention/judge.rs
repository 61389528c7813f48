//! The judgement: which complete points stay, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::Serialize;

use super::Policy;
use super::calendar::Unit;
use crate::ids::{Member, VolumeId};
use crate::recovery_point::RecoveryPoint;
use crate::slot::Slot;
use crate::snapshot::OurSnapshot;

/// For how long the last point of a replaced volume is kept. kops makes *blank* volumes where it finds none
/// (`EBSVolume.Find`, kops-volumes), and a blank member's snapshots look as good as any.
const REPLACED_VOLUME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why a recovery point stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepReason {
    /// Rule `keep-last`.
    KeepLast,
    /// Rule `keep-hourly`.
    KeepHourly,
    /// Rule `keep-daily`.
    KeepDaily,
    /// Rule `keep-weekly`.
    KeepWeekly,
    /// Rule `keep-monthly`.
    KeepMonthly,
    /// Rule `keep-yearly`.
    KeepYearly,
    /// Rule `keep-within`.
    KeepWithin,
    /// `etcd-backup/keep`.
    Pinned,
    /// A snapshot of it is locked (Snapshot Lock): it is due for nothing until the lock expires.
    Locked,
    /// It would go, but which snapshots are locked could not be listed: a point must not be broken up.
    LocksUnknown,
    /// The newest complete point that was not found corrupt: no policy prunes it.
    NewestComplete,
    /// The newest complete point of which every member was found `ok` and whose set can be restored: no policy prunes it.
    NewestVerified,
    /// The last point of a volume that was replaced less than 30 days before the newest point.
    VolumeReplaced,
    /// The first point of a volume that replaced another: kept while any point of the other is, since it dates the
    /// replacement.
    ReplacementVolume,
    /// Found corrupt, or with a flaw. It stays for as long as it would if nobody had noticed: a finding makes nothing go
    /// sooner.
    WouldStayIfSound,
    /// The point that this run works on.
    ThisRun,
    /// A restore has made volumes of it, and is not finished.
    RestoreUnderWay,
    /// By its word fewer members are the expected ones; a point of the seven days before has more, and is still there.
    AcceptsMembers,
    /// Some of its snapshots are still pending.
    Pending,
    /// Not complete, but not yet 24 hours older than the newest complete point.
    RecentPartial,
    /// There is no complete point to measure it against.
    NoCompletePoint,
    /// What is left of it may not be deleted: pending, or in a state such as the Recycle Bin's.
    NotDeletable,
    /// Would go, but a member of the etcd cluster ended without a snapshot.
    MemberFailed,
    /// Would go, but snapshots of its etcd cluster may have been changed.
    DoubtfulSnapshots,
    /// Would go, but this run does not prune.
    PruneOff,
    /// Would go, but `MAX_PRUNE` is reached.
    MaxPrune,
}

/// What the policy says of one complete recovery point: it goes if there is no reason to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The point.
    pub slot: Slot,
    /// Why it stays.
    pub reasons: BTreeSet<KeepReason>,
}

/// Judges complete points, given newest first.
///
/// Twice, where some were found corrupt or with a [flaw](crate::recovery_point::Flaw): once over the sound points alone,
/// so that the others take no place of theirs, are not the newest, end no window and date no replacement; and once as if
/// nobody had noticed, so that no finding makes anything go sooner. A sound point stays if either judgement keeps it,
/// another if the second does.
#[must_use]
pub fn judge(complete: &[&RecoveryPoint], policy: &Policy) -> Vec<Judgement> {
    let unread = judge_alike(complete, policy, None);
    let sound: Vec<&RecoveryPoint> = complete.iter().copied().filter(|point| point.counts()).collect();
    let verified = sound.iter().position(|point| point.is_verified());
    if sound.len() == complete.len() && verified.is_none() {
        return unread;
    }
    let mut of_sound = judge_alike(&sound, policy, verified).into_iter();
    let merge = |(point, mut judgement): (&&RecoveryPoint, Judgement)| {
        if !point.counts() {
            judgement.reasons = as_flawed(&judgement.reasons);
        } else if let Some(sound) = of_sound.next() {
            judgement.reasons.extend(sound.reasons);
        }
        judgement
    };
    complete.iter().zip(unread).map(merge).collect()
}

/// The reasons of a point that counts for nothing, in one word but for its pin: it stands in no place of the policy, and is no newest.
fn as_flawed(reasons: &BTreeSet<KeepReason>) -> BTreeSet<KeepReason> {
    let own = |reason: &KeepReason| if *reason == KeepReason::Pinned { *reason } else { KeepReason::WouldStayIfSound };
    reasons.iter().map(own).collect()
}

/// Judges complete points, given newest first, all by the same rules. `verified` is the place of the one that is kept for
/// being verified.
fn judge_alike(complete: &[&RecoveryPoint], policy: &Policy, verified: Option<usize>) -> Vec<Judgement> {
    let mut judgements: Vec<Judgement> =
        complete.iter().map(|point| Judgement { slot: point.slot, reasons: BTreeSet::new() }).collect();
    apply_counts(&mut judgements, policy);
    apply_within(&mut judgements, policy);
    if let Some(newest) = judgements.first_mut() {
        newest.reasons.insert(KeepReason::NewestComplete);
    }
    if let Some(n) = verified {
        judgements[n].reasons.insert(KeepReason::NewestVerified);
    }
    for (point, judgement) in complete.iter().zip(&mut judgements) {
        if point.is_pinned() {
            judgement.reasons.insert(KeepReason::Pinned);
        }
    }
    let chosen: Vec<Chosen<'_>> = complete.iter().map(|point| point.chosen()).collect();
    keep_last_of_replaced(complete, &chosen, &mut judgements);
    keep_first_of_replacement(&chosen, &mut judgements);
    judgements
}

/// A point's chosen set.
type Chosen<'a> = BTreeMap<&'a Member, &'a OurSnapshot>;

/// restic's counted rules: the newest point of each unit, as long as the count lasts; and the very oldest point, if
/// the count is not used up by then.
fn apply_counts(judgements: &mut [Judgement], policy: &Policy) {
    let newest = usize::try_from(policy.last).unwrap_or(usize::MAX);
    for judgement in judgements.iter_mut().take(newest) {
        judgement.reasons.insert(KeepReason::KeepLast);
    }
    let oldest = judgements.len().saturating_sub(1);
    for (unit, mut count, reason) in [
        (Unit::Hour, policy.hourly, KeepReason::KeepHourly),
        (Unit::Day, policy.daily, KeepReason::KeepDaily),
        (Unit::Week, policy.weekly, KeepReason::KeepWeekly),
        (Unit::Month, policy.monthly, KeepReason::KeepMonthly),
        (Unit::Year, policy.yearly, KeepReason::KeepYearly),
    ] {
        let mut last = None;
        for (n, judgement) in judgements.iter_mut().enumerate() {
            let bucket = unit.bucket(judgement.slot.time());
            if count > 0 && (last != Some(bucket) || n == oldest) {
                judgement.reasons.insert(reason);
                last = Some(bucket);
                count -= 1;
            }
        }
    }
}

fn apply_within(judgements: &mut [Judgement], policy: &Policy) {
    let Some(newest) = judgements.first().map(|judgement| judgement.slot) else { return };
    if policy.within.is_zero() {
        return;
    }
    let cutoff = policy.within.before(newest.time());
    for judgement in judgements.iter_mut().filter(|judgement| judgement.slot.time() > cutoff) {
        judgement.reasons.insert(KeepReason::KeepWithin);
    }
}

/// Keeps, for thirty days after a member's volume changed, the last point of the volume before.
fn keep_last_of_replaced(complete: &[&RecoveryPoint], chosen: &[Chosen<'_>], judgements: &mut [Judgement]) {
    let Some(newest) = complete.first() else { return };
    let mut before: BTreeMap<&Member, usize> = BTreeMap::new();
    for n in (0..complete.len()).rev() {
        for (member, snapshot) in &chosen[n] {
            if let Some(before) = before.insert(member, n)
                && chosen[before][member].volume.id != snapshot.volume.id
                && newest.slot.since(complete[n].slot) < REPLACED_VOLUME
            {
                judgements[before].reasons.insert(KeepReason::VolumeReplaced);
            }
        }
    }
}

/// Keeps the first point of a volume that replaced another, for as long as any point of the other stays. It dates the
/// change: without it, the change would look ever younger as the policy thins what follows, and never be thirty days
/// old. Oldest first, so that whether a volume's points stay is settled before its successor asks.
fn keep_first_of_replacement(chosen: &[Chosen<'_>], judgements: &mut [Judgement]) {
    let mut volumes: BTreeMap<&Member, (&VolumeId, bool)> = BTreeMap::new();
    for (set, judgement) in chosen.iter().zip(judgements).rev() {
        let replaces_a_kept_one = set.iter().any(|(member, snapshot)| {
            volumes.get(member).is_some_and(|(volume, stays)| *stays && **volume != snapshot.volume.id)
        });
        if replaces_a_kept_one {
            judgement.reasons.insert(KeepReason::ReplacementVolume);
        }
        let stays = !judgement.reasons.is_empty();
        for (&member, snapshot) in set {
            let volume = &snapshot.volume.id;
            let stayed = volumes.get(member).is_some_and(|(before, stayed)| *before == volume && *stayed);
            volumes.insert(member, (volume, stays || stayed));
        }
    }
}
