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
    /// The newest complete point: no policy prunes it.
    NewestComplete,
    /// The newest complete point that is not skewed: no policy prunes it.
    NewestUnskewed,
    /// The last point of a volume that was replaced less than 30 days before the newest point.
    VolumeReplaced,
    /// The first point of a volume that replaced another: kept while any point of the other is, since it dates the
    /// replacement.
    ReplacementVolume,
    /// The point that this run works on.
    ThisRun,
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
    /// Would go, but the newest complete point lies in the future.
    FuturePoint,
    /// Would go, but this run does not prune.
    PruneOff,
    /// Would go, but `MAX_PRUNE` is reached.
    MaxPrune,
}

/// What the policy says of one complete recovery point: it goes if there is no reason to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The point.
    pub slot: Slot,
    /// Why it stays.
    pub reasons: BTreeSet<KeepReason>,
}

/// Judges complete points, given newest first. A point whose skew exceeds `max_skew` is skewed.
#[must_use]
pub fn judge(complete: &[&RecoveryPoint], policy: &Policy, max_skew: SignedDuration) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> =
        complete.iter().map(|point| Verdict { slot: point.slot, reasons: BTreeSet::new() }).collect();
    apply_counts(&mut verdicts, policy);
    apply_within(&mut verdicts, policy);
    protect_newest(complete, max_skew, &mut verdicts);
    for (point, verdict) in complete.iter().zip(&mut verdicts) {
        if point.is_pinned() {
            verdict.reasons.insert(KeepReason::Pinned);
        }
    }
    let chosen: Vec<Chosen<'_>> = complete.iter().map(|point| point.chosen()).collect();
    keep_last_of_replaced(complete, &chosen, &mut verdicts);
    keep_first_of_replacement(&chosen, &mut verdicts);
    verdicts
}

/// A point's chosen set.
type Chosen<'a> = BTreeMap<&'a Member, &'a OurSnapshot>;

/// restic's counted rules: the newest point of each unit, as long as the count lasts; and the very oldest point, if
/// the count is not used up by then.
fn apply_counts(verdicts: &mut [Verdict], policy: &Policy) {
    let newest = usize::try_from(policy.last).unwrap_or(usize::MAX);
    for verdict in verdicts.iter_mut().take(newest) {
        verdict.reasons.insert(KeepReason::KeepLast);
    }
    let oldest = verdicts.len().saturating_sub(1);
    for (unit, mut count, reason) in [
        (Unit::Hour, policy.hourly, KeepReason::KeepHourly),
        (Unit::Day, policy.daily, KeepReason::KeepDaily),
        (Unit::Week, policy.weekly, KeepReason::KeepWeekly),
        (Unit::Month, policy.monthly, KeepReason::KeepMonthly),
        (Unit::Year, policy.yearly, KeepReason::KeepYearly),
    ] {
        let mut last = None;
        for (n, verdict) in verdicts.iter_mut().enumerate() {
            let bucket = unit.bucket(verdict.slot.time());
            if count > 0 && (last != Some(bucket) || n == oldest) {
                verdict.reasons.insert(reason);
                last = Some(bucket);
                count -= 1;
            }
        }
    }
}

fn apply_within(verdicts: &mut [Verdict], policy: &Policy) {
    let Some(newest) = verdicts.first().map(|verdict| verdict.slot) else { return };
    if policy.within.is_zero() {
        return;
    }
    let cutoff = policy.within.before(newest.time());
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.slot.time() > cutoff) {
        verdict.reasons.insert(KeepReason::KeepWithin);
    }
}

fn protect_newest(complete: &[&RecoveryPoint], max_skew: SignedDuration, verdicts: &mut [Verdict]) {
    if let Some(newest) = verdicts.first_mut() {
        newest.reasons.insert(KeepReason::NewestComplete);
    }
    let unskewed = complete.iter().position(|point| point.skew().is_some_and(|skew| skew <= max_skew));
    if let Some(n) = unskewed {
        verdicts[n].reasons.insert(KeepReason::NewestUnskewed);
    }
}

/// Keeps, for thirty days after a member's volume changed, the last point of the volume before.
fn keep_last_of_replaced(complete: &[&RecoveryPoint], chosen: &[Chosen<'_>], verdicts: &mut [Verdict]) {
    let Some(newest) = complete.first() else { return };
    let mut before: BTreeMap<&Member, usize> = BTreeMap::new();
    for n in (0..complete.len()).rev() {
        for (member, snapshot) in &chosen[n] {
            if let Some(before) = before.insert(member, n)
                && chosen[before][member].volume.id != snapshot.volume.id
                && newest.slot.since(complete[n].slot) < REPLACED_VOLUME
            {
                verdicts[before].reasons.insert(KeepReason::VolumeReplaced);
            }
        }
    }
}

/// Keeps the first point of a volume that replaced another, for as long as any point of the other stays. It dates the
/// change: without it, the change would look ever younger as the policy thins what follows, and never be thirty days
/// old. Oldest first, so that whether a volume's points stay is settled before its successor asks.
fn keep_first_of_replacement(chosen: &[Chosen<'_>], verdicts: &mut [Verdict]) {
    let mut volumes: BTreeMap<&Member, (&VolumeId, bool)> = BTreeMap::new();
    for (set, verdict) in chosen.iter().zip(verdicts).rev() {
        let replaces_a_kept_one = set.iter().any(|(member, snapshot)| {
            volumes.get(member).is_some_and(|(volume, stays)| *stays && **volume != snapshot.volume.id)
        });
        if replaces_a_kept_one {
            verdict.reasons.insert(KeepReason::ReplacementVolume);
        }
        let stays = !verdict.reasons.is_empty();
        for (&member, snapshot) in set {
            let volume = &snapshot.volume.id;
            let stayed = volumes.get(member).is_some_and(|(before, stayed)| *before == volume && *stayed);
            volumes.insert(member, (volume, stays || stayed));
        }
    }
}
