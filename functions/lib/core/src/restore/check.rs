//! Between the steps of an apply: what EC2 now lists, against the plan.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::filters::{claimants, claims};
use super::new_volume::PRIVATE;
use super::parking::{self, TagChange, discovery, is_retired, is_retired_for};
use super::plan::{EmptiedPlan, MemberPlan, MemberState, RestorePlan};
use super::progress::{failed, rivals};
use super::source::join;
use crate::ids::{Member, VolumeId};
use crate::tags::Tags;
use crate::volume::{Volume, VolumeState};

/// The new volumes, by member.
pub type Made = BTreeMap<Member, VolumeId>;

/// Whether the next step may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Clear,
    /// Not yet: EC2 does not show what was written.
    Wait(String),
    /// Not yet: another restore is to give way first. If it does not, this one must.
    WaitForRival(String),
    /// Another volume is the member's, another restore goes first, or a volume has failed: this one must withdraw.
    Withdraw(String),
    /// This restore was ended by somebody else.
    Over(String),
}

/// How far an apply has come, for [`RestorePlan::standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// The new volumes are made.
    Made,
    /// The old ones are retired.
    Retired,
    /// The new ones have their full tags.
    Tagged,
}

impl RestorePlan {
    /// Whether every new volume can be used. `patience` is over when a volume that is not listed is taken for gone:
    /// EC2's listings lag behind.
    #[must_use]
    pub fn available(&self, made: &Made, volumes: &[Volume], patience: bool) -> Standing {
        let of_one = |(member, id): (&Member, &VolumeId)| match volumes.iter().find(|volume| volume.id == *id) {
            Some(volume) if is_retired(&volume.tags) => undone(member, id),
            Some(volume) if matches!(volume.state, VolumeState::Available | VolumeState::InUse) => Standing::Clear,
            Some(volume) if volume.state == VolumeState::Creating => {
                Standing::Wait(format!("{id} is still `creating`"))
            }
            Some(volume) => Standing::Withdraw(format!("member {member}: {}", failed(volume))),
            None if patience => Standing::Wait(format!("{id} is not listed yet")),
            None => Standing::Withdraw(format!("member {member}: its volume {id} has vanished{}", self.key_of(member))),
        };
        // What is live already may be attached, and is no matter of this run any more.
        worst(made.iter().filter(|(member, _)| self.is_about(member)).map(of_one))
    }

    /// Whether the run is about that member's volume: after the first stage only where it waits to be tagged.
    fn is_about(&self, member: &Member) -> bool {
        let waits = |plan: &MemberPlan| plan.stage == self.stage && plan.state != MemberState::Live;
        self.stage == 1 || self.members.iter().any(|plan| plan.lineage.member == *member && waits(plan))
    }

    /// EC2 makes a volume and drops it again where it may not use the key.
    fn key_of(&self, member: &Member) -> String {
        let plan = self.members.iter().find(|plan| plan.lineage.member == *member);
        let key = plan.and_then(|plan| plan.new.settings.kms_key.as_ref());
        key.map_or(String::new(), |key| format!(": EC2 drops a volume whose KMS key it may not use ({key})"))
    }

    /// Whether nobody else is at these members, and what was written is to be seen.
    #[must_use]
    pub fn standing(&self, made: &Made, volumes: &[Volume], reached: Reached) -> Standing {
        let members = self.members.iter().map(|member| self.of_member(member, made, volumes, reached));
        worst(members.chain(self.emptied.iter().map(|member| self.of_emptied(member, volumes, reached))))
    }

    /// A retired volume that somebody has attached since: an etcd that runs on it goes on, though its tags are taken, and must
    /// not meet the restored members.
    fn attached(&self, old: &[VolumeId], retired: &[VolumeId], volumes: &[Volume], reached: Reached) -> Option<String> {
        let is_retired = |id: &VolumeId| retired.contains(id) || (reached == Reached::Retired && old.contains(id));
        let attached = |volume: &&Volume| volume.is_attached() && is_retired(&volume.id);
        let volume = volumes.iter().find(attached).filter(|_| !self.allow_attached && reached < Reached::Tagged)?;
        Some(format!(
            "{}, which is retired, is attached ({}): detach it, or take its master down",
            volume.id,
            join(&volume.attached_to)
        ))
    }

