//! The promises, each checked from outside after a delivery.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::delivery::{Answer, Run};
use super::operations::Trouble;
use super::points::{EtcdCluster, Point, Points, slot_name};
use super::retention::{Fate, Rules, fates, newest_complete};
use super::verdicts::unread;
use super::world::World;
use crate::sequences::Kept;

const FOR_NOW: [&str; 2] = ["RequestLimitExceeded", "SnapshotCreationPerVolumeRateExceeded"];

impl World<'_> {
    pub(super) fn check(&self, run: &Run) -> Kept {
        self.one_good_snapshot_a_member_and_slot(run)?;
        self.only_what_is_missing_is_taken(run)?;
        nothing_is_asked_for_twice(run)?;
        self.what_is_not_ours_is_untouched(run)?;
        self.nothing_is_pruned_where_a_member_failed(run)?;
        self.only_what_may_go_goes(run)?;
        self.the_answer_is_true(run)
    }

    fn expected_in(&self, run: &Run) -> BTreeMap<EtcdCluster, Vec<String>> {
        let mut expected = self.expected(&run.before);
        expected.retain(|(cluster, _), _| run.only.is_none_or(|only| only == cluster));
        expected
    }

    fn one_good_snapshot_a_member_and_slot(&self, run: &Run) -> Kept {
        for ((cluster, etcd), points) in &run.after {
            for (slot, point) in points {
                let most = 1 + self.surplus.get(slot).copied().unwrap_or_default();
                for ((member, volume), good) in good_by_volume(point) {
                    let slot = slot_name(*slot);
                    prop_assert!(
                        good <= most,
                        "promise 1: {good} good snapshots of {volume} of member {member} of {cluster}/{etcd} for {slot}, not \
                         {most}"
                    );
                }
            }
        }
        Ok(())
    }

    fn only_what_is_missing_is_taken(&self, run: &Run) -> Kept {
        for call in &run.creates {
            let volume = call.param("VolumeId").unwrap_or_default();
            let place = self.places.iter().find(|place| place.volume.as_deref() == Some(volume));
            let Some(place) = place.filter(|place| run.only.is_none_or(|only| only == place.of.0)) else {
                return Err(TestCaseError::fail(format!("a snapshot of {volume} was asked for: it is out of scope")));
            };
            let point = run.before.get(&place.of).and_then(|points| points.get(&run.slot));
            // Beside one of the volume before it may be needed: the rest of the slot is taken after the replacement.
            let has = point.is_some_and(|point| good_by_volume(point).contains_key(&(place.member.as_str(), volume)));
            prop_assert!(!has, "promise 1: member {} had its snapshot, another was asked for", place.member);
        }
        Ok(())
    }

    fn what_is_not_ours_is_untouched(&self, run: &Run) -> Kept {
        for foreign in &self.foreign {
            let now = run.snapshots.iter().find(|snapshot| snapshot.id == foreign.id);
            prop_assert_eq!(now, Some(foreign), "promise 2: a snapshot that is not ours is not as it was");
        }
        let in_scope: BTreeSet<&str> = ids(run.before.values()).collect();
        for id in &run.deletes {
            prop_assert!(
                in_scope.contains(id.as_str()),
                "promise 2: {id} was to be deleted, which is not ours, or new"
            );
        }
        let left: BTreeSet<&str> = ids(run.after.values()).collect();
        for id in in_scope {
            prop_assert!(left.contains(id) || run.deletes.contains(id), "{id} is gone and nobody deleted it");
        }
        Ok(())
    }

    fn nothing_is_pruned_where_a_member_failed(&self, run: &Run) -> Kept {
        if !run.prunes {
            prop_assert!(run.deletes.is_empty(), "by hand nothing is pruned unless it is asked for: {:?}", run.deletes);
        }
        let expected = self.expected_in(run);
        for (of, points) in &run.before {
            let failed_in = |answer: &Answer| answer.error.is_some() && says_failed(answer, of);
            let failed = run.answers.iter().all(failed_in) || !self.lacking(run, of, &expected[of]).is_empty();
            if let Some(id) = ids([points]).find(|id| failed && run.deletes.contains(*id)) {
                let (cluster, etcd) = of;
                let message =
                    format!("promise 3: a member of {cluster}/{etcd} failed in this run, and {id} was deleted");
                return Err(TestCaseError::fail(message));
            }
        }
        Ok(())
    }

    /// The members without a good snapshot for the slot, or without a volume.
    fn lacking(&self, run: &Run, of: &EtcdCluster, expected: &[String]) -> Vec<String> {
        let point = run.after.get(of).and_then(|points| points.get(&run.slot));
        let has = |member: &str| point.is_some_and(|point| point.count(member, &["pending", "completed"]) > 0);
        let is_lost = |member: &str| {
            self.places.iter().any(|place| place.of == *of && place.member == member && place.volume.is_none())
        };
        expected.iter().filter(|member| !has(member) || is_lost(member)).cloned().collect()
    }

    fn only_what_may_go_goes(&self, run: &Run) -> Kept {
        for (of, points) in &run.before {
            let (cluster, etcd) = of;
            let gone = ids([points]).filter(|id| run.deletes.contains(*id)).count();
            let most = self.setup.max_prune * run.answers.len();
            prop_assert!(gone <= most, "MAX_PRUNE: {gone} snapshots of {cluster}/{etcd} were deleted, not {most}");
            let mut both = points.clone();
            if run.answers.len() > 1
                && let Some(taken) = run.after.get(of).and_then(|points| points.get(&run.slot))
            {
                both.insert(run.slot, taken.clone());
            }
            // No verdict makes anything go that would have stayed had nobody read any.
            for (seen, by_both) in [(points.clone(), both.clone()), (unread(points), unread(&both))] {
                // One of two at once may have seen what the other had taken.
                let judged = may_go(&seen, &self.setup.rules, run).or(may_go(&by_both, &self.setup.rules, run));
                judged.map_err(|why| TestCaseError::fail(format!("{why}; {cluster}/{etcd} had\n{}", listed(&seen))))?;
            }
            if run.prunes && run.answers.iter().all(|answer| answer.error.is_none()) {
                self.count_verdicts(points, run.slot);
            }
        }
        Ok(())
    }

    /// Success if, and only if, every expected member has its snapshot.
    fn the_answer_is_true(&self, run: &Run) -> Kept {
        let expected = self.expected_in(run);
        let mut lacking = Vec::new();
        for (of, members) in &expected {
            lacking.extend(self.lacking(run, of, members).into_iter().map(|member| format!("{member} of {of:?}")));
        }
        let named = run.only.or(self.named());
        lacking.extend(named.filter(|name| !expected.keys().any(|of| of.0 == *name)).map(str::to_owned));
        // Of two at once one may be refused for good what the other gets.
        let refused = run.troubles.iter().any(|trouble| matches!(trouble, Trouble::Refused(_)));
        let may_err = run.is_short() || (run.answers.len() > 1 && refused);
        for answer in &run.answers {
            match &answer.error {
                None => {
                    prop_assert!(lacking.is_empty(), "the answer is success, but these have no snapshot: {lacking:?}");
                }
                Some(error) => {
                    prop_assert_eq!(&error.error_type, "BackupIncomplete", "{}", error);
                    prop_assert!(may_err || !lacking.is_empty(), "every member has its snapshot, but: {error}");
                }
            }
            names_what_is_there(answer, run)?;
        }
        Ok(())
    }
}

