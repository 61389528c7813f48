//! From a plan, and what became of it, to the answer.

use std::collections::BTreeSet;

use super::acceptance::Acceptance;
use super::check::Made;
use super::event::{Event, Mode};
use super::parking::discovery;
use super::plan::{MemberPlan, MemberState, RestorePlan};
use super::result::{MemberReport, Outcome, RestoreResult, StepName, StepReport, StepState};
use super::undo::{UndoMember, UndoPlan};
use crate::ids::{EtcdClusterId, Member, VolumeId};
use crate::volume::Volume;

/// What a run has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// The new volumes there are, whoever made them.
    pub made: Made,
    /// The steps that this run took; those for which it made no call are not among them.
    pub steps: BTreeSet<(StepName, Option<Member>)>,
    /// How far it came: every step up to this one is behind it.
    pub passed: Option<StepName>,
    /// What the three programs find.
    pub acceptance: Option<Acceptance>,
}

impl Done {
    /// This run has taken a step.
    pub fn step(&mut self, name: StepName, member: &Member) {
        self.steps.insert((name, Some(member.clone())));
    }

    fn state(&self, name: StepName, member: Option<&Member>, before: bool) -> StepState {
        if self.steps.contains(&(name, member.cloned())) {
            StepState::Done
        } else if before || self.passed >= Some(name) {
            StepState::Already
        } else {
            StepState::Planned
        }
    }
}

/// The answer to a plan.
#[must_use]
pub fn report_plan(plan: &RestorePlan, volumes: &[Volume]) -> RestoreResult {
    let mut result = report(plan, &Done { made: plan.made(), ..Done::default() }, Outcome::Planned);
    for step in &mut result.steps {
        let planned = plan.members.iter().find(|one| step.member.as_ref() == Some(&one.lineage.member));
        match (step.step, planned) {
            (StepName::Create, Some(member)) => step.settings = Some(member.new.settings.clone()),
            (StepName::Tag, Some(member)) => step.tags = Some(member.full.clone()),
            (StepName::Retire, _) => {
                let volume = volumes.iter().find(|volume| step.volume.as_ref() == Some(&volume.id));
                step.tags = volume.map(|volume| discovery(&volume.tags));
            }
            _ => {}
        }
    }
    result.acceptance = plan.cut_over.then(|| plan.forecast.clone());
    result.next_steps = plan.steps_before.iter().chain(&plan.steps_after).cloned().collect();
    result.refusals.clone_from(&plan.refusals);
    result.apply = plan.refusals.is_empty().then(|| plan.apply.clone());
    result.undo = None;
    result
}

/// The answer to an apply that went through.
#[must_use]
pub fn report_applied(plan: &RestorePlan, done: &Done) -> RestoreResult {
    let mut result = report(plan, done, Outcome::Applied);
    result.next_steps.clone_from(&plan.steps_after);
    result.warnings.extend(not_accepted(done));
    result
}

fn not_accepted(done: &Done) -> Option<String> {
    let Acceptance { protokube, etcd_manager, kops } = done.acceptance.as_ref().filter(|said| !said.is_ok())?;
    Some(format!(
        "the volumes are not accepted as they are: protokube: {protokube}; etcd-manager: {etcd_manager}; kops: {kops}"
    ))
}

/// The answer to an apply that stopped on the way.
#[must_use]
pub fn report_interrupted(plan: &RestorePlan, done: &Done) -> RestoreResult {
    report(plan, done, Outcome::Interrupted)
}

fn report(plan: &RestorePlan, done: &Done, outcome: Outcome) -> RestoreResult {
    let member = |one: &MemberPlan| MemberReport {
        member: one.lineage.member.clone(),
        snapshot: Some(one.new.snapshot.clone()),
        zone: Some(one.new.zone.clone()),
        old_volume: one.old.first().or(one.retired.first()).cloned(),
        new_volume: done.made.get(&one.lineage.member).cloned(),
    };
    RestoreResult {
        outcome,
        cluster: plan.of.cluster.clone(),
        etcd_cluster: plan.of.etcd_cluster.clone(),
        recovery_point: plan.slot,
        skew_ms: plan.skew.map(|skew| skew.as_millis()),
        members: plan.members.iter().map(member).collect(),
        steps: steps(plan, done),
        acceptance: done.acceptance.clone(),
        refusals: Vec::new(),
        next_steps: Vec::new(),
        warnings: plan.warnings.clone(),
        apply: None,
        undo: undo_event(plan, &done.made),
    }
}

