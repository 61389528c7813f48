//! The report of a run: what the function answers, from the plan and what was found.

use super::compare::{Comparison, compare};
use super::findings::{Examined, Findings};
use super::metrics::VerifyMetrics;
use super::plan::{Examination, Examinations};
use super::result::{Answer, MemberReport, Outcome, SweepResult, VerifyResult};
use crate::set::Set;

/// A run's report.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyReport {
    /// The answer. A corrupt member is a result, not a failure.
    pub answer: Answer,
    /// One sentence, with the count and the first causes, if something could not be examined; what a sweep left to the
    /// next one is no failure.
    pub failure: Option<String>,
    /// The figures, of each etcd cluster of which something was judged.
    pub metrics: Vec<VerifyMetrics>,
}

/// One examination, and what became of it.
type Pair<'a> = (&'a Examination, &'a Examined);

/// Reports a run. `outcomes` are those of the plan's examinations, in its order.
#[must_use]
pub fn report(plan: &Examinations, outcomes: &[Examined]) -> VerifyReport {
    let pairs: Vec<Pair<'_>> = plan.list.iter().zip(outcomes).collect();
    let unread =
        |old| pairs.iter().filter(move |pair| pair.0.old == old).filter_map(|pair| missing(pair, plan.is_sweep));
    let missing: Vec<String> = unread(false).collect();
    let of_one_point = |(a, _): &Pair<'_>, (b, _): &Pair<'_>| a.is_of_the_point_of(b);
    let mut points: Vec<VerifyResult> =
        pairs.chunk_by(of_one_point).filter_map(|pairs| point(pairs, plan.is_sweep)).collect();
    let left = pairs.iter().filter(|(_, outcome)| **outcome == Examined::Left).count();
    let metrics = VerifyMetrics::of(pairs.iter().copied());
    let failure = failure(&missing, pairs.len());
    let outcome = if missing.is_empty() { Outcome::Verified } else { Outcome::Incomplete };
    let answer = match points.pop() {
        Some(mut point) if !plan.is_sweep => {
            point.warnings.extend(plan.warnings.iter().cloned());
            Answer::Point(point)
        }
        last => {
            points.extend(last);
            let warnings = plan.warnings.iter().cloned().chain(missing).chain(unread(true)).collect();
            Answer::Sweep(SweepResult { outcome, recovery_points: points, left, warnings })
        }
    };
    VerifyReport { answer, failure, metrics }
}

/// Why a snapshot that should have been examined was not.
fn missing((examination, outcome): &Pair<'_>, is_sweep: bool) -> Option<String> {
    let why = match outcome {
        Examined::Found { .. } => return None,
        Examined::Left if is_sweep => return None,
        Examined::Left => "not begun before the deadline",
        Examined::Failed(why) => why,
    };
    Some(format!("{} ({}, {}) was not examined: {why}", examination.snapshot, examination.lineage, examination.slot))
}

/// In one line, whatever the causes hold.
fn failure(missing: &[String], of: usize) -> Option<String> {
    const SAID: usize = 3;
    let said = missing.iter().take(SAID).map(|why| why.split_whitespace().collect::<Vec<_>>().join(" "));
    let said = said.collect::<Vec<_>>().join("; ");
    let more = if missing.len() > SAID { format!("; and {} more", missing.len() - SAID) } else { String::new() };
    (!missing.is_empty()).then(|| format!("{} of {of} snapshots were not examined: {said}{more}", missing.len()))
}

/// The result of one point. `None`: a sweep did not come to it, or could read nothing of it.
fn point(pairs: &[Pair<'_>], is_sweep: bool) -> Option<VerifyResult> {
    let (first, _) = pairs.first()?;
    let found: Vec<(&Examination, &Findings)> = pairs.iter().filter_map(findings).collect();
    if found.is_empty() && is_sweep {
        return None;
    }
    let set = set(first, &found);
    let Comparison { spread, best_member, mut warnings } = compare(first, &found, &set);
    let missing: Vec<String> = pairs.iter().filter_map(|pair| missing(pair, false)).collect();
    let outcome = if missing.is_empty() { Outcome::Verified } else { Outcome::Incomplete };
    warnings.extend(pairs.iter().filter_map(tag_warning));
    warnings.extend(missing);
    // One of several says nothing of the others.
    let compared = first.members.len() == 1 || found.iter().filter(|(one, _)| !one.surplus).count() > 1;
    Some(VerifyResult {
        outcome,
        cluster: first.lineage.of.cluster.clone(),
        etcd_cluster: first.lineage.of.etcd_cluster.clone(),
        recovery_point: first.slot,
        members: found.iter().map(|(examination, findings)| member(examination, findings)).collect(),
        set,
        spread,
        best_member: best_member.filter(|_| compared),
        warnings,
    })
}

/// The point's set: what was known of its members before, and what this run found of them.
fn set(of: &Examination, found: &[(&Examination, &Findings)]) -> Set {
    let mut members = of.members.clone();
    for (one, findings) in found.iter().filter(|(one, _)| !one.surplus) {
        members.insert(one.lineage.member.clone(), findings.position());
    }
    let members: Vec<_> = members.iter().map(|(member, position)| (member, position.clone())).collect();
    Set::of(of.members.len(), members)
}

fn findings<'a>((examination, outcome): &Pair<'a>) -> Option<(&'a Examination, &'a Findings)> {
    match outcome {
        Examined::Found { findings, .. } => Some((examination, findings)),
        Examined::Failed(_) | Examined::Left => None,
    }
}

/// Where the snapshot does not bear what was found.
fn tag_warning((examination, outcome): &Pair<'_>) -> Option<String> {
    let Examined::Found { findings, unwritten } = outcome else { return None };
    let snapshot = &examination.snapshot;
    if examination.keeps_corrupt(findings) {
        return Some(format!(
            "{snapshot} was found corrupt before, and stays marked so: only an examination with `deep` takes that back"
        ));
    }
    unwritten.as_ref().map(|why| format!("{snapshot} could not be marked `{}`: {why}", findings.verdict))
}

fn member(examination: &Examination, findings: &Findings) -> MemberReport {
    MemberReport {
        member: examination.lineage.member.clone(),
        snapshot: examination.snapshot.clone(),
        findings: findings.clone(),
    }
}