    /// A member that is to join empty only has to lose its old volumes: what kops makes for it since is as it should be.
    fn of_emptied(&self, plan: &EmptiedPlan, volumes: &[Volume], reached: Reached) -> Standing {
        let shown = claimants(volumes, &plan.lineage).find(|volume| plan.old.contains(&volume.id));
        let shown = shown.filter(|_| reached > Reached::Made);
        let shown = shown.map(|volume| format!("EC2 still shows the tags of {}, which were taken away", volume.id));
        shown.or(self.attached(&plan.old, &plan.retired, volumes, reached)).map_or(Standing::Clear, Standing::Wait)
    }

    fn of_member(&self, plan: &MemberPlan, made: &Made, volumes: &[Volume], reached: Reached) -> Standing {
        let lineage = &plan.lineage;
        let Some(own) = made.get(&lineage.member) else {
            return Standing::Wait(format!("{lineage} has no volume yet"));
        };
        let (mut wait, mut rival) = (None, None);
        match volumes.iter().find(|volume| volume.id == *own) {
            Some(volume) if is_retired(&volume.tags) => return undone(&lineage.member, own),
            Some(volume)
                if reached == Reached::Tagged
                    && plan.stage <= self.stage
                    && plan.state < MemberState::Live
                    && !has(&volume.tags, &plan.full) =>
            {
                wait = Some(format!("EC2 does not show the tags of {own} yet"));
            }
            Some(_) => {}
            None => wait = Some(format!("EC2 does not list {own} yet")),
        }
        if let Some(attached) = self.attached(&plan.old, &plan.retired, volumes, reached) {
            wait = Some(attached);
        }
        // Both restores have marked their volumes before they look. So at least one sees the other, and it is enough
        // that whoever sees another goes on only once that one has given way: the one whose volume is not yet found by
        // anybody, and of two that are equally far the one planned later.
        let is_mine = volumes.iter().any(|volume| volume.id == *own && claims(&volume.tags, lineage));
        for (restore, volume) in rivals(volumes, lineage, Some(&self.id)) {
            let why = format!("restore {restore} is making {} for {lineage}", volume.id);
            match (is_mine, claims(&volume.tags, lineage)) {
                (false, true) => return Standing::Withdraw(why),
                (true, false) => wait = Some(format!("{why}, and has not given way")),
                _ if restore < self.id.as_str() => return Standing::Withdraw(why),
                _ => rival = Some(format!("{why}, and has not given way")),
            }
        }
        let is_rival =
            |volume: &Volume| rivals(volumes, lineage, Some(&self.id)).any(|(_, rival)| rival.id == volume.id);
        for volume in claimants(volumes, lineage).filter(|volume| volume.id != *own && !is_rival(volume)) {
            if !plan.old.contains(&volume.id) {
                return Standing::Withdraw(format!("{} claims {lineage} by now", volume.id));
            }
            if reached > Reached::Made {
                wait = Some(format!("EC2 still shows the tags of {}, which were taken away", volume.id));
            }
        }
        rival.map(Standing::WaitForRival).or(wait.map(Standing::Wait)).unwrap_or(Standing::Clear)
    }

    /// How the old volumes are retired, each with its member. An error: one cannot be, as things are now.
    pub fn retirements(
        &self,
        made: &Made,
        volumes: &[Volume],
        now: Timestamp,
    ) -> Result<Vec<(Member, TagChange)>, String> {
        // Nothing is retired for a volume that could not take its place.
        self.taggings(made, volumes)?;
        let replaced =
            self.members.iter().map(|plan| (&plan.lineage, &plan.old, made.get(&plan.lineage.member), false));
        let emptied = self.emptied.iter().map(|plan| (&plan.lineage, &plan.old, self.heir(made), true));
        let mut retirements = Vec::new();
        for (lineage, old, new, joins_empty) in replaced.chain(emptied) {
            // The client token may have led to a volume that is live already.
            let is_old = |volume: &&Volume| old.contains(&volume.id) && new != Some(&volume.id);
            for volume in volumes.iter().filter(is_old) {
                let begun = is_retired_for(&volume.tags, Some(&self.id), new);
                if discovery(&volume.tags).is_empty() || !(begun || claims(&volume.tags, lineage)) {
                    continue;
                }
                retirements.push((lineage.member.clone(), self.retirement(volume, (new, joins_empty), now)?));
            }
        }
        Ok(retirements)
    }