fn steps(plan: &RestorePlan, done: &Done) -> Vec<StepReport> {
    let mut steps = Vec::new();
    let each = |name: StepName, from: MemberState, steps: &mut Vec<StepReport>| {
        for one in &plan.members {
            let member = &one.lineage.member;
            let state = done.state(name, Some(member), one.state >= from);
            steps.push(step(name, Some(member), done.made.get(member), state));
        }
    };
    each(StepName::Create, MemberState::Creating, &mut steps);
    each(StepName::Wait, MemberState::Available, &mut steps);
    if !plan.cut_over {
        return steps;
    }
    for one in &plan.members {
        let member = &one.lineage.member;
        for volume in &one.retired {
            steps.push(step(StepName::Retire, Some(member), Some(volume), StepState::Already));
        }
        for volume in &one.old {
            steps.push(step(
                StepName::Retire,
                Some(member),
                Some(volume),
                done.state(StepName::Retire, Some(member), false),
            ));
        }
    }
    each(StepName::Tag, MemberState::Live, &mut steps);
    steps.push(step(StepName::Accept, None, None, done.state(StepName::Accept, None, plan.is_done())));
    steps
}

fn step(step: StepName, member: Option<&Member>, volume: Option<&VolumeId>, state: StepState) -> StepReport {
    StepReport { step, member: member.cloned(), volume: volume.cloned(), state, settings: None, tags: None }
}

/// Nothing to take back while there is no volume, or where it is nobody's.
fn undo_event(plan: &RestorePlan, made: &Made) -> Option<Event> {
    let volumes = made.iter().map(|(member, volume)| (member.to_string(), volume.to_string()));
    (plan.cut_over && !made.is_empty()).then(|| undo_of(&plan.of, volumes.collect()))
}

fn undo_of(of: &EtcdClusterId, volumes: std::collections::BTreeMap<String, String>) -> Event {
    Event {
        mode: Some(Mode::Undo),
        cluster: Some(of.cluster.to_string()),
        etcd_cluster: Some(of.etcd_cluster.to_string()),
        volumes: Some(volumes),
        ..Event::default()
    }
}

/// The answer to an undo. `interrupted`: it stopped on the way, and the same event goes on.
#[must_use]
pub fn report_undo(plan: &UndoPlan, done: &Done, interrupted: bool) -> RestoreResult {
    let member = |one: &UndoMember| MemberReport {
        member: one.lineage.member.clone(),
        snapshot: one.made_from.as_ref().map(|(snapshot, _)| snapshot.clone()),
        zone: one.old.first().map(|(_, zone)| zone).or(one.made_from.as_ref().map(|(_, zone)| zone)).cloned(),
        old_volume: one.old.first().map(|(old, _)| old.clone()),
        new_volume: Some(one.new.clone()),
    };
    let mut steps: Vec<StepReport> = Vec::new();
    for one in &plan.members {
        let member = &one.lineage.member;
        steps.push(step(
            StepName::Retire,
            Some(member),
            Some(&one.new),
            done.state(StepName::Retire, Some(member), !one.retire),
        ));
    }
    for one in &plan.members {
        let member = &one.lineage.member;
        for (old, _) in &one.old {
            steps.push(step(StepName::Tag, Some(member), Some(old), done.state(StepName::Tag, Some(member), false)));
        }
    }
    steps.push(step(StepName::Accept, None, None, done.state(StepName::Accept, None, false)));
    let volumes = plan.members.iter().map(|one| (one.lineage.member.to_string(), one.new.to_string()));
    RestoreResult {
        outcome: if interrupted { Outcome::Interrupted } else { Outcome::Undone },
        cluster: plan.of.cluster.clone(),
        etcd_cluster: plan.of.etcd_cluster.clone(),
        recovery_point: None,
        skew_ms: None,
        members: plan.members.iter().map(member).collect(),
        steps,
        acceptance: done.acceptance.clone(),
        refusals: Vec::new(),
        next_steps: if interrupted { Vec::new() } else { plan.steps_after.clone() },
        warnings: plan.warnings.iter().cloned().chain(not_accepted(done)).collect(),
        apply: None,
        undo: interrupted.then(|| undo_of(&plan.of, volumes.collect())),
    }
}
