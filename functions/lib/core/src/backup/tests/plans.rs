//! Plans made of fixtures, and put into words: one line a member.

use super::super::{BackupPlan, MemberPlan, Observed, Request, Settings, Step, plan};
use super::fixtures::MEMBERS;
use crate::snapshot::Snapshot;
use crate::volume::Volume;

/// When the runs of the tables happen, and their slot.
pub(super) const NOW: &str = "2026-11-23T02:00:40Z";
pub(super) const SLOT: &str = "2026-11-23T02:00:00Z";

/// The attached volumes of members a, b and c.
pub(super) fn three_volumes() -> Vec<Volume> {
    MEMBERS.map(Volume::of_member).to_vec()
}

/// The plan of a request, by `keep-last=1`.
pub(super) fn planned(request: &Request, volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> BackupPlan {
    let observed = Observed { volumes, snapshots, ..Observed::default() };
    plan(&observed, request, &Settings::retention("keep-last=1"), NOW.parse().expect("a time"))
}

/// The plan of the scheduled run over everything.
pub(super) fn scheduled(volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> BackupPlan {
    planned(&Request::scheduled(SLOT), volumes, snapshots)
}

/// `main: a vol-a create`, or `main: c vol-c nothing: <finding>`; `-` for what is not known.
pub(super) fn in_words(plan: &BackupPlan) -> Vec<String> {
    let lines = plan.etcd_clusters.iter().flat_map(|of| of.members.iter().map(move |member| (of, member)));
    lines.map(|(of, member)| format!("{}: {}", of.of.etcd_cluster, words(member))).collect()
}

fn words(plan: &MemberPlan) -> String {
    let member = plan.member.as_ref().map_or("-", |member| member.as_str());
    let volume = plan.volume.as_ref().map_or("-", |volume| volume.as_str());
    let step = match &plan.step {
        Step::Create(_) => "create".to_owned(),
        Step::Existing(taken) => format!("existing {}", taken.snapshot),
        Step::Nothing => "nothing".to_owned(),
    };
    let finding = plan.finding.as_ref().map(|finding| format!(": {finding}")).unwrap_or_default();
    format!("{member} {volume} {step}{finding}")
}
