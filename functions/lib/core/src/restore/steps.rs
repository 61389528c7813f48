//! The steps of a restore in its answer: what is done, in order, and how far it is.

use super::plan::{MemberState, RestorePlan};
use super::report::Done;
use super::result::{StepName, StepReport, StepState};
use crate::ids::{Member, VolumeId};

/// The steps up to that stage.
pub(super) fn steps(plan: &RestorePlan, done: &Done, up_to: usize) -> Vec<StepReport> {
    let mut steps = Vec::new();
    for (name, from) in [(StepName::Create, MemberState::Creating), (StepName::Wait, MemberState::Available)] {
        for one in &plan.members {
            let member = &one.lineage.member;
            let state = done.state(name, Some(member), one.state >= from);
            steps.push(step(name, Some(member), done.made.get(member), state));
        }
    }
    if !plan.cut_over {
        return steps;
    }
    let replaced = plan.members.iter().map(|one| (&one.lineage.member, &one.old, &one.retired));
    let emptied = plan.emptied.iter().map(|one| (&one.lineage.member, &one.old, &one.retired));
    for (member, old, retired) in replaced.chain(emptied) {
        let state = done.state(StepName::Retire, Some(member), false);
        let retired = retired.iter().map(|volume| (volume, StepState::Already));
        let all = retired.chain(old.iter().map(|volume| (volume, state)));
        steps.extend(all.map(|(volume, state)| step(StepName::Retire, Some(member), Some(volume), state)));
    }
    for stage in 1..=up_to {
        steps.extend(of_stage(plan, done, stage));
    }
    steps
}

fn of_stage(plan: &RestorePlan, done: &Done, stage: usize) -> Vec<StepReport> {
    // What this run does says nothing of another stage.
    let how_far = |name, member: Option<&Member>, before| match (stage == plan.stage, before) {
        (true, _) => done.state(name, member, before),
        (false, true) => StepState::Already,
        (false, false) => StepState::Planned,
    };
    let mut steps = Vec::new();
    for one in plan.members.iter().filter(|one| one.stage == stage) {
        let member = &one.lineage.member;
        let tagged = how_far(StepName::Tag, Some(member), one.state == MemberState::Live);
        steps.push(step(StepName::Tag, Some(member), done.made.get(member), tagged));
    }
    let is_live = plan.members.iter().all(|one| one.stage > stage || one.state == MemberState::Live);
    let accepted = if stage == plan.stage { plan.is_done() } else { is_live };
    steps.push(step(StepName::Accept, None, None, how_far(StepName::Accept, None, accepted)));
    if plan.stages.len() > 1 {
        for step in &mut steps {
            step.stage = Some(stage);
        }
    }
    steps
}

pub(super) fn step(step: StepName, member: Option<&Member>, volume: Option<&VolumeId>, state: StepState) -> StepReport {
    StepReport {
        step,
        member: member.cloned(),
        volume: volume.cloned(),
        stage: None,
        state,
        settings: None,
        tags: None,
    }
}
