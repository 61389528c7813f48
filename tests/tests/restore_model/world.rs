//! The account, the function's process, and what the model knows of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::TestCaseError;
use scenarios::tags::Tags;
use scenarios::{Account, Function, Kops, RunningFunction};
use serde_json::{Value, json};

use super::moments::Moment;
use super::operations::{Members, Positions, Setup, What};
use super::restores::Restore;
use crate::sequences::{Tally, pick};

pub(super) const CLUSTER: &str = "k8s.example.com";
pub(super) const MEMBERS: [&str; 3] = ["a", "b", "c"];
/// Newest first.
pub(super) const POINTS: [&str; 2] = ["2026-11-23T02:00:00Z", "2026-11-23T01:00:00Z"];

pub(super) struct World<'a> {
    pub(super) account: &'a Account,
    pub(super) setup: &'a Setup,
    pub(super) function: RunningFunction,
    /// Each member's zone, and the tags that kops gives its volume.
    pub(super) places: BTreeMap<&'static str, (String, Tags)>,
    /// The volumes of the beginning, those of another etcd cluster among them.
    pub(super) first: BTreeMap<String, Tags>,
    pub(super) bystanders: Vec<String>,
    /// The snapshots of each point, by member, with what was found of them at first.
    pub(super) snapshots: [BTreeMap<String, (String, Option<String>)>; 2],
    /// Those whose verdict is not what it was at first.
    pub(super) judged: BTreeMap<String, &'static str>,
    /// Oldest first.
    pub(super) restores: Vec<Restore>,
    /// The volumes that others have made, each with when.
    pub(super) foreign: BTreeMap<String, Timestamp>,
    /// Since when each attached volume is.
    pub(super) attached: BTreeMap<String, Timestamp>,
    /// A master in each member's zone.
    pub(super) masters: BTreeMap<&'static str, String>,
    pub(super) devices: u8,
    pub(super) tally: &'a Tally,
}

impl<'a> World<'a> {
    pub(super) async fn new(account: &'a Account, setup: &'a Setup, tally: &'a Tally) -> Self {
        let labels: &[(&str, &str)] =
            if setup.labels { &[("team", "a"), ("Ünusual +-=._:/@", "ä 1:2;3 ")] } else { &[] };
        let kops = Kops::cluster(CLUSTER).cloud_labels(labels.iter().copied());
        let mut cluster = kops.create(account).await;
        let mut snapshots = [BTreeMap::new(), BTreeMap::new()];
        for ((slot, positions), planted) in POINTS.iter().zip(setup.points).zip(&mut snapshots) {
            let point = cluster.past_point("main", slot);
            let ids = match positions {
                Positions::AnyOrder => cluster.verified_point("main", slot).await,
                Positions::InStages => point.that_needs_stages().await,
                Positions::Unknown => point.await,
            };
            for (member, id) in ids {
                let found = account.snapshot(&id).await.unwrap().tags.get("etcd-backup/verified").cloned();
                planted.insert(member, (id, found));
            }
        }
        let of_member = |member| {
            let volume = cluster.get("main", member);
            (member, (volume.zone.clone(), volume.tags.clone()))
        };
        let places: BTreeMap<_, _> = MEMBERS.map(of_member).into();
        if let Some(member) = setup.twin {
            cluster.duplicate("main", MEMBERS[usize::from(member)]).await;
        }
        for (n, member) in setup.lost.iter().enumerate().filter(|(n, member)| !setup.lost[..*n].contains(member)) {
            let _ = n;
            cluster.lose("main", MEMBERS[usize::from(*member)]).await;
        }
        let volumes = account.volumes().await;
        let first: BTreeMap<String, Tags> = volumes.into_iter().map(|volume| (volume.id, volume.tags)).collect();
        let of_events = |tags: &Tags| tags.contains_key("k8s.io/etcd/events");
        let bystanders = first.iter().filter(|(_, tags)| of_events(tags)).map(|(id, _)| id.clone()).collect();
        if let Some(items) = setup.pages_of {
            account.pages_of(items).await;
        }
        Self {
            account,
            setup,
            function: start(account).await,
            places,
            first,
            bystanders,
            snapshots,
            judged: BTreeMap::new(),
            restores: Vec::new(),
            foreign: BTreeMap::new(),
            attached: BTreeMap::new(),
            masters: BTreeMap::new(),
            devices: 0,
            tally,
        }
    }