/// For people.
fn listed(points: &Points) -> String {
    let points: Vec<String> = points.iter().map(|(slot, point)| format!("{}: {point:?}", slot_name(*slot))).collect();
    points.join("\n")
}

fn ids<'a>(points: impl IntoIterator<Item = &'a Points>) -> impl Iterator<Item = &'a str> {
    points.into_iter().flat_map(Points::values).flat_map(|point| &point.0).map(|taken| taken.id.as_str())
}

/// After an answer that is no plain "not now", no process asks for the same volume's snapshot again.
fn nothing_is_asked_for_twice(run: &Run) -> Kept {
    let mut asked: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for call in &run.creates {
        let of = (call.param("Description").unwrap_or_default(), call.param("VolumeId").unwrap_or_default());
        let open = asked.insert(of, call.error.as_deref().is_none_or(|code| !FOR_NOW.contains(&code)));
        prop_assert!(
            open != Some(true),
            "promise 1: {of:?} was asked for again, after an answer that was lost or final"
        );
    }
    Ok(())
}

/// How many good snapshots there are of each member's volumes.
fn good_by_volume(point: &Point) -> BTreeMap<(&str, &str), usize> {
    let mut good: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for taken in point.0.iter().filter(|taken| taken.is_good()) {
        *good.entry((taken.member.as_str(), taken.volume.as_str())).or_default() += 1;
    }
    good
}

