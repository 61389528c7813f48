//! What a delivery answers, against what it did.

use proptest::prelude::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};
use scenarios::tags::Tags;
use serde_json::{Value, json};

use super::delivery::{Answer, Run, Sent};
use super::operations::Trouble;
use super::restores::Restore;
use super::world::{CLUSTER, World};
use crate::sequences::Kept;

impl World<'_> {
    pub(super) async fn apply(&mut self, which: u8, trouble: Trouble) -> Kept {
        let Some(of) = self.restore(which) else { return Ok(()) };
        self.send(of, Sent::Apply, trouble).await
    }

    pub(super) async fn then(&mut self, which: u8, allow_unattached: bool, trouble: Trouble) -> Kept {
        let Some(of) = self.restore(which) else { return Ok(()) };
        self.send(of, Sent::Then { allow_unattached }, trouble).await
    }

    pub(super) async fn undo(&mut self, which: u8, trouble: Trouble) -> Kept {
        let Some(of) = self.restore(which) else { return Ok(()) };
        self.send(of, Sent::Undo, trouble).await
    }

    pub(super) async fn at_once(&mut self, one: u8, other: u8) -> Kept {
        let Some(one) = self.restore(one) else { return Ok(()) };
        let other = if other == 2 { self.restore(1).unwrap_or(one) } else { one };
        self.tally.add(if one == other { "the same twice at once" } else { "two restores at once" }, 1);
        for run in self.deliver_both([one, other]).await? {
            self.check(&run)?;
            self.remember(&run);
        }
        Ok(())
    }

    /// Delivers an event, if there is one by now, and checks all that came of it.
    pub(super) async fn send(&mut self, of: usize, sent: Sent, trouble: Trouble) -> Kept {
        let Some(event) = self.event(of, sent) else { return Ok(()) };
        let run = self.deliver(of, sent, &event, trouble).await?;
        self.check(&run)?;
        self.remember(&run);
        match &run.answer {
            Ok(answer) if sent != Sent::Undo => self.check_again(&run, answer, &event).await,
            Ok(_) => Ok(()),
            Err(_) => self.check_under_way(&run).await,
        }
    }

    fn remember(&mut self, run: &Run) {
        let restore = &mut self.restores[run.of];
        let Ok(answer) = &run.answer else { return };
        if run.sent != Sent::Undo {
            restore.has_applied = true;
        }
        if answer["then"].is_object() {
            restore.then = Some(answer["then"].clone());
        }
    }

    pub(super) fn check(&self, run: &Run) -> Kept {
        self.check_changes(run)?;
        let restore = &self.restores[run.of];
        match &run.answer {
            Ok(answer) if run.sent == Sent::Undo => self.check_undone(run, restore, answer),
            Ok(answer) => self.check_applied(run, restore, answer),
            Err(error) if error.error_type == "Runtime.ExitError" => {
                prop_assert!(matches!(run.trouble, Trouble::Dies { .. }), "it died by itself: {error}");
                Ok(())
            }
            Err(error) if error.error_type == "RestoreInterrupted" => {
                self.tally.add("interrupted", 1);
                let quiet = [Trouble::None, Trouble::Slow].contains(&run.trouble) && run.is_alone;
                let may_be = !quiet || Self::is_attached_by(restore, run);
                prop_assert!(may_be, "{:?} stopped without a cause: {error}", run.sent);
                Ok(())
            }
            Err(error) => self.check_refused(run, error),
        }
    }

    /// A volume that a master holds is not tagged, though it was made by the same restore.
    fn is_attached_by(restore: &Restore, run: &Run) -> bool {
        restore.made.values().any(|volume| run.start.attached.contains(volume))
    }

    fn check_applied(&self, run: &Run, restore: &Restore, answer: &Value) -> Kept {
        prop_assert_eq!(&answer["outcome"], "applied");
        self.tally.add(if run.stage() == 2 { "second stage applied" } else { "applied" }, 1);
        let new = |member: &str| {
            let members = answer["members"].as_array().unwrap();
            members.iter().find(|one| one["member"] == member).and_then(|one| one["new_volume"].as_str())
        };
        for member in &restore.members {
            let Some(volume) = new(member) else {
                return Err(TestCaseError::fail(format!("applied, and {member} has no volume: {answer}")));
            };
            let is_own = restore.made.get(*member).is_some_and(|made| made == volume);
            prop_assert!(is_own || self.is_taken_for_own(restore, volume), "{volume} is not {}'s", restore.id);
            let claimants = run.end.claimants(member);
            if restore.is_for_inspection {
                prop_assert!(!claimants.contains(&volume), "{volume} is for inspection, and member {member}'s");
            } else if restore.stage_of(member) <= run.stage() && run.is_alone {
                let others = claimants.iter().filter(|other| **other != volume);
                let others: Vec<_> = others.filter(|other| run.start.tags.contains_key(**other)).collect();
                prop_assert!(claimants.contains(&volume), "applied, and {volume} is not member {member}'s");
                prop_assert!(others.is_empty(), "applied, and {others:?} are member {member}'s too");
            }
        }
        if restore.is_for_inspection {
            let created = run.changes.iter().all(|change| change.action == "CreateVolume");
            prop_assert!(created || !run.is_alone, "for inspection, and something was changed");
            return Ok(());
        }
        // A half-done undo has given another volume its `Name` back: kops then finds two, and the answer says so.
        let is_named = |(volume, tags): (&String, &Tags)| {
            let name = |member: &&str| format!("{member}.etcd-main.{CLUSTER}");
            let is_of_one = |found: &String| restore.members.iter().any(|member| *found == name(member));
            !restore.has_made(volume) && tags.get("Name").is_some_and(is_of_one)
        };
        let is_named_by_another = run.end.tags.iter().any(is_named);
        if !matches!(run.trouble, Trouble::Claimed { .. }) && run.is_alone && !is_named_by_another {
            let all_ok = json!({"protokube": "ok", "etcd_manager": "ok", "kops": "ok"});
            prop_assert_eq!(&answer["acceptance"], &all_ok, "{}", answer);
        }
        let waits = restore.waiting(&run.end).count() > 0;
        if run.is_alone {
            prop_assert_eq!(
                answer["then"].is_object(),
                waits,
                "`then` where a stage is left, and only there: {}",
                answer
            );
        }
        Ok(())
    }

    /// The caveat: what replaced nothing cannot be told from another restore's volume of the same snapshot.
    fn is_taken_for_own(&self, restore: &Restore, volume: &str) -> bool {
        self.maker(volume).is_some_and(|maker| maker.point == restore.point)
    }

    fn check_undone(&self, run: &Run, restore: &Restore, answer: &Value) -> Kept {
        prop_assert_eq!(&answer["outcome"], "undone");
        self.tally.add(if restore.has_applied { "undone" } else { "undone on the way" }, 1);
        for (volume, before) in &restore.before {
            if let Some(tags) = run.end.tags.get(volume).filter(|_| restore.retired.contains(volume)) {
                prop_assert_eq!(tags, before, "promise 4: {} is not as before {}", volume, restore.id);
            }
        }
        for (member, volume) in &restore.made {
            let Some(tags) = run.end.tags.get(volume) else { continue };
            let is_found = run.end.claims(volume, member) || tags.contains_key("Name");
            prop_assert!(!is_found, "promise 4: {volume} is found after the undo: {tags:?}");
        }
        Ok(())
    }

    /// The same event again changes nothing.
    async fn check_again(&mut self, run: &Run, answer: &Value, event: &Value) -> Kept {
        let claimed = matches!(run.trouble, Trouble::Claimed { .. } | Trouble::Attached { .. });
        if claimed {
            return Ok(());
        }
        let again = match self.look(event).await? {
            Ok(again) => again,
            Err(error) => return Err(TestCaseError::fail(format!("promise 5: applied, and then: {error}"))),
        };
        let steps = again["steps"].as_array().unwrap();
        prop_assert!(steps.iter().all(|step| step["state"] == "already"), "promise 5: {again}");
        prop_assert_eq!(&again["undo"], &answer["undo"], "promise 5: another undo");
        let undo = json!(self.restores[run.of].undo()["volumes"]);
        let is_own = self.restores[run.of].made.len() == self.restores[run.of].members.len();
        prop_assert!(!is_own || again["undo"].is_null() || again["undo"]["volumes"] == undo, "{again}");
        self.tally.add("already", 1);
        Ok(())
    }

    /// What must not change anything.
    pub(super) async fn look(&self, event: &Value) -> Result<Answer, TestCaseError> {
        let before = self.now().await;
        self.account.forget_calls().await;
        let answer = self.function.invoke(event.clone()).await;
        let writes = self.account.writes().await;
        prop_assert!(writes.is_empty(), "promise 8: {event} changed something: {writes:?}");
        prop_assert_eq!(before.tags, self.now().await.tags);
        Ok(answer)
    }
}
