//! From an undo's plan, and what became of it, to the answer.

use super::report::{Done, not_accepted, undo_of};
use super::result::{MemberReport, Outcome, RestoreResult, StepName, StepReport};
use super::steps::step;
use super::undo::{UndoMember, UndoPlan};

/// The answer to an undo. `interrupted`: it stopped on the way, and the same event goes on.
#[must_use]
pub fn report_undo(plan: &UndoPlan, done: &Done, interrupted: bool) -> RestoreResult {
    let member = |one: &UndoMember| MemberReport {
        member: one.lineage.member.clone(),
        snapshot: one.made_from.as_ref().map(|(snapshot, _)| snapshot.clone()),
        owner: None,
        zone: one.old.first().map(|(_, zone)| zone).or(one.made_from.as_ref().map(|(_, zone)| zone)).cloned(),
        old_volume: one.old.first().map(|(old, _)| old.clone()),
        new_volume: one.new.clone(),
        stage: None,
    };
    let mut steps: Vec<StepReport> = Vec::new();
    for one in &plan.members {
        let member = &one.lineage.member;
        let state = done.state(StepName::Retire, Some(member), !one.retire);
        steps.extend(one.new.iter().map(|new| step(StepName::Retire, Some(member), Some(new), state)));
    }
    for one in &plan.members {
        let member = &one.lineage.member;
        for (old, _) in &one.old {
            steps.push(step(StepName::Tag, Some(member), Some(old), done.state(StepName::Tag, Some(member), false)));
        }
    }
    steps.push(step(StepName::Accept, None, None, done.state(StepName::Accept, None, false)));
    let volumes = plan.named.iter().map(|(member, volume)| (member.to_string(), volume.to_string()));
    RestoreResult {
        outcome: if interrupted { Outcome::Interrupted } else { Outcome::Undone },
        cluster: plan.of.cluster.clone(),
        etcd_cluster: plan.of.etcd_cluster.clone(),
        recovery_point: None,
        skew_ms: None,
        set: None,
        stages: None,
        stage: None,
        of_stages: None,
        members: plan.members.iter().map(member).collect(),
        steps,
        acceptance: done.acceptance.clone(),
        refusals: Vec::new(),
        next_steps: if interrupted { Vec::new() } else { plan.steps_after.clone() },
        warnings: plan.warnings.iter().cloned().chain(not_accepted(done)).collect(),
        apply: None,
        then: None,
        undo: interrupted.then(|| undo_of(&plan.of, volumes.collect(), &plan.named_old)),
    }
}
