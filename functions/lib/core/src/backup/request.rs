//! What is asked of a run, and how it is set up.

use jiff::{SignedDuration, Timestamp};

use crate::marks::{Description, digest};
use crate::retention::Policy;
use crate::scope::Scope;
use crate::slot::{Period, Slot};
use crate::tags::Tags;

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The schedule, at that scheduled time. Believed however old: a retry comes late.
    Schedule(Timestamp),
    /// A person, now.
    Manual,
}

impl Trigger {
    /// The value of the tag `etcd-backup/trigger`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Schedule(_) => "schedule",
            Self::Manual => "manual",
        }
    }
}

/// One run, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the event by its own name")]
pub struct Request {
    /// The invocation's id, the same when the invocation is delivered again. Written into the description of every
    /// snapshot, where a redelivery finds it.
    pub id: String,
    /// What started it.
    pub trigger: Trigger,
    /// What it is about.
    pub scope: Scope,
    /// Pin what it takes.
    pub keep: bool,
    /// Prune, if the settings do.
    pub prune: bool,
    /// An etcd cluster that has fewer members than before has them on purpose.
    pub accept_members: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

impl Request {
    /// The slot that the run works on: the scheduled time's, or by hand the moment of invocation, to the second.
    #[must_use]
    pub fn slot(&self, settings: &Settings, now: Timestamp) -> Slot {
        match self.trigger {
            Trigger::Schedule(time) => settings.period.slot(time),
            Trigger::Manual => Slot::at(now),
        }
    }

    /// The description of a snapshot that this run takes with these tags.
    #[must_use]
    pub fn description(&self, tags: &Tags) -> Description {
        Description { request: self.id.clone(), marks: digest(tags), accepts_members: self.accept_members }
    }
}

/// How the function is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `RETENTION`.
    pub policy: Policy,
    /// `PRUNE`.
    pub prune: bool,
    /// `SLOT`.
    pub period: Period,
    /// `MAX_PRUNE`: most snapshots deleted per etcd cluster and run.
    pub max_prune: usize,
    /// `MAX_SKEW`: a point with a larger skew is skewed.
    pub max_skew: SignedDuration,
}
