//! Refusals: each has a stable type, a cause that can be seen, and changes nothing.

use proptest::prop_assert;
use scenarios::FunctionError;
use serde_json::Value;

use super::delivery::{Run, Sent};
use super::moments::Moment;
use super::operations::Positions;
use super::restores::Restore;
use super::world::{MEMBERS, POINTS, World};
use crate::sequences::Kept;

impl World<'_> {
    pub(super) fn check_refused(&self, run: &Run, error: &FunctionError) -> Kept {
        let restore = &self.restores[run.of];
        self.tally.add(name(&error.error_type), 1);
        prop_assert!(
            run.changes.is_empty() || !run.is_alone,
            "{error}, and yet {:?} was changed",
            run.changes.iter().map(|change| &change.volume).collect::<Vec<_>>()
        );
        let may_be = self.is_justified(run, restore, &error.error_type);
        prop_assert!(may_be || !run.is_alone, "promise 6: {:?} is refused without a cause: {error}", run.sent);
        Ok(())
    }

    fn is_justified(&self, run: &Run, restore: &Restore, why: &str) -> bool {
        let now = &run.start;
        let others_claim = || Self::others_claim(restore, now);
        if run.sent == Sent::Undo {
            return match why {
                "VolumeAttached" => restore.made.values().any(|volume| now.attached.contains(volume)),
                "MemberClaimed" => others_claim(),
                "RestoreInProgress" => self.others_wait(restore, now),
                "NothingToUndo" => {
                    let is_parked = |volume: &String| now.tag(volume, "etcd-backup/restore") == Some(&restore.id);
                    restore.is_for_inspection || !restore.retired.iter().any(is_parked)
                }
                "NotOurs" => restore.made.values().any(|volume| !now.tags.contains_key(volume)),
                _ => false,
            };
        }
        match why {
            // The second stage retires none.
            "MemberClaimed" => others_claim() && (!restore.replace || matches!(run.sent, Sent::Then { .. })),
            "VolumeAttached" => !restore.allow_attached && Self::others_are_attached(restore, now),
            "RestoreInProgress" => self.others_wait(restore, now),
            "QuorumNotUp" => {
                let Sent::Then { allow_unattached } = run.sent else { return false };
                let mut first = restore.made_up_to(1);
                first.any(|(member, volume)| {
                    !now.claims(volume, member) || !(allow_unattached || run.up.contains(volume))
                })
            }
            "CorruptSnapshot" => self.is_judged(restore, "corrupt"),
            "PlanChanged" => {
                let may_have_other_stages = self.setup.points[restore.point] == Positions::InStages;
                restore.stages.len() > 1 || may_have_other_stages || Self::others_than_shown(restore, now)
            }
            "PositionUnknown" => !self.is_known(restore),
            "InvalidRequest" => restore.is_over(now) || self.is_over_by_another(restore, now),
            _ => false,
        }
    }

    /// Whether volumes that it has not made, nor retired, are its members'.
    fn others_claim(restore: &Restore, now: &Moment) -> bool {
        let members = restore.members.iter().chain(&restore.emptied);
        members.flat_map(|member| now.claimants(member)).any(|volume| !restore.has_made(volume))
    }

    /// Whether its members' volumes are not those that its plan showed.
    fn others_than_shown(restore: &Restore, now: &Moment) -> bool {
        let shown: Vec<&str> = restore.apply["retire"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let members = restore.members.iter().chain(&restore.emptied);
        let mut claimants = members.flat_map(|member| now.claimants(member));
        claimants.any(|volume| !restore.has_made(volume) && !shown.contains(&volume))
            || (restore.made.is_empty() && shown.iter().any(|volume| now.member(volume).is_none()))
    }

    fn others_are_attached(restore: &Restore, now: &Moment) -> bool {
        now.attached.iter().any(|volume| !restore.has_made(volume) && now.member(volume).is_some())
    }

    fn others_wait(&self, restore: &Restore, now: &Moment) -> bool {
        let mut others = self.restores.iter().filter(|other| other.id != restore.id);
        let is_of = |member: &str| restore.members.iter().chain(&restore.emptied).any(|one| *one == member);
        others.any(|other| other.waiting(now).any(|(member, _)| is_of(member)))
    }

    fn is_judged(&self, restore: &Restore, found: &str) -> bool {
        let snapshots = &self.snapshots[restore.point];
        let of = restore.members.iter().filter_map(|member| snapshots.get(*member));
        of.into_iter().any(|(id, _)| self.judged.get(id).is_some_and(|judged| *judged == found))
    }

    fn is_known(&self, restore: &Restore) -> bool {
        self.setup.points[restore.point] != Positions::Unknown
            && !self.is_judged(restore, "corrupt")
            && !self.is_judged(restore, "unsupported")
    }

    /// The caveat of what replaced nothing: another restore's volume of the same snapshot, retired, counts as its own.
    fn is_over_by_another(&self, restore: &Restore, now: &Moment) -> bool {
        let others = self.restores.iter().filter(|other| other.id != restore.id && other.point == restore.point);
        others.into_iter().any(|other| other.is_over(now))
    }

    /// What a plan says stands in the way does.
    pub(super) async fn check_plans_refusals(&self, plan: &Value, event: &Value, emptied: &[&str]) -> Kept {
        let now = self.now().await;
        let point = POINTS.iter().position(|slot| plan["recovery_point"] == *slot).unwrap_or_default();
        let of_event = |member: &&&str| {
            let named = event["members"].as_array();
            named.is_none_or(|named| named.iter().any(|one| one == **member))
        };
        let members: Vec<&'static str> = MEMBERS.iter().filter(of_event).copied().collect();
        let all: Vec<&str> = members.iter().chain(emptied).copied().collect();
        for refusal in plan["refusals"].as_array().into_iter().flatten() {
            let why = refusal["type"].as_str().unwrap();
            self.tally.add(name(why), 1);
            let claimants = || all.iter().flat_map(|member| now.claimants(member));
            let may_be = match why {
                "MemberClaimed" => event["replace"] == false && claimants().next().is_some(),
                "VolumeAttached" => claimants().any(|volume| now.attached.contains(volume)),
                "RestoreInProgress" => self.restores.iter().any(|one| one.waiting(&now).next().is_some()),
                "CorruptSnapshot" | "PositionUnknown" => {
                    let snapshots = members.iter().filter_map(|member| self.snapshots[point].get(*member));
                    let mut judged = snapshots.filter_map(|(id, _)| self.judged.get(id));
                    judged.next().is_some() || self.setup.points[point] == Positions::Unknown
                }
                _ => false,
            };
            prop_assert!(may_be, "{event} cannot be applied without a cause: {refusal}");
        }
        Ok(())
    }
}

/// For the tally; promise 7: there are no others.
fn name(error_type: &str) -> &'static str {
    const TYPES: [&str; 17] = [
        "InvalidRequest",
        "NoSuchRecoveryPoint",
        "IncompleteRecoveryPoint",
        "PositionUnknown",
        "SetContradicts",
        "QuorumNotUp",
        "PlanChanged",
        "Foreign",
        "MemberClaimed",
        "MemberRollback",
        "VolumeAttached",
        "SnapshotNotCompleted",
        "SnapshotArchived",
        "CorruptSnapshot",
        "NotOurs",
        "RestoreInProgress",
        "NothingToUndo",
    ];
    let known = TYPES.into_iter().find(|one| *one == error_type);
    known.unwrap_or_else(|| panic!("promise 7: {error_type} is no type of the contract"))
}
