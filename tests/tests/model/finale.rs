//! The interference ends: two clean hours later, what is there is what the model says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use proptest::prelude::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::points::{Point, Points, slot_name};
use super::retention::{Fate, fates, newest_complete};
use super::world::World;

const HOUR: i64 = 3600;
/// With a small `MAX_PRUNE`, so many deliveries are enough.
const DELIVERIES: usize = 40;

/// Good snapshots by member, and how many failed ones, of each slot.
type Summary = BTreeMap<String, (BTreeMap<String, usize>, usize)>;

impl World<'_> {
    pub(super) async fn finale(&mut self) -> Result<(), TestCaseError> {
        self.account.snapshots_stay_pending().await;
        self.stuck.clear();
        self.replace_lost().await;
        self.clean_hour().await?;
        self.settle(1).await;

        let (before, _) = self.observe().await;
        self.clean_hour().await?;
        let mut deliveries = 0;
        while self.redelivery_prunes().await? {
            deliveries += 1;
            prop_assert!(deliveries < DELIVERIES, "promise 5: the pruning comes to no end");
        }

        let (after, _) = self.observe().await;
        for (of, points) in &after {
            let expected = self.expected_end(&before[of]);
            prop_assert_eq!(
                &summary(points),
                &expected,
                "after two clean hours {:?} (left) is not what promises 1, 4 and 5 make of it (right)",
                of
            );
        }
        prop_assert_eq!(after.len(), before.len());
        Ok(())
    }

    async fn clean_hour(&mut self) -> Result<(), TestCaseError> {
        self.slot += HOUR;
        let run = self.scheduled(self.slot, SignedDuration::from_secs(2), 1, &[]).await?;
        self.check(&run)
    }

    async fn redelivery_prunes(&mut self) -> Result<bool, TestCaseError> {
        let run = self.scheduled(self.slot, SignedDuration::from_mins(1), 1, &[]).await?;
        self.check(&run)?;
        prop_assert!(run.creates.is_empty(), "promise 1: a redelivery took a snapshot");
        Ok(!run.deletes.is_empty())
    }

    /// What the last slot's run must make of these points.
    fn expected_end(&self, points: &Points) -> Summary {
        let newest = newest_complete(points);
        let mut end = Summary::new();
        for (slot, fate) in fates(points, &self.setup.rules, self.slot) {
            let point = &points[&slot];
            let mut good: BTreeMap<String, usize> = BTreeMap::new();
            for taken in point.0.iter().filter(|taken| taken.is_good() && fate != Fate::Goes) {
                *good.entry(taken.member.clone()).or_default() += 1;
            }
            if matches!(fate, Fate::Thins(_)) {
                for count in good.values_mut() {
                    *count = 1;
                }
            }
            let failed = point.0.iter().filter(|taken| !taken.is_good()).count();
            let failed_go = newest.is_some_and(|newest| newest > slot) && !point.is_pinned();
            end.insert(slot_name(slot), (good, if failed_go { 0 } else { failed }));
        }
        end.retain(|_, (good, failed)| !good.is_empty() || *failed > 0);
        let members: BTreeSet<&str> = points.values().flat_map(Point::members).collect();
        let one_each = members.into_iter().map(|member| (member.to_owned(), 1)).collect();
        end.insert(slot_name(self.slot), (one_each, 0));
        end
    }
}

fn summary(points: &Points) -> Summary {
    let of_point = |(slot, point): (&i64, &Point)| {
        let mut good: BTreeMap<String, usize> = BTreeMap::new();
        for taken in point.0.iter().filter(|taken| taken.is_good()) {
            *good.entry(taken.member.clone()).or_default() += 1;
        }
        (slot_name(*slot), (good, point.0.iter().filter(|taken| !taken.is_good()).count()))
    };
    points.iter().map(of_point).collect()
}
