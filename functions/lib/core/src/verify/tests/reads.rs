//! What is read without being asked for by hand, as `VERIFY` says.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::super::{At, Reads, Request, VerifyPlan, plan};
use super::fixtures::{id, now, observed, of_events, reading};
use crate::backup::tests::fixtures::{main_of_example, point, stood};
use crate::snapshot::Snapshot;
use crate::snapshot::SnapshotState::{self, Completed, Error, Pending};
use crate::tags;

const YESTERDAY: &str = "2026-11-22T23:00:00Z";
const FIRST: &str = "2026-11-23T00:00:00Z";
const SECOND: &str = "2026-11-23T01:00:00Z";

fn of(slot: &str, states: [SnapshotState; 3]) -> Vec<Snapshot> {
    point(slot, &states).observed()
}

fn whole(slots: &[&str]) -> Vec<Snapshot> {
    slots.iter().flat_map(|slot| of(slot, [Completed; 3])).collect()
}

/// The slots of what is read, or why nothing is.
fn read(reads: Reads, request: &Request, snapshots: Vec<Snapshot>) -> Result<Vec<String>, String> {
    read_at(now(), reads, request, snapshots)
}

fn read_at(now: Timestamp, reads: Reads, request: &Request, snapshots: Vec<Snapshot>) -> Result<Vec<String>, String> {
    match plan(&observed(snapshots), request, &reading(reads), now).expect("no refusal") {
        VerifyPlan::Examine(plan) => {
            let mut slots: Vec<String> = plan.list.iter().map(|one| one.slot.to_string()).collect();
            slots.dedup();
            Ok(slots)
        }
        VerifyPlan::Nothing(why) => Err(why),
        VerifyPlan::BackupFailed(_) => Ok(vec!["a failed backup".to_owned()]),
    }
}

/// The last snapshot of that slot's point is whole.
fn notified(slot: &str) -> Request {
    Request::Completed(id(&format!("snap-c-{slot}")))
}

fn slots(slots: &[&str]) -> Vec<String> {
    slots.iter().map(|slot| (*slot).to_owned()).collect()
}

#[test]
fn daily_a_notification_has_the_first_complete_point_of_its_day_read() {
    let daily = |slot: &str, snapshots: Vec<Snapshot>| read(Reads::Daily, &notified(slot), snapshots);
    let others = |first: &str| {
        Err(format!(
            "{SECOND}, main of k8s.example.com, is not read: `VERIFY` is `daily`, and of its day the first complete one was {first}"
        ))
    };
    assert_eq!(daily(FIRST, whole(&[YESTERDAY, FIRST])), Ok(slots(&[FIRST])));
    assert_eq!(daily(SECOND, whole(&[YESTERDAY, FIRST, SECOND])), others(FIRST));
    assert_eq!(daily(FIRST, whole(&[YESTERDAY, FIRST, SECOND])), Ok(slots(&[FIRST])), "it came late");
    for before in [of(FIRST, [Completed, Error, Completed]), of(FIRST, [Completed, Pending, Completed])] {
        assert_eq!(daily(SECOND, [before, whole(&[SECOND])].concat()), Ok(slots(&[SECOND])));
    }
    let events = whole(&[FIRST]).into_iter().map(of_events).collect();
    assert_eq!(daily(SECOND, [events, whole(&[SECOND])].concat()), Ok(slots(&[SECOND])), "each etcd cluster by itself");
    let partial = daily(FIRST, of(FIRST, [Completed, Error, Completed]));
    assert!(partial.as_ref().is_err_and(|why| why.ends_with("of its day none is complete yet")), "{partial:?}");
    let judged = whole(&[FIRST]).into_iter().map(|one| one.tagged(tags::VERIFIED, "corrupt"));
    let again = daily(SECOND, judged.chain(whole(&[SECOND])).collect());
    assert_eq!(again, others(FIRST), "whatever was found of it");
}