    fn retirement(
        &self,
        volume: &Volume,
        (new, joins_empty): (Option<&VolumeId>, bool),
        now: Timestamp,
    ) -> Result<TagChange, String> {
        if volume.is_attached() && !self.allow_attached {
            return Err(format!("{} is attached by now: detach it, or plan again with `allow_attached`", volume.id));
        }
        let retirement = if joins_empty {
            parking::retire_emptied(volume, &self.id, new, now)
        } else {
            parking::retire(volume, Some(&self.id), new, now)
        };
        retirement.map_err(|unfit| format!("{}: {unfit}", volume.id))
    }

    /// How this restore's volumes are withdrawn: they cease to be anyone's. Where there is no room to park what they bear
    /// it is taken all the same: the snapshot has it too. Those for inspection are nobody's from the start.
    #[must_use]
    pub fn withdrawals(&self, made: &Made, volumes: &[Volume], now: Timestamp) -> Vec<TagChange> {
        if !self.cut_over {
            return Vec::new();
        }
        let own = made.iter().filter(|(member, _)| self.is_about(member)).map(|(_, id)| id);
        let own = own.filter_map(|id| volumes.iter().find(|volume| volume.id == *id));
        let withdrawal = |volume: &Volume| {
            let without_parking =
                |_| TagChange { volume: volume.id.clone(), write: Tags::new(), take: discovery(&volume.tags) };
            parking::retire(volume, None, None, now).unwrap_or_else(without_parking)
        };
        own.map(withdrawal).filter(|change| !change.take.is_empty()).collect()
    }

    /// What is written on the new volumes, and then taken from them. An error: one can no longer be used.
    pub fn taggings(&self, made: &Made, volumes: &[Volume]) -> Result<Vec<(Member, TagChange)>, String> {
        let mut taggings = Vec::new();
        for plan in self.tagged_by_now().filter(|plan| plan.state != MemberState::Live) {
            let id = made.get(&plan.lineage.member);
            let Some(volume) = volumes.iter().find(|volume| Some(&volume.id) == id) else { continue };
            let write = if has(&volume.tags, &plan.full) { Tags::new() } else { plan.full.clone() };
            // A volume that is not `available` must not be found: protokube would try it all the same.
            if !write.is_empty() && (volume.state != VolumeState::Available || volume.is_attached()) {
                return Err(format!("{} is `{}`, not `available`: detach it", volume.id, volume.state));
            }
            let take =
                PRIVATE.into_iter().filter_map(|key| Some((key.to_owned(), volume.tags.get(key)?.clone()))).collect();
            taggings.push((plan.lineage.member.clone(), TagChange { volume: volume.id.clone(), write, take }));
        }
        Ok(taggings)
    }
}

impl TagChange {
    /// Whether EC2 shows what was written.
    #[must_use]
    pub fn is_written(&self, volumes: &[Volume]) -> bool {
        volumes.iter().any(|volume| volume.id == self.volume && has(&volume.tags, &self.write))
    }

    /// Whether EC2 shows nothing more of what was taken.
    #[must_use]
    pub fn is_taken(&self, volumes: &[Volume]) -> bool {
        let mut shown = volumes.iter().filter(|volume| volume.id == self.volume);
        shown.all(|volume| self.take.iter().all(|(key, value)| volume.tags.get(key) != Some(value)))
    }
}

/// One member's trouble is the whole restore's.
fn worst(standings: impl Iterator<Item = Standing>) -> Standing {
    let badness = |standing: &Standing| match standing {
        Standing::Clear => 0,
        Standing::Wait(_) => 1,
        Standing::WaitForRival(_) => 2,
        Standing::Withdraw(_) => 3,
        Standing::Over(_) => 4,
    };
    standings.max_by_key(badness).unwrap_or(Standing::Clear)
}

fn has(tags: &Tags, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn undone(member: &Member, id: &VolumeId) -> Standing {
    Standing::Over(format!("member {member}: its volume {id} was undone meanwhile: send the undo again"))
}
