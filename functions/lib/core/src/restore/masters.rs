//! The masters of the restored members: how they are taken down, and started again.

use std::collections::BTreeSet;

use super::plan::{Master, Observed};
use super::source::join;
use crate::ids::{InstanceId, Zone};
use crate::volume::Volume;

/// The masters that a restore is about.
pub(super) struct Masters<'a> {
    /// Those to stop, with their groups.
    masters: Vec<&'a Master>,
    /// Of the instances that hold an old volume, those that are no masters by their tags.
    others: BTreeSet<&'a InstanceId>,
}

impl<'a> Masters<'a> {
    pub(super) fn of(observed: &'a Observed, zones: &BTreeSet<&Zone>, attached: &[&'a Volume], whole: bool) -> Self {
        let holds = |master: &Master| attached.iter().any(|volume| volume.attached_to.contains(&master.instance));
        let concerned = |master: &&Master| whole || holds(master) || zones.contains(&master.zone);
        let is_master = |id: &&InstanceId| observed.masters.iter().any(|master| master.instance == **id);
        let others = attached.iter().flat_map(|volume| &volume.attached_to).filter(|id| !is_master(id));
        Self { masters: observed.masters.iter().filter(concerned).collect(), others: others.collect() }
    }

    /// All down before any starts: a member that is taken back must not meet one that went on.
    pub(super) fn down(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let groups: Vec<_> = self.groups().into_iter().filter(|(_, instances)| !instances.is_empty()).collect();
        if !groups.is_empty() {
            let groups = groups.into_iter().map(|(group, instances)| format!("{group} ({instances})"));
            steps.push(format!(
                "Note the sizes of these Auto Scaling groups, and set the minimum and desired capacity of each to 0: {}",
                groups.collect::<Vec<_>>().join(", ")
            ));
        }
        let single: Vec<&InstanceId> = self.single().collect();
        if !single.is_empty() {
            steps.push(format!("Stop these instances, which are of no Auto Scaling group: {}", join(single)));
        }
        if !self.others.is_empty() {
            steps.push(format!("Stop these instances, or detach their volumes: {}", join(&self.others)));
        }
        if steps.is_empty() {
            steps.push("See to it that no master of these members runs: none was found by its tags".to_owned());
        }
        steps
    }

    pub(super) fn up(&self, several: bool) -> String {
        let mut what = Vec::new();
        let groups: Vec<&str> = self.groups().into_iter().map(|(group, _)| group).collect();
        if !groups.is_empty() {
            what.push(format!("set these Auto Scaling groups back to their sizes: {}", groups.join(", ")));
        }
        let single: Vec<&InstanceId> = self.single().collect();
        if !single.is_empty() {
            what.push(format!("start {}", join(single)));
        }
        if what.is_empty() {
            what.push("start the masters".to_owned());
        }
        let together =
            if several { ", all masters together, none of which may have run since they went down" } else { "" };
        format!(
            "Start etcd{together}: {}. Replace a master that went on running with its old volume: once etcd-manager has mounted \
             one, it looks for no other",
            what.join("; ")
        )
    }

    /// Each with its instances that are not yet gone.
    fn groups(&self) -> Vec<(&'a str, String)> {
        let names: BTreeSet<&str> = self.masters.iter().filter_map(|master| master.group.as_deref()).collect();
        let instances = |group: &str| {
            let of_group =
                self.masters.iter().filter(|master| master.group.as_deref() == Some(group) && !master.is_terminated);
            join(of_group.map(|master| &master.instance))
        };
        names.into_iter().map(|group| (group, instances(group))).collect()
    }

    fn single(&self) -> impl Iterator<Item = &'a InstanceId> {
        self.masters
            .iter()
            .filter(|master| master.group.is_none() && !master.is_terminated)
            .map(|master| &master.instance)
    }
}
