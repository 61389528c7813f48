//! The account, the function's processes, and what the model knows of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use scenarios::observed::Snapshot;
use scenarios::tags::Tags;
use scenarios::{Account, Function, Kops, RunningFunction};
use serde_json::Value;

use super::operations::{Past, Second, Setup};
use super::points::{AllPoints, EtcdCluster, points, slot_name};
use super::verdicts;
use crate::sequences::{Tally, pick};

pub(super) const CLUSTER: &str = "k8s.example.com";
pub(super) const SECOND: &str = "other.example.com";
const HOUR: i64 = 3600;
/// The slots begin so long ago: a hundred hours of them lie in the past, and the newest point is never a week old.
const BEGIN: i64 = 6 * 24 * HOUR;

/// Where a member's volume is, if it is.
pub(super) struct Place {
    pub(super) of: EtcdCluster,
    pub(super) member: String,
    pub(super) zone: String,
    pub(super) tags: Tags,
    pub(super) volume: Option<String>,
}

/// The last scheduled event.
#[derive(Clone)]
pub(super) struct Last {
    pub(super) slot: i64,
    pub(super) event: Value,
    pub(super) request: String,
}

pub(super) struct World<'a> {
    pub(super) account: &'a Account,
    pub(super) setup: &'a Setup,
    pub(super) functions: [RunningFunction; 2],
    pub(super) places: Vec<Place>,
    /// The newest slot.
    pub(super) slot: i64,
    /// Every slot that was delivered, in order.
    pub(super) slots: Vec<i64>,
    pub(super) last: Option<Last>,
    /// What must stay as it is.
    pub(super) foreign: Vec<Snapshot>,
    /// Pending snapshots that never settle.
    pub(super) stuck: BTreeSet<String>,
    /// How many snapshots more than one a member a slot may have.
    pub(super) surplus: BTreeMap<i64, usize>,
    pub(super) requests: u32,
    pub(super) tally: &'a Tally,
}

impl<'a> World<'a> {
    pub(super) async fn new(account: &'a Account, setup: &'a Setup, tally: &'a Tally) -> Self {
        if !setup.at_once {
            account.snapshots_stay_pending().await;
        }
        let now = Timestamp::now().as_second();
        let slot = now - now % HOUR - BEGIN;
        let mut places = Vec::new();
        let mut bystanders = Vec::new();
        for (name, zones) in
            [(CLUSTER, &["eu-central-1a", "eu-central-1b", "eu-central-1c"][..]), (SECOND, &["eu-central-1b"])]
        {
            if name == SECOND && setup.second == Second::None {
                continue;
            }
            let mut cluster = Kops::cluster(name).zones(zones.iter().copied()).etcd(["main"]).create(account).await;
            let planted = plant(&mut cluster, setup, slot).await;
            if name == SECOND && setup.second == Second::OutOfScope {
                bystanders = planted;
                continue;
            }
            places.extend(cluster.volumes().map(|volume| Place {
                of: (name.to_owned(), volume.etcd.clone()),
                member: volume.member.clone(),
                zone: volume.zone.clone(),
                tags: volume.tags.clone(),
                volume: Some(volume.id.clone()),
            }));
        }
        if let Some(items) = setup.pages_of {
            account.pages_of(items).await;
        }
        let mut foreign = account.snapshots().await;
        foreign.retain(|snapshot| bystanders.contains(&snapshot.id));
        let functions = [function(account, setup).start().await, function(account, setup).start().await];
        let twice = setup.past.iter().enumerate().filter(|(_, past)| matches!(past, Past::Twice));
        Self {
            account,
            setup,
            functions,
            places,
            slot,
            slots: Vec::new(),
            last: None,
            foreign,
            stuck: BTreeSet::new(),
            surplus: twice.map(|(n, _)| (past_slot(setup, slot, n), 1)).collect(),
            requests: 0,
            tally,
        }
    }

    /// The clusters in scope, or `None`: all.
    pub(super) fn named(&self) -> Option<&'static str> {
        (self.setup.second == Second::OutOfScope).then_some(CLUSTER)
    }

    /// The points in scope, as EC2 has them now, and all snapshots.
    pub(super) async fn observe(&self) -> (AllPoints, Vec<Snapshot>) {
        let snapshots = self.account.snapshots().await;
        let mut points = points(self.account.id(), &snapshots);
        points.retain(|(cluster, _), _| self.named().is_none_or(|named| named == cluster));
        (points, snapshots)
    }

    /// The etcd clusters in scope that have, or had, volumes or points; each with the members expected of it.
    pub(super) fn expected(&self, before: &AllPoints) -> BTreeMap<EtcdCluster, Vec<String>> {
        let known = |place: &&Place| {
            let alive = self.places.iter().any(|other| other.of == place.of && other.volume.is_some());
            alive || before.contains_key(&place.of)
        };
        let mut expected: BTreeMap<EtcdCluster, Vec<String>> = BTreeMap::new();
        for place in self.places.iter().filter(known) {
            expected.entry(place.of.clone()).or_default().push(place.member.clone());
        }
        expected
    }

    /// One of the volumes that there are.
    pub(super) fn some_volume(&self, choice: u8) -> Option<&str> {
        let volumes: Vec<&str> = self.places.iter().filter_map(|place| place.volume.as_deref()).collect();
        pick(&volumes, choice).copied()
    }

    pub(super) fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("7d3c1f00-0000-4000-8000-{:012x}", self.requests)
    }
}

fn function(account: &Account, setup: &Setup) -> Function {
    let function = Function::named("backup")
        .account(account)
        .env("RETENTION", &setup.rules.to_string())
        .env("MAX_PRUNE", &setup.max_prune.to_string())
        .env("CONCURRENCY", &setup.concurrency.to_string())
        .env("EVENT_BUS", if setup.event_bus { "default" } else { "" });
    if setup.second == Second::OutOfScope { function.env("CLUSTERS", CLUSTER) } else { function }
}

/// Plants the past of a cluster, oldest first; gives the snapshots' ids.
async fn plant(cluster: &mut Kops<'_>, setup: &Setup, before: i64) -> Vec<String> {
    let mut ids = Vec::new();
    for (n, past) in setup.past.iter().enumerate().rev() {
        let slot = slot_name(past_slot(setup, before, n));
        let point = cluster.past_point("main", &slot);
        let point = match past {
            Past::Whole | Past::Twice | Past::Replaced => point,
            Past::Skewed => point.late("a", SignedDuration::from_secs(7)),
            Past::Partial => point.without("b"),
            Past::Failed => point.with_state("b", "error"),
            Past::Pinned => point.pinned(),
        };
        let point = match setup.found.get(n) {
            Some(written) => point.tagged(verdicts::TAG, written.value()),
            None => point,
        };
        ids.extend(point.await.into_values());
        if matches!(past, Past::Twice) {
            let mut again = cluster.past_point("main", &slot);
            for (member, seconds) in [("a", 3), ("b", 6), ("c", 9)] {
                again = again.late(member, SignedDuration::from_secs(seconds));
            }
            ids.extend(again.await.into_values());
        }
        if matches!(past, Past::Replaced) {
            cluster.replace("main", "b").await;
        }
    }
    ids
}

fn past_slot(setup: &Setup, before: i64, n: usize) -> i64 {
    before - i64::try_from(n + 1).unwrap() * setup.past_step * HOUR
}
