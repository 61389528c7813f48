//! An event is delivered, once or to two processes at once, and everything around it is recorded.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::TestCaseError;
use proptest::prop_assert;
use scenarios::observed::{Call, Snapshot};
use scenarios::{FunctionError, events};
use serde_json::{Value, json};

use super::operations::Trouble;
use super::points::{AllPoints, Point, slot_name};
use super::world::{CLUSTER, Last, World};

/// With it, the look-out for a snapshot whose request was lost ends early.
const SHORT: Duration = Duration::from_millis(2500);
const SEEN_AFTER: Duration = Duration::from_millis(1200);

/// What an invocation answered.
pub(super) struct Answer {
    pub(super) error: Option<FunctionError>,
    pub(super) result: Value,
}

/// A delivery and what came of it.
#[derive(Default)]
pub(super) struct Run {
    pub(super) slot: i64,
    pub(super) by_hand: bool,
    pub(super) only: Option<&'static str>,
    pub(super) prunes: bool,
    pub(super) troubles: Vec<Trouble>,
    pub(super) before: AllPoints,
    pub(super) after: AllPoints,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) creates: Vec<Call>,
    /// What the function tried to delete, or did.
    pub(super) deletes: BTreeSet<String>,
    pub(super) answers: Vec<Answer>,
}

impl Run {
    /// Nobody can say then whether the function knows that a snapshot was taken.
    pub(super) fn is_short(&self) -> bool {
        self.troubles.iter().any(|trouble| matches!(trouble, Trouble::RequestLost(_)))
    }
}

