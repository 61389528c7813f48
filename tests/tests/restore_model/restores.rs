//! What the model knows of a restore.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::tags::Tags;
use serde_json::{Value, json};

use super::moments::Moment;
use super::world::{CLUSTER, MEMBERS};

/// A restore that was planned.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the event, or something that happened")]
pub(super) struct Restore {
    pub(super) id: String,
    /// Of which point.
    pub(super) point: usize,
    /// The members that are restored, and those that join empty.
    pub(super) members: Vec<&'static str>,
    pub(super) emptied: Vec<&'static str>,
    pub(super) stages: Vec<Vec<String>>,
    pub(super) is_for_inspection: bool,
    pub(super) allow_attached: bool,
    pub(super) replace: bool,
    pub(super) apply: Value,
    /// The event of the second stage, as an answer gave it.
    pub(super) then: Option<Value>,
    /// The volumes that it made, by member.
    pub(super) made: BTreeMap<String, String>,
    /// The volumes that claimed its members, as they were before it touched them.
    pub(super) before: BTreeMap<String, Tags>,
    /// Those of them that it has marked.
    pub(super) retired: BTreeSet<String>,
    /// Whether it was ever told to be applied, as far as its stages went.
    pub(super) has_applied: bool,
}

impl Restore {
    /// From the answer to a plan, which can be applied.
    pub(super) fn planned(plan: &Value, point: usize, emptied: Vec<&'static str>, replace: bool) -> Self {
        let apply = plan["apply"].clone();
        let of_answer = |member: &Value| MEMBERS.into_iter().find(|one| *one == member["member"]);
        let members = plan["members"].as_array().unwrap().iter().filter_map(of_answer);
        let stage = |stage: &Value| {
            let members = stage.as_array().unwrap().iter();
            members.map(|member| member.as_str().unwrap().to_owned()).collect()
        };
        Self {
            id: apply["id"].as_str().unwrap().to_owned(),
            point,
            members: members.filter(|member| !emptied.contains(member)).collect(),
            emptied,
            stages: plan["stages"].as_array().into_iter().flatten().map(stage).collect(),
            is_for_inspection: apply["cut_over"] == false,
            allow_attached: apply["allow_attached"] == true,
            replace,
            apply,
            then: None,
            made: BTreeMap::new(),
            before: BTreeMap::new(),
            retired: BTreeSet::new(),
            has_applied: false,
        }
    }

    /// Whether it is of the whole etcd cluster, so that members of before must not meet its own.
    pub(super) fn is_whole(&self) -> bool {
        self.members.len() + self.emptied.len() == MEMBERS.len()
    }

    pub(super) fn has_made(&self, volume: &str) -> bool {
        self.made.values().any(|made| made == volume)
    }

    pub(super) fn undo(&self) -> Value {
        json!({"mode": "undo", "cluster": CLUSTER, "etcd_cluster": "main", "volumes": self.made,
            "old_volumes": self.apply["retire"]})
    }

    /// From 1.
    pub(super) fn stage_of(&self, member: &str) -> usize {
        let at = self.stages.iter().position(|stage| stage.iter().any(|one| one == member));
        at.map_or(1, |at| at + 1)
    }

    /// The volumes of the members of these stages.
    pub(super) fn made_up_to(&self, stage: usize) -> impl Iterator<Item = (&str, &str)> {
        let made = self.made.iter().map(|(member, volume)| (member.as_str(), volume.as_str()));
        made.filter(move |(member, _)| self.stage_of(member) <= stage)
    }

    /// Its volumes that are still marked as its own, and wait to be the members'.
    pub(super) fn waiting<'a>(&'a self, now: &'a Moment) -> impl Iterator<Item = (&'a str, &'a str)> {
        let waits = |volume: &str| {
            let is_marked = now.tag(volume, "etcd-backup/restore").is_some();
            is_marked && !now.is_retired(volume) && !now.unusable.contains(volume)
        };
        self.made_up_to(usize::MAX).filter(move |(_, volume)| !self.is_for_inspection && waits(volume))
    }

    /// Whether one of its volumes was taken back, has failed or is gone: then its event goes on no more.
    pub(super) fn is_over(&self, now: &Moment) -> bool {
        let is_lost =
            |volume: &String| !now.tags.contains_key(volume) || now.is_retired(volume) || now.unusable.contains(volume);
        self.made.values().any(is_lost)
    }
}
