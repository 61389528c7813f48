//! The promises about each change that a run makes.

use std::collections::BTreeSet;

use proptest::{prop_assert, prop_assert_eq};

use super::delivery::{Run, Sent};
use super::moments::{Change, Moment};
use super::restores::Restore;
use super::world::{MEMBERS, World};
use crate::sequences::Kept;

impl World<'_> {
    pub(super) fn check_changes(&self, run: &Run) -> Kept {
        for call in &run.calls {
            let deletes = call.action.starts_with("Delete") && call.action != "DeleteTags";
            prop_assert!(!deletes, "promise 3: {} of {:?}", call.action, call.params);
        }
        for volume in &self.bystanders {
            prop_assert_eq!(&run.end.tags[volume], &self.first[volume], "{} is of another etcd cluster", volume);
        }
        for change in &run.changes {
            self.check_change(run, change)?;
        }
        for member in MEMBERS {
            let claimants = run.end.claimants(member);
            let made: Vec<&&str> = claimants.iter().filter(|volume| self.maker(volume).is_some()).collect();
            prop_assert!(made.len() <= 1, "promise 1: {made:?} are all member {member}'s");
        }
        Ok(())
    }

    fn check_change(&self, run: &Run, change: &Change) -> Kept {
        let Change { action, volume, before, after, .. } = change;
        if action == "CreateVolume" {
            prop_assert_eq!(after.member(volume), None, "{} is a member's from the start", volume);
            return Ok(());
        }
        match (before.member(volume), after.member(volume)) {
            (None, Some(member)) => self.check_found(run, change, member),
            (Some(member), None) => self.check_lost(run, change, member),
            (before, after) => {
                prop_assert_eq!(before, after, "{} changes its member", volume);
                Ok(())
            }
        }
    }

    /// A volume becomes a member's.
    fn check_found(&self, run: &Run, change: &Change, member: &str) -> Kept {
        let volume = change.volume.as_str();
        // Of two runs nobody can tell which of them had looked when.
        let seen = if run.is_alone { &change.seen } else { &change.before };
        let restore = &self.restores[run.of];
        if run.sent == Sent::Undo {
            return Self::check_given_back(restore, seen, volume, member);
        }
        let maker = self.maker(volume);
        prop_assert!(
            maker.is_some_and(|maker| !run.is_alone || maker.id == restore.id),
            "promise 1: an apply tags {volume}, which it has not made"
        );
        let maker = maker.unwrap_or(restore);
        let others: Vec<&str> = seen.claimants(member).into_iter().filter(|other| *other != volume).collect();
        prop_assert!(others.is_empty(), "promise 1: {volume} becomes member {member}'s beside {others:?}");
        let is_usable = !seen.attached.contains(volume) && !seen.unusable.contains(volume);
        prop_assert!(is_usable, "promise 1: {volume} becomes member {member}'s and is not `available`");
        prop_assert!(!maker.is_for_inspection, "{volume} is for inspection, and becomes member {member}'s");
        if maker.is_whole() {
            self.check_old_are_gone(maker, seen)?;
        }
        if maker.stage_of(member) > 1 {
            Self::check_quorum(run, maker, member)?;
        }
        Ok(())
    }

    /// Before the first new volume is found, no old one is.
    fn check_old_are_gone(&self, restore: &Restore, seen: &Moment) -> Kept {
        for member in MEMBERS {
            for other in seen.claimants(member).into_iter().filter(|other| !restore.has_made(other)) {
                let is_blank = restore.emptied.contains(&member) && self.foreign.contains_key(other);
                prop_assert!(is_blank, "promise 1: {other} is still member {member}'s when {} tags", restore.id);
            }
        }
        Ok(())
    }

    fn check_quorum(run: &Run, restore: &Restore, member: &str) -> Kept {
        let Sent::Then { allow_unattached } = run.sent else {
            let message = format!("promise 2: member {member} is of the second stage, and tagged in the first");
            return Err(proptest::prelude::TestCaseError::fail(message));
        };
        for (first, volume) in restore.made_up_to(1) {
            prop_assert!(run.start.claims(volume, first), "promise 2: {volume} is not yet member {first}'s");
            let is_up = allow_unattached || run.up.contains(volume);
            prop_assert!(is_up, "promise 2: {volume} of member {first} has not been attached for a minute");
        }
        Ok(())
    }

    fn check_given_back(restore: &Restore, seen: &Moment, volume: &str, member: &str) -> Kept {
        let replaced_by = |volume: &str| seen.tag(volume, "etcd-backup/replaced-by");
        prop_assert!(restore.retired.contains(volume), "promise 4: {volume} is given back, which it did not retire");
        for other in MEMBERS.iter().flat_map(|member| seen.claimants(member)) {
            prop_assert!(!restore.has_made(other), "promise 1: {volume} is given back, {other} is not yet retired");
        }
        for other in seen.claimants(member).into_iter().filter(|other| *other != volume) {
            let were_together = replaced_by(other).is_some() && replaced_by(other) == replaced_by(volume);
            prop_assert!(were_together, "promise 1: {volume} is given back beside {other}");
        }
        Ok(())
    }

    /// A volume ceases to be a member's.
    fn check_lost(&self, run: &Run, change: &Change, member: &str) -> Kept {
        let Change { volume, seen, before, .. } = change;
        let restore = &self.restores[run.of];
        if run.sent == Sent::Undo {
            prop_assert!(restore.has_made(volume), "promise 4: an undo takes {volume}, which it has not made");
            prop_assert!(!seen.attached.contains(volume), "an undo takes {volume}, which is attached");
            return Ok(());
        }
        let is_own = self.restores.iter().any(|one| one.has_made(volume) && (one.id == restore.id || !run.is_alone));
        if is_own {
            return Ok(());
        }
        prop_assert!(restore.replace || !restore.retired.is_empty(), "{volume} is retired, and nobody allowed it");
        let by = before.tag(volume, "etcd-backup/restore");
        let is_by = self.restores.iter().any(|one| by == Some(&one.id) && (one.id == restore.id || !run.is_alone));
        prop_assert!(is_by, "promise 4: {volume} loses the tags of member {member}, and none says to whom");
        prop_assert!(run.stage() == 1, "the second stage retires {volume}");
        let may = !seen.attached.contains(volume) || restore.allow_attached;
        prop_assert!(may || !run.is_alone, "{volume} of member {member} is attached, and retired");
        let made: BTreeSet<&str> = restore.made.keys().map(String::as_str).collect();
        for member in restore.members.iter().filter(|_| run.is_alone) {
            let usable = restore.made.get(*member).is_some_and(|made| !seen.unusable.contains(made));
            prop_assert!(usable, "{volume} is retired, and there are only volumes for {made:?}");
        }
        Ok(())
    }
}
