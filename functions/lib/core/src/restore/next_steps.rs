//! What the operator does, in order.

use std::collections::BTreeSet;

use super::plan::{Master, MemberPlan, Observed};
use super::source::{Sources, join};
use crate::ids::{InstanceId, VolumeId, Zone};
use crate::volume::Volume;

/// Before the plan is applied, and after.
pub(super) fn of_restore(
    observed: &Observed,
    sources: &Sources<'_>,
    members: &[MemberPlan],
    cut_over: bool,
) -> (Vec<String>, Vec<String>) {
    let zones: BTreeSet<&Zone> = members.iter().map(|member| &member.new.zone).collect();
    if !cut_over {
        let after = format!(
            "Attach each new volume to an instance in its zone ({}) and mount it read-only (`mount -o ro`; README, \
             `inspection`). Delete it by hand when you are done",
            join(zones)
        );
        return (vec![SEND.to_owned()], vec![after]);
    }
    let old: BTreeSet<&VolumeId> = members.iter().flat_map(|member| &member.old).collect();
    let attached: Vec<&Volume> =
        observed.volumes.iter().filter(|volume| old.contains(&volume.id) && volume.is_attached()).collect();
    let whole = members.len() == sources.expected.len();
    let masters = Masters::of(observed, &zones, &attached, whole);
    let mut before = vec![PAUSE.to_owned()];
    before.extend(masters.down());
    if !attached.is_empty() {
        before.push(format!(
            "Wait until these volumes are `available`: {}",
            join(attached.iter().map(|volume| &volume.id))
        ));
    }
    before.push(SEND.to_owned());
    let mut after = vec![masters.up(sources.expected.len() > 1)];
    after.push(format!(
        "Check etcd ({}): `etcdctl endpoint status`, then `kubectl get nodes`. If it is not what it should be, take the \
         masters down again and send the event under `undo` of the apply's answer",
        sources.of
    ));
    after.push(RESUME.to_owned());
    let retired: BTreeSet<&VolumeId> =
        members.iter().flat_map(|member| member.old.iter().chain(&member.retired)).collect();
    if !retired.is_empty() {
        after.push(format!(
            "Keep the retired volumes as long as you may want to undo, then delete them by hand: {}",
            join(retired)
        ));
    }
    (before, after)
}

/// Before an undo, whose masters must be down by then, and after.
pub(super) fn of_undo(observed: &Observed, zones: &BTreeSet<&Zone>, new: &[&VolumeId]) -> Vec<String> {
    let masters = Masters::of(observed, zones, &[], true);
    let mut after = vec![masters.up(true)];
    after.push(RESUME.to_owned());
    after.push(format!("The volumes that were restored are retired, not deleted: {}", join(new.iter().copied())));
    after
}

const PAUSE: &str = "Pause whatever runs `kops update cluster`: until the restore is accepted it would stop with an error, or \
                     take tags away";
const SEND: &str = "Send the event under `apply` of this answer";
const RESUME: &str =
    "Let `kops update cluster` run again; a dry run of it must neither make nor replace one of these volumes";

struct Masters<'a> {
    /// Those to stop, with their groups.
    masters: Vec<&'a Master>,
    /// Of the instances that hold an old volume, those that are no masters by their tags.
    others: BTreeSet<&'a InstanceId>,
}

impl<'a> Masters<'a> {
    fn of(observed: &'a Observed, zones: &BTreeSet<&Zone>, attached: &[&'a Volume], whole: bool) -> Self {
        let holds = |master: &Master| attached.iter().any(|volume| volume.attached_to.contains(&master.instance));
        let concerned = |master: &&Master| whole || holds(master) || zones.contains(&master.zone);
        let is_master = |id: &&InstanceId| observed.masters.iter().any(|master| master.instance == **id);
        let others = attached.iter().flat_map(|volume| &volume.attached_to).filter(|id| !is_master(id));
        Self { masters: observed.masters.iter().filter(concerned).collect(), others: others.collect() }
    }

    /// All down before any starts: a member that is taken back must not meet one that went on.
    fn down(&self) -> Vec<String> {
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

    fn up(&self, several: bool) -> String {
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
            "Start etcd{together}: {}. A master that is still running must be replaced: etcd-manager never looks for volumes \
             again",
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
