//! Fewer members, accepted once: they stay accepted while the policy thins the points, hour by hour.

use jiff::{SignedDuration, Timestamp};

use super::super::{BackupPlan, NewSnapshot, Observed, Request, Settings, plan};
use super::plans::{in_words, three_volumes};
use crate::ids::SnapshotId;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::volume::Volume;

/// What EC2 has, and the runs' settings.
struct Account {
    volumes: Vec<Volume>,
    snapshots: Vec<Snapshot>,
    settings: Settings,
}

impl Account {
    /// Of three members, backed up for two days.
    fn of_three(retention: &str) -> Self {
        let mut account =
            Self { volumes: three_volumes(), snapshots: Vec::new(), settings: Settings::retention(retention) };
        for hour in 0..48 {
            account.succeeds(hour);
        }
        account
    }

    /// All tags name these members alone from now on.
    fn shrinks_to(&mut self, members: &[&str]) {
        let volume = |member: &&str| {
            Volume::of_member(member).tagged("k8s.io/etcd/main", &format!("{member}/{}", members.join(",")))
        };
        self.volumes = members.iter().map(volume).collect();
    }

    /// A run by hand at twenty past that hour.
    fn accepted(&mut self, hour: i64) {
        let request = Request { accept_members: true, ..Request::by_hand("accepts") };
        self.run(&request, time(hour) + SignedDuration::from_mins(20));
    }

    fn scheduled(&mut self, hour: i64) -> BackupPlan {
        self.run(&Request::scheduled(&time(hour).to_string()), time(hour) + SignedDuration::from_secs(9))
    }

    fn succeeds(&mut self, hour: i64) {
        let words = in_words(&self.scheduled(hour));
        assert!(words.iter().all(|line| line.ends_with(" create")), "hour {hour}: {words:?}");
    }

    fn run(&mut self, request: &Request, now: Timestamp) -> BackupPlan {
        let observed =
            Observed { volumes: self.volumes.clone(), snapshots: self.snapshots.clone(), ..Observed::default() };
        let plan = plan(&observed, request, &self.settings, now);
        for of in &plan.etcd_clusters {
            self.snapshots.extend(of.new_snapshots().map(|(_, new)| completed(new, now)));
            self.snapshots.retain(|one| !of.prune.deletions.iter().any(|deletion| deletion.snapshot == one.id));
        }
        plan
    }

    /// How many snapshots there are that say so.
    fn accepting(&self) -> usize {
        self.snapshots.iter().filter(|one| one.ours().is_some_and(|ours| ours.accepts_members)).count()
    }
}

fn time(hour: i64) -> Timestamp {
    "2026-11-02T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(hour)
}

fn completed(new: &NewSnapshot, started: Timestamp) -> Snapshot {
    Snapshot {
        id: SnapshotId::parse(&format!("snap-{}-{}", new.lineage.member, new.slot)).expect("an id"),
        volume: new.volume.clone(),
        state: SnapshotState::Completed,
        state_message: None,
        started,
        size_gib: 20,
        encrypted: true,
        kms_key: None,
        archived: false,
        description: new.description.to_string(),
        own: true,
        owner: "123456789012".to_owned(),
        tags: new.tags.clone(),
    }
}

#[test]
fn what_was_accepted_stays_accepted_when_the_policy_thins_the_points() {
    for retention in ["keep-last=3,keep-hourly=24,keep-daily=7,keep-weekly=4,keep-monthly=12", "keep-daily=7"] {
        let mut account = Account::of_three(retention);
        account.shrinks_to(&["a", "b"]);
        account.accepted(48);
        for hour in 49..49 + 8 * 24 {
            account.succeeds(hour);
        }
    }
}

#[test]
fn the_point_that_accepted_goes_when_nothing_larger_is_left() {
    let mut account = Account::of_three("keep-hourly=24,keep-daily=3");
    account.shrinks_to(&["a", "b"]);
    account.accepted(48);
    account.succeeds(49);
    assert_eq!(account.accepting(), 2);
    for hour in 50..50 + 5 * 24 {
        account.succeeds(hour);
    }
    assert_eq!(account.accepting(), 0);
}

#[test]
fn still_fewer_members_are_not_accepted() {
    let mut account = Account::of_three("keep-hourly=24,keep-daily=7");
    account.shrinks_to(&["a", "b"]);
    account.accepted(48);
    account.succeeds(49);
    account.shrinks_to(&["a"]);
    for hour in 50..74 {
        let plan = account.scheduled(hour);
        let words = in_words(&plan);
        assert!(words[1].contains("MembersShrunk"), "{words:?}");
        assert_eq!(plan.etcd_clusters[0].prune.deletions, []);
    }
}