    pub(super) async fn now(&self) -> Moment {
        Moment::of(&self.account.volumes().await)
    }

    /// The restore that a number chooses, 0 the newest.
    pub(super) fn restore(&self, which: u8) -> Option<usize> {
        let newest_first: Vec<usize> = (0..self.restores.len()).rev().collect();
        pick(&newest_first, which).copied()
    }

    /// The restore that has made this volume.
    pub(super) fn maker(&self, volume: &str) -> Option<&Restore> {
        self.restores.iter().find(|restore| restore.has_made(volume))
    }

    /// Whether a volume has been attached for a minute at least.
    pub(super) fn is_up(&self, volume: &str) -> bool {
        let since = self.attached.get(volume);
        since.is_some_and(|since| Timestamp::now().duration_since(*since) >= SignedDuration::from_secs(60))
    }

    pub(super) async fn restart(&mut self) {
        self.function = start(self.account).await;
    }

    /// A plan changes nothing, and is right about what can be applied.
    pub(super) async fn plan(&mut self, what: &What) -> Result<(), TestCaseError> {
        let (event, emptied) = event(what);
        let answer = self.look(&event).await?;
        let plan = match answer {
            Ok(plan) => plan,
            Err(error) => {
                proptest::prop_assert_eq!(&error.error_type, "NoSuchRecoveryPoint", "{}: {}", event, error);
                let is_latest = event["recovery_point"] == "latest";
                proptest::prop_assert!(is_latest, "{event}: there is such a point: {error}");
                return Ok(());
            }
        };
        proptest::prop_assert_eq!(&plan["outcome"], "planned");
        let point = POINTS.iter().position(|slot| plan["recovery_point"] == *slot).unwrap_or_default();
        if plan["apply"].is_object() && !self.restores.iter().any(|restore| plan["apply"]["id"] == restore.id) {
            let restore = Restore::planned(&plan, point, emptied, what.replace);
            self.check_stages(&restore, what)?;
            self.tally.add(if restore.stages.len() > 1 { "planned in stages" } else { "planned" }, 1);
            self.restores.push(restore);
        } else {
            self.tally.add("plan with refusals", 1);
            self.check_plans_refusals(&plan, &event, &emptied).await?;
        }
        Ok(())
    }

    fn check_stages(&self, restore: &Restore, what: &What) -> Result<(), TestCaseError> {
        let all_in_stages = what.members == Members::All && !what.allow_unordered;
        if all_in_stages && self.setup.points[restore.point] == Positions::InStages {
            proptest::prop_assert_eq!(json!(restore.stages), json!([["c", "a"], ["b"]]), "promise 2: in that order");
        }
        if self.setup.points[restore.point] == Positions::Unknown && restore.members.len() > 1 {
            let may_be = what.allow_unordered || restore.is_for_inspection;
            proptest::prop_assert!(may_be, "promise 2: nobody knows in which order, and all are tagged at once");
        }
        Ok(())
    }
}

pub(super) async fn start(account: &Account) -> RunningFunction {
    Function::named("restore").account(account).start().await
}

/// The event of a plan, and who joins empty.
fn event(what: &What) -> (Value, Vec<&'static str>) {
    let mut event = json!({"cluster": CLUSTER, "etcd_cluster": "main"});
    event["recovery_point"] = json!(["latest", POINTS[0], POINTS[1]][usize::from(what.point)]);
    let mut emptied = Vec::new();
    match what.members {
        Members::All => {}
        Members::One(member) => {
            event["members"] = json!([MEMBERS[usize::from(member)]]);
            event["allow_rollback"] = json!(true);
        }
        Members::AllBut(member) => {
            let left_out = MEMBERS[usize::from(member)];
            event["members"] = json!(MEMBERS.iter().filter(|one| **one != left_out).collect::<Vec<_>>());
            event["others"] = json!("empty");
            emptied.push(left_out);
        }
        Members::ForInspection => event["cut_over"] = json!(false),
    }
    if what.members != Members::ForInspection {
        event["replace"] = json!(what.replace);
        event["allow_attached"] = json!(what.allow_attached);
        event["allow_unordered"] = json!(what.allow_unordered);
    }
    (event, emptied)
}