impl World<'_> {
    /// The schedule's event for a slot, `late` after it.
    pub(super) async fn scheduled(
        &mut self,
        slot: i64,
        late: SignedDuration,
        deliveries: usize,
        troubles: &[Trouble],
    ) -> Result<Run, TestCaseError> {
        let request = self.request_id();
        let last = Last { slot, event: events::scheduled(&slot_name(slot)), request };
        self.deliver_last(last, late, deliveries, troubles).await
    }

    pub(super) async fn deliver_last(
        &mut self,
        last: Last,
        late: SignedDuration,
        deliveries: usize,
        troubles: &[Trouble],
    ) -> Result<Run, TestCaseError> {
        let time = Timestamp::from_second(self.slot.max(last.slot)).unwrap() + late;
        self.account.clock(&time.to_string()).await;
        if !self.slots.contains(&last.slot) {
            self.slots.push(last.slot);
        }
        *self.surplus.entry(last.slot).or_default() += deliveries - 1;
        let Last { slot, event, request } = last.clone();
        self.last = Some(last);
        let mut requests = vec![request];
        requests.resize_with(deliveries, || self.request_id());
        let run = Run { slot, prunes: true, troubles: troubles.to_vec(), ..Run::default() };
        self.deliver(run, &event, &requests).await
    }

    /// A person's event; the slot is the real now.
    pub(super) async fn by_hand(
        &mut self,
        keep: bool,
        prune: bool,
        one_cluster: bool,
        request: &str,
    ) -> Result<Run, TestCaseError> {
        self.account.real_clock().await;
        let mut event = json!({ "keep": keep, "prune": prune });
        if one_cluster {
            event["cluster"] = CLUSTER.into();
        }
        let only = one_cluster.then_some(CLUSTER);
        let run = Run { by_hand: true, only, prunes: prune, ..Run::default() };
        self.deliver(run, &event, &[request.to_owned()]).await
    }

    async fn deliver(&mut self, run: Run, event: &Value, requests: &[String]) -> Result<Run, TestCaseError> {
        let (mut before, _) = self.observe().await;
        for trouble in &run.troubles {
            self.arm(*trouble).await;
            self.tally.add(trouble.name(), 1);
        }
        self.account.forget_calls().await;
        let answers = self.invoke(event, requests, run.is_short()).await;
        let calls = self.account.all_calls().await;
        self.account.clear_faults().await;
        let (mut after, snapshots) = self.observe().await;
        before.retain(|(cluster, _), _| run.only.is_none_or(|only| only == cluster));
        after.retain(|(cluster, _), _| run.only.is_none_or(|only| only == cluster));
        let slot = slot_of(&answers)?;
        prop_assert!(run.by_hand || slot == run.slot, "the slot is {}, not {}", slot_name(slot), slot_name(run.slot));
        let created = calls.iter().filter(|call| call.action == "CreateSnapshot").cloned().collect();
        let deletes = calls.iter().filter(|call| call.action == "DeleteSnapshot");
        let deletes: BTreeSet<String> =
            deletes.filter_map(|call| call.param("SnapshotId")).map(str::to_owned).collect();
        if requests.len() > 1 {
            self.tally.add("snapshots taken twice", taken_twice(&after, slot));
        }
        self.tally.add("deliveries", requests.len());
        self.tally.add("snapshots deleted", deletes.len());
        self.tally.add("runs incomplete", answers.iter().filter(|answer| answer.error.is_some()).count());
        Ok(Run { slot, before, after, snapshots, creates: created, deletes, answers, ..run })
    }

    async fn invoke(&self, event: &Value, requests: &[String], short: bool) -> Vec<Answer> {
        let invoke = async |n: usize| {
            let answer = if short {
                self.functions[n].invoke_within(SHORT, event.clone()).await
            } else {
                self.functions[n].invoke_as(&requests[n], event.clone()).await
            };
            match answer {
                Ok(result) => Answer { error: None, result },
                Err(error) if error.error_type == "BackupIncomplete" => {
                    Answer { result: error.result(), error: Some(error) }
                }
                Err(error) => Answer { result: Value::Null, error: Some(error) },
            }
        };
        if requests.len() == 1 {
            vec![invoke(0).await]
        } else {
            let (one, other) = tokio::join!(invoke(0), invoke(1));
            vec![one, other]
        }
    }

    async fn arm(&self, trouble: Trouble) {
        let create = |choice| {
            let fault = self.account.fail_next("CreateSnapshot");
            if let Some(volume) = self.some_volume(choice) { fault.on_volume(volume) } else { fault }
        };
        match trouble {
            Trouble::Throttled(choice, times) => {
                create(choice).with("RequestLimitExceeded", 503).times(times.into()).await;
            }
            Trouble::TooSoon(choice) => create(choice).with("SnapshotCreationPerVolumeRateExceeded", 400).await,
            Trouble::Refused(choice) => create(choice).with("UnauthorizedOperation", 403).await,
            Trouble::AnswerLost(choice) => create(choice).losing_the_answer().await,
            Trouble::Answered500(choice) => create(choice).done_but_answered_500().await,
            Trouble::SeenLate(choice) => create(choice).seen_only_after(SEEN_AFTER).await,
            Trouble::RequestLost(choice) => create(choice).losing_the_request().await,
            Trouble::InUse => self.account.fail_next("DeleteSnapshot").with("InvalidSnapshot.InUse", 400).await,
            Trouble::DeleteAnswerLost => self.account.fail_next("DeleteSnapshot").losing_the_answer().await,
            Trouble::ListingCut => self.account.fail_next("DescribeSnapshots").after(1).losing_the_answer().await,
        }
    }
}

/// How many members have more than one good snapshot for a slot.
fn taken_twice(points: &AllPoints, slot: i64) -> usize {
    let of_slot = points.values().filter_map(|points| points.get(&slot));
    let twice = |member: &&str, point: &Point| point.count(member, &["pending", "completed"]) > 1;
    of_slot.map(|point| point.members().iter().filter(|member| twice(member, point)).count()).sum()
}

fn slot_of(answers: &[Answer]) -> Result<i64, TestCaseError> {
    let slot = answers[0].result["slot"].as_str().and_then(|slot| slot.parse::<Timestamp>().ok());
    let error = answers[0].error.as_ref();
    slot.map(Timestamp::as_second).ok_or_else(|| TestCaseError::fail(format!("an answer without a slot: {error:?}")))
}