fn says_failed(answer: &Answer, (cluster, etcd): &EtcdCluster) -> bool {
    let points = answer.result["recovery_points"].as_array().into_iter().flatten();
    let mut of = points.filter(|point| point["cluster"] == **cluster && point["etcd_cluster"] == **etcd);
    let members = of.next().and_then(|point| point["members"].as_array());
    // What is not in the answer was not even looked at.
    members.is_none_or(|members| members.iter().any(|member| member["action"] == "failed"))
}

/// The answer's snapshots are good ones of that member and slot; what it calls pruned is gone.
fn names_what_is_there(answer: &Answer, run: &Run) -> Kept {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    for point in list(&answer.result["recovery_points"]) {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let of = (text(&point["cluster"]), text(&point["etcd_cluster"]));
        let taken = run.after.get(&of).and_then(|points| points.get(&run.slot));
        for member in list(&point["members"]).iter().filter(|member| member["snapshot"].is_string()) {
            let is_it =
                |taken: &&super::points::Taken| member["snapshot"] == *taken.id && member["member"] == *taken.member;
            let found = taken.and_then(|point| point.0.iter().find(is_it));
            prop_assert!(found.is_some_and(super::points::Taken::is_good), "the answer names {member}: {found:?}");
        }
    }
    for pruned in list(&answer.result["pruned"]) {
        let is_left = ids(run.after.values()).any(|id| pruned["snapshot"] == *id);
        prop_assert!(!is_left, "the answer says pruned, but it is there: {pruned}");
    }
    Ok(())
}

/// Holds every deletion in an etcd cluster against what the model says of its points before the run.
fn may_go(points: &Points, rules: &Rules, run: &Run) -> Result<(), String> {
    let newest = newest_complete(points);
    for (slot, fate) in fates(points, rules, run.slot) {
        let point = &points[&slot];
        let rest = point.without(&run.deletes);
        for taken in point.0.iter().filter(|taken| run.deletes.contains(&taken.id)) {
            let deleted =
                format!("snapshot {} (member {}, {}) was deleted, but", taken.id, taken.member, slot_name(slot));
            match (taken.state.as_str(), fate) {
                ("pending", _) => return Err(format!("promise 5: {deleted} it is pending")),
                (_, Fate::Stays(why)) if point.is_pinned() => return Err(format!("promise 4: {deleted} {why}")),
                ("error", _) if newest.is_none_or(|newest| newest <= slot) => {
                    return Err(format!("promise 5: {deleted} no newer point is complete"));
                }
                ("error", _) | (_, Fate::Goes) => {}
                (_, Fate::Stays(why)) => return Err(format!("promises 4 and 5: {deleted} {why}")),
                (_, Fate::Thins(why)) => {
                    if !rest.is_complete() {
                        return Err(format!("promise 4: {deleted} {why}"));
                    }
                    if rest.skew() != point.skew() {
                        return Err(format!("promise 1: {deleted} the closest set is no more"));
                    }
                    if point.count(&taken.member, &["pending"]) > 0 {
                        return Err(format!("promise 1: {deleted} its twin is pending"));
                    }
                }
            }
        }
    }
    Ok(())
}
