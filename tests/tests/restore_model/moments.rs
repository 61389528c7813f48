//! What each call changed, one after the other, and what the function had been shown before it.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::ledger::claims;
use scenarios::observed::{Call, Volume};
use scenarios::tags::Tags;

use super::world::{CLUSTER, MEMBERS};

/// The volumes at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    pub(super) tags: BTreeMap<String, Tags>,
    pub(super) attached: BTreeSet<String>,
    /// Those that cannot be used yet, or never.
    pub(super) unusable: BTreeSet<String>,
}

/// A change by the function.
pub(super) struct Change {
    pub(super) action: String,
    pub(super) volume: String,
    pub(super) before: Moment,
    pub(super) after: Moment,
    /// When the function began to look, the last time before it changed anything.
    pub(super) seen: Moment,
}

/// How EC2 makes volumes during a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Making {
    /// When those that were being made could be used, in seconds since 1970; `None`: all at once.
    pub(super) settled: Option<f64>,
    /// The one that failed.
    pub(super) failed: Option<String>,
}

impl Moment {
    pub(super) fn of(volumes: &[Volume]) -> Self {
        let ids = |is: fn(&Volume) -> bool| volumes.iter().filter(|one| is(one)).map(|one| one.id.clone()).collect();
        Self {
            tags: volumes.iter().map(|volume| (volume.id.clone(), volume.tags.clone())).collect(),
            attached: ids(|volume| volume.instance.is_some()),
            unusable: ids(|volume| !["available", "in-use"].contains(&volume.state.as_str())),
        }
    }

    /// The volumes that protokube or etcd-manager would take for the member.
    pub(super) fn claimants(&self, member: &str) -> Vec<&str> {
        self.tags.keys().map(String::as_str).filter(|id| self.claims(id, member)).collect()
    }

    pub(super) fn claims(&self, volume: &str, member: &str) -> bool {
        self.tags.get(volume).is_some_and(|tags| claims(tags, CLUSTER, "main", member))
    }

    /// The member that the volume is taken for.
    pub(super) fn member(&self, volume: &str) -> Option<&'static str> {
        MEMBERS.into_iter().find(|member| self.claims(volume, member))
    }

    pub(super) fn tag(&self, volume: &str, key: &str) -> Option<&str> {
        self.tags.get(volume)?.get(key).map(String::as_str)
    }

    pub(super) fn is_retired(&self, volume: &str) -> bool {
        self.tag(volume, "etcd-backup/retired-at").is_some()
    }

    /// The state after these calls, and the changes that the function made.
    pub(super) fn replay(self, calls: &[Call], making: &Making) -> (Self, Vec<Change>) {
        let mut in_order: Vec<&Call> = calls.iter().filter(|call| call.performed).collect();
        // A call that hung on its way was carried out when it was answered.
        let ended = |call: &Call| call.ended.unwrap_or(f64::MAX);
        in_order.sort_by(|one, other| ended(one).total_cmp(&ended(other)));
        let unusable_at_first = self.unusable.clone();
        let (mut now, mut seen, mut changes) = (self.clone(), self, Vec::new());
        let mut is_looking = false;
        for call in in_order.into_iter().filter(|call| call.error.is_none()) {
            if making.settled.is_some_and(|settled| ended(call) > settled) {
                now.unusable = unusable_at_first.iter().chain(&making.failed).cloned().collect();
            }
            if call.action.starts_with("Describe") {
                if !is_looking {
                    seen = now.clone();
                }
                is_looking = true;
                continue;
            }
            let before = now.clone();
            let volume = now.change(call, making.settled.is_none());
            // What is made of no snapshot, attached or deleted is somebody else's doing.
            let is_own = ["CreateTags", "DeleteTags"].contains(&call.action.as_str())
                || (call.action == "CreateVolume" && call.param("SnapshotId").is_some());
            if is_own {
                is_looking = false;
                let (action, after, seen) = (call.action.clone(), now.clone(), seen.clone());
                changes.push(Change { action, volume, before, after, seen });
            }
        }
        (now, changes)
    }

    /// Gives the volume.
    fn change(&mut self, call: &Call, made_at_once: bool) -> String {
        let field = |name: &str| call.param(name).unwrap_or_default().to_owned();
        match call.action.as_str() {
            "CreateVolume" => {
                let made = call.made.clone().expect("a volume was made");
                if !self.tags.contains_key(&made) {
                    self.tags.insert(made.clone(), call.tags());
                    if !made_at_once && call.param("SnapshotId").is_some() {
                        self.unusable.insert(made.clone());
                    }
                }
                made
            }
            "CreateTags" => {
                let volume = field("ResourceId.1");
                self.tags.entry(volume.clone()).or_default().extend(call.tags());
                volume
            }
            "DeleteTags" => {
                let volume = field("ResourceId.1");
                let taken = call.tags();
                self.tags.entry(volume.clone()).or_default().retain(|key, value| taken.get(key) != Some(value));
                volume
            }
            "AttachVolume" => {
                self.attached.insert(field("VolumeId"));
                field("VolumeId")
            }
            _ => String::new(),
        }
    }
}
