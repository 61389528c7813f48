//! An account in which restores are carried out as the function does, and stop after so many calls.

use std::collections::BTreeSet;

use super::super::filters::{claimants, claims};
use super::super::{
    Made, NewVolume, Observed, Reached, RestorePlan, RestoreRequest, Standing, TagChange, UndoMember, UndoRequest,
    acceptance, plan, plan_undo,
};
use super::fixtures::{now, settings, volume_id};
use crate::backup::tests::fixtures::{MEMBERS, main_of_example};
use crate::ids::{Lineage, Member, VolumeId};
use crate::snapshot::Snapshot;
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// The run was cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CutOff;

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub volumes: Vec<Volume>,
    pub snapshots: Vec<Snapshot>,
    /// How many calls go through; without it, all.
    pub calls: Option<usize>,
    old: BTreeSet<VolumeId>,
    /// The members that are restored: the others' old volumes stay as they are.
    restored: BTreeSet<Member>,
}

impl Account {
    pub(super) fn new(volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> Self {
        let old = volumes.iter().map(|volume| volume.id.clone()).collect();
        Self { volumes, snapshots, calls: None, old, restored: BTreeSet::new() }
    }

    pub(super) fn cut_off_after(mut self, calls: usize) -> Self {
        self.calls = Some(calls);
        self
    }

    pub(super) fn again(mut self) -> Self {
        self.calls = None;
        self
    }

    pub(super) fn plan(&self, request: &RestoreRequest) -> RestorePlan {
        let observed = Observed { snapshots: self.snapshots.clone(), ..self.observed() };
        plan(&observed, request, &settings(), now()).expect("a plan")
    }

    fn observed(&self) -> Observed {
        Observed { volumes: self.volumes.clone(), ..Observed::default() }
    }

    /// Plans, and carries it out. Gives the volumes that were made.
    pub(super) fn apply(&mut self, request: &RestoreRequest) -> Result<Made, CutOff> {
        let plan = self.plan(request);
        assert_eq!(plan.refusals, []);
        self.restored = plan.members.iter().map(|member| member.lineage.member.clone()).collect();
        let mut made = plan.made();
        if plan.is_done() {
            return Ok(made);
        }
        for member in plan.members.iter().filter(|member| member.made.is_none()) {
            made.insert(member.lineage.member.clone(), self.create(&member.new, &member.lineage.member)?);
        }
        let creating = self.volumes.iter_mut().filter(|volume| volume.state == VolumeState::Creating);
        creating.for_each(|volume| volume.state = VolumeState::Available);
        assert_eq!(plan.available(&made, &self.volumes, true), Standing::Clear);
        if !plan.cut_over {
            return Ok(made);
        }
        assert_eq!(plan.standing(&made, &self.volumes, Reached::Made), Standing::Clear);
        self.change(&plan.retirements(&made, &self.volumes, now()).expect("nothing is attached"))?;
        assert_eq!(plan.standing(&made, &self.volumes, Reached::Retired), Standing::Clear);
        self.change(&plan.taggings(&made, &self.volumes).expect("nothing is attached"))?;
        assert_eq!(plan.standing(&made, &self.volumes, Reached::Tagged), Standing::Clear);
        let found = acceptance(&self.volumes, &plan.expected(&made));
        assert!(found.is_ok(), "{found:?}");
        Ok(made)
    }

    /// Plans an undo of these volumes, and carries it out.
    pub(super) fn undo(&mut self, made: Made) -> Result<(), CutOff> {
        let request = UndoRequest { of: main_of_example(), volumes: made, old_volumes: None };
        let request = request.naming_old(&self.volumes);
        let plan = plan_undo(&self.observed(), &request).unwrap_or_else(|refusals| panic!("{refusals:?}"));
        self.change(&plan.retirements(&self.volumes, now()))?;
        self.change(&plan.give_backs(&self.volumes).expect("nobody is in the way"))?;
        // Two that claimed one member before do so again.
        let are_several = |member: &UndoMember| claimants(&self.volumes, &member.lineage).nth(1).is_some();
        let found = acceptance(&self.volumes, &plan.expected());
        assert!(found.is_ok() || plan.members.iter().any(are_several), "{found:?}");
        Ok(())
    }

    /// The volumes that restores have made so far.
    pub(super) fn made(&self) -> Made {
        let of_member = |name: &&str| {
            let id = volume_id(&format!("vol-new-{name}"));
            let is_there = self.volumes.iter().any(|volume| volume.id == id);
            is_there.then(|| (super::fixtures::member(name), id))
        };
        MEMBERS.iter().filter_map(of_member).collect()
    }

    pub(super) fn old(&self) -> Vec<Volume> {
        self.volumes.iter().filter(|volume| self.old.contains(&volume.id)).cloned().collect()
    }

    pub(super) fn new_ones(&self) -> Vec<Volume> {
        self.volumes.iter().filter(|volume| !self.old.contains(&volume.id)).cloned().collect()
    }

    fn call(&mut self) -> Result<(), CutOff> {
        match &mut self.calls {
            Some(0) => return Err(CutOff),
            Some(calls) => *calls -= 1,
            None => {}
        }
        Ok(())
    }

    /// As `CreateVolume` does, once per client token.
    fn create(&mut self, new: &NewVolume, member: &Member) -> Result<VolumeId, CutOff> {
        self.call()?;
        let id = volume_id(&format!("vol-new-{member}"));
        if !self.volumes.iter().any(|volume| volume.id == id) {
            self.volumes.push(Volume {
                id: id.clone(),
                state: VolumeState::Creating,
                zone: new.zone.clone(),
                created: now(),
                snapshot: Some(new.snapshot.clone()),
                tags: new.tags.clone(),
                ..super::fixtures::old_volume("a")
            });
        }
        self.check();
        Ok(id)
    }

    /// Writes all, then takes all, each volume by a call of its own.
    fn change(&mut self, changes: &[(Member, TagChange)]) -> Result<(), CutOff> {
        let changes: Vec<&TagChange> = changes.iter().map(|(_, change)| change).collect();
        for change in changes.iter().filter(|change| !change.write.is_empty()) {
            self.call()?;
            self.find(&change.volume).write(change);
            self.check();
        }
        assert!(changes.iter().all(|change| change.is_written(&self.volumes)));
        for change in changes.iter().filter(|change| !change.take.is_empty()) {
            self.call()?;
            self.find(&change.volume).take(change);
            self.check();
        }
        assert!(changes.iter().all(|change| change.is_taken(&self.volumes)));
        Ok(())
    }

    fn find(&mut self, id: &VolumeId) -> &mut Volume {
        self.volumes.iter_mut().find(|volume| volume.id == *id).expect("it is listed")
    }

    /// What holds after every call: old and new members are never found together, nothing is found that could not be
    /// attached, no volume bears too many tags, and none was made of nothing.
    fn check(&self) {
        let of = |volume: &Volume| {
            let is_found =
                |member: &&Member| claims(&volume.tags, &Lineage { of: main_of_example(), member: (*member).clone() });
            self.restored.iter().find(is_found).cloned()
        };
        let old: Vec<Member> = self.old().iter().filter_map(of).collect();
        let new: Vec<Member> = self.new_ones().iter().filter_map(of).collect();
        assert!(old.is_empty() || new.is_empty(), "found together: old {old:?}, new {new:?}");
        assert_eq!(new.len(), new.iter().collect::<BTreeSet<_>>().len(), "two of one member");
        for volume in self.new_ones() {
            assert!(of(&volume).is_none() || volume.state == VolumeState::Available);
            assert!(volume.snapshot.is_some());
        }
        assert!(self.volumes.iter().all(|volume| tags::count(volume.tags.keys()) <= tags::MOST));
    }
}
