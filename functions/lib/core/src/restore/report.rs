//! From a plan, and what became of it, to the answer.

use std::collections::{BTreeMap, BTreeSet};

use super::acceptance::Acceptance;
use super::apply_event;
use super::check::Made;
use super::event::{Event, Mode};
use super::parking::discovery;
use super::plan::{EmptiedPlan, MemberPlan, MemberState, RestorePlan};
use super::result::{MemberReport, Outcome, RestoreResult, StepName, StepState};
use super::steps::steps;
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

    pub(super) fn state(&self, name: StepName, member: Option<&Member>, before: bool) -> StepState {
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
    let done = Done { made: plan.made(), ..Done::default() };
    let mut result = report(plan, &done, Outcome::Planned, plan.stages.len());
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
    // What goes on with a restore whose first stage is tagged is the next one.
    let next = plan.then.as_ref().filter(|_| plan.is_done()).unwrap_or(&plan.apply);
    result.apply = plan.refusals.is_empty().then(|| next.clone());
    result.stages = (plan.cut_over && plan.members.len() > 1).then(|| plan.stages.clone());
    result.undo = None;
    result
}

/// The answer to an apply that went through.
#[must_use]
pub fn report_applied(plan: &RestorePlan, done: &Done) -> RestoreResult {
    let mut result = report(plan, done, Outcome::Applied, plan.stage);
    result.next_steps.clone_from(&plan.steps_after);
    let is_last = plan.members.iter().all(|member| member.stage <= plan.stage || member.state == MemberState::Live);
    result.then = plan.then.clone().filter(|_| !is_last);
    count_stages(plan, &mut result);
    result.warnings.extend(not_accepted(done));
    result
}

pub(super) fn not_accepted(done: &Done) -> Option<String> {
    let Acceptance { protokube, etcd_manager, kops } = done.acceptance.as_ref().filter(|said| !said.is_ok())?;
    Some(format!(
        "the volumes are not accepted as they are: protokube: {protokube}; etcd-manager: {etcd_manager}; kops: {kops}"
    ))
}

/// The answer to an apply that stopped on the way.
#[must_use]
pub fn report_interrupted(plan: &RestorePlan, done: &Done) -> RestoreResult {
    let mut result = report(plan, done, Outcome::Interrupted, plan.stage);
    count_stages(plan, &mut result);
    result
}

fn count_stages(plan: &RestorePlan, result: &mut RestoreResult) {
    if plan.cut_over {
        result.stage = Some(plan.stage);
        result.of_stages = Some(plan.stages.len());
    }
}

/// `up_to`: the last stage whose steps are told.
fn report(plan: &RestorePlan, done: &Done, outcome: Outcome, up_to: usize) -> RestoreResult {
    let member = |one: &MemberPlan| MemberReport {
        member: one.lineage.member.clone(),
        snapshot: Some(one.new.snapshot.clone()),
        owner: Some(one.owner.clone()),
        zone: Some(one.new.zone.clone()),
        old_volume: one.old.first().or(one.retired.first()).cloned(),
        new_volume: done.made.get(&one.lineage.member).cloned(),
        stage: plan.cut_over.then_some(one.stage),
    };
    let emptied = |one: &EmptiedPlan| MemberReport {
        member: one.lineage.member.clone(),
        snapshot: None,
        owner: None,
        zone: None,
        old_volume: one.old.first().or(one.retired.first()).cloned(),
        new_volume: None,
        stage: None,
    };
    RestoreResult {
        outcome,
        cluster: plan.of.cluster.clone(),
        etcd_cluster: plan.of.etcd_cluster.clone(),
        recovery_point: plan.slot,
        skew_ms: plan.skew.map(|skew| skew.as_millis()),
        set: plan.set.clone(),
        stages: None,
        stage: None,
        of_stages: None,
        members: plan.members.iter().map(member).chain(plan.emptied.iter().map(emptied)).collect(),
        steps: steps(plan, done, up_to),
        acceptance: done.acceptance.clone(),
        refusals: Vec::new(),
        next_steps: Vec::new(),
        warnings: plan.warnings.clone(),
        apply: None,
        then: None,
        undo: undo_event(plan, &done.made),
    }
}

/// Nothing to take back while there is no volume, or where it is nobody's.
fn undo_event(plan: &RestorePlan, made: &Made) -> Option<Event> {
    let volumes = made.iter().map(|(member, volume)| (member.to_string(), volume.to_string()));
    (plan.cut_over && !made.is_empty()).then(|| undo_of(&plan.of, volumes.collect(), &plan.retire))
}

pub(super) fn undo_of(of: &EtcdClusterId, volumes: BTreeMap<String, String>, old: &BTreeSet<VolumeId>) -> Event {
    Event {
        mode: Some(Mode::Undo),
        cluster: Some(of.cluster.to_string()),
        etcd_cluster: Some(of.etcd_cluster.to_string()),
        volumes: Some(volumes),
        old_volumes: Some(apply_event::volumes(old)),
        ..Event::default()
    }
}