#[test]
fn daily_a_sweep_makes_up_for_that_of_its_own_day_alone() {
    let daily = |snapshots: Vec<Snapshot>| read(Reads::Daily, &Request::Sweep, snapshots);
    assert_eq!(daily(whole(&[YESTERDAY, FIRST, SECOND])), Ok(slots(&[FIRST])));
    assert_eq!(
        daily([of(FIRST, [Completed, Error, Completed]), whole(&[YESTERDAY, SECOND])].concat()),
        Ok(slots(&[SECOND]))
    );
    let pending = of(SECOND, [Pending; 3]);
    assert_eq!(daily([whole(&[YESTERDAY]), pending].concat()), Ok(slots(&[])), "today has none yet");
    let events: Vec<Snapshot> = whole(&[SECOND]).into_iter().map(of_events).collect();
    assert_eq!(
        daily([whole(&[YESTERDAY, FIRST, SECOND]), events].concat()),
        Ok(slots(&[SECOND, FIRST])),
        "each by itself"
    );
    let judged = whole(&[FIRST]).into_iter().map(|one| one.tagged(tags::VERIFIED, &stood("a", 100, 100)));
    assert_eq!(daily(judged.chain(whole(&[YESTERDAY, SECOND])).collect()), Ok(slots(&[])));
    assert_eq!(daily(Vec::new()), Ok(slots(&[])));
}

#[test]
fn off_reads_nothing_and_says_so() {
    for request in [notified(FIRST), Request::Sweep] {
        let nothing = read(Reads::Off, &request, whole(&[FIRST]));
        assert_eq!(nothing, Err("`VERIFY` is `off`: snapshots are read by hand alone".to_owned()));
    }
}

#[test]
fn by_hand_what_is_asked_for_is_read_whatever_is_read_otherwise() {
    for reads in [Reads::All, Reads::Daily, Reads::Off] {
        let one = Request::Snapshot { id: id(&format!("snap-a-{SECOND}")), deep: false };
        let latest = Request::Point { of: main_of_example(), at: At::Latest, deep: false };
        for request in [one, latest] {
            assert_eq!(read(reads, &request, whole(&[FIRST, SECOND])), Ok(slots(&[SECOND])), "{reads:?}");
        }
        let failed = Request::Failed { id: id(&format!("snap-b-{SECOND}")), cause: None };
        let told = read(reads, &failed, of(SECOND, [Completed, Error, Completed]));
        assert_eq!(told, Ok(slots(&["a failed backup"])), "{reads:?}: that is no reading");
    }
}

proptest! {
    /// Of each hour a point that is complete or not; then notifications, sweeps, and points that are pruned, oldest first.
    #[test]
    fn daily_at_most_one_point_of_a_day_is_read(
        complete in prop::collection::vec(any::<bool>(), 1..60),
        pruned_after in 24_usize..40,
    ) {
        let start = "2026-11-22T03:00:00Z".parse::<Timestamp>().expect("a time");
        let mut there: Vec<(String, bool, bool)> = Vec::new();
        let mut reads = Vec::new();
        for (hour, complete) in complete.into_iter().enumerate() {
            let slot = start + SignedDuration::from_hours(i64::try_from(hour).expect("few"));
            there.push((slot.to_string(), complete, false));
            if there.len() > pruned_after {
                there.remove(0);
            }
            for request in [notified(&slot.to_string()), Request::Sweep] {
                let all = there.iter().flat_map(|(slot, complete, judged)| {
                    let states = if *complete { [Completed; 3] } else { [Completed, Error, Completed] };
                    let judge = |one: Snapshot| if *judged { one.tagged(tags::VERIFIED, "corrupt") } else { one };
                    of(slot, states).into_iter().map(judge)
                });
                let swept = slot + SignedDuration::from_mins(30);
                for read in read_at(swept, Reads::Daily, &request, all.collect()).unwrap_or_default() {
                    there.iter_mut().filter(|(slot, ..)| *slot == read).for_each(|(_, _, judged)| *judged = true);
                    reads.push(read);
                }
            }
        }
        let days: BTreeSet<&str> = reads.iter().map(|slot| &slot[..10]).collect();
        prop_assert_eq!(days.len(), reads.len(), "{:?}", reads);
        for (slot, _, _) in there.iter().filter(|(_, complete, _)| *complete) {
            prop_assert!(days.contains(&slot[..10]), "{} of {:?}", slot, reads);
        }
    }
}
