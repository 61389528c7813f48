//! The trouble ends: what stopped on the way goes on, and then all is taken back.

use proptest::prelude::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use super::delivery::Sent;
use super::operations::{Found, Trouble};
use super::world::World;
use crate::sequences::Kept;

impl World<'_> {
    pub(super) async fn finale(&mut self) -> Kept {
        self.stop_masters().await;
        self.unclaim().await;
        for (point, member) in (0..2).flat_map(|point| (0..3).map(move |member| (point, member))) {
            self.judge(point, member, Found::AsAtFirst).await;
        }
        for of in 0..self.restores.len() {
            self.ends(of).await?;
        }
        // Whoever came later stands in the way of those before.
        while self.undo_one().await? {}
        self.all_is_as_at_first().await
    }

    /// A restore that is under way is applied by the events that it was given.
    async fn ends(&mut self, of: usize) -> Kept {
        let now = self.now().await;
        let restore = &self.restores[of];
        if restore.waiting(&now).next().is_none() || restore.is_over(&now) {
            return Ok(());
        }
        self.send(of, Sent::Apply, Trouble::None).await?;
        self.send(of, Sent::Then { allow_unattached: true }, Trouble::None).await?;
        let now = self.now().await;
        let restore = &self.restores[of];
        let waiting: Vec<_> = restore.waiting(&now).collect();
        let is_blocked = self.restores.iter().any(|other| {
            let is_same = other.members.iter().any(|member| restore.members.contains(member));
            other.id != restore.id && is_same && other.made.values().any(|volume| now.member(volume).is_some())
        });
        prop_assert!(waiting.is_empty() || is_blocked, "promise 6: {waiting:?} of {} wait for ever", restore.id);
        self.tally.add("went on", 1);
        Ok(())
    }

    /// Undoes the newest restore that can be.
    async fn undo_one(&mut self) -> Result<bool, TestCaseError> {
        for of in (0..self.restores.len()).rev() {
            let now = self.now().await;
            let restore = &self.restores[of];
            let is_live = |volume: &String| now.tags.contains_key(volume) && !now.is_retired(volume);
            let is_parked = |volume: &String| now.tag(volume, "etcd-backup/restore") == Some(&restore.id);
            let is_left = restore.made.values().any(is_live) || restore.retired.iter().any(is_parked);
            if !is_left || restore.is_for_inspection {
                continue;
            }
            let Some(event) = self.event(of, Sent::Undo) else { continue };
            let run = self.deliver(of, Sent::Undo, &event, Trouble::None).await?;
            self.check(&run)?;
            if run.answer.is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every tag of every volume of the beginning.
    async fn all_is_as_at_first(&self) -> Kept {
        let now = self.now().await;
        for (volume, tags) in &self.first {
            prop_assert_eq!(
                now.tags.get(volume),
                Some(tags),
                "promise 4: all was undone, and {} is not as at first",
                volume
            );
        }
        Ok(())
    }
}
