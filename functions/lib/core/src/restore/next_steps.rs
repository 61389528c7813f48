//! What the operator does, in order.

use std::collections::BTreeSet;

use super::plan::{Master, MemberPlan, Observed};
use super::source::{Sources, join};
use crate::ids::{VolumeId, Zone};
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
        return (vec!["Send the event under `apply`".to_owned()], vec![after]);
    }
    let old: BTreeSet<&VolumeId> = members.iter().flat_map(|member| &member.old).collect();
    let attached = observed.volumes.iter().filter(|volume| old.contains(&volume.id) && volume.is_attached()).collect();
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
    before.push("Send the event under `apply`".to_owned());
    let mut after = masters.up(sources.expected.len() > 1);
    after.push(format!(
        "Check etcd ({}): `etcdctl endpoint status`, then `kubectl get nodes`. If it is not what it should be, take the \
         masters down again and send the event under `undo`",
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
    let masters = Masters::of(observed, zones, &Vec::new(), true);
    let mut after = masters.up(true);
    after.push(RESUME.to_owned());
    after.push(format!("The volumes that were restored are retired, not deleted: {}", join(new.iter().copied())));
    after
}

const PAUSE: &str = "Pause whatever runs `kops update cluster`: until the restore is accepted it would stop with an error, or \
                     take tags away";
const RESUME: &str = "Let `kops update cluster` run again; a dry run of it must show no change of these volumes";

struct Masters<'a> {
    /// Those to stop, with their groups.
    masters: Vec<&'a Master>,
    /// Of the instances that hold an old volume, those that are no masters by their tags.
    others: BTreeSet<String>,
}

impl<'a> Masters<'a> {
    fn of(observed: &'a Observed, zones: &BTreeSet<&Zone>, attached: &Vec<&Volume>, whole: bool) -> Self {
        let holds = |master: &Master| attached.iter().any(|volume| volume.attached_to.contains(&master.instance));
        let concerned = |master: &&Master| whole || holds(master) || zones.contains(&master.zone);
        let is_master = |id: &&crate::ids::InstanceId| observed.masters.iter().any(|master| master.instance == **id);
        let others = attached.iter().flat_map(|volume| &volume.attached_to).filter(|id| !is_master(id));
        Self {
            masters: observed.masters.iter().filter(concerned).collect(),
            others: others.map(ToString::to_string).collect(),
        }
    }

    /// All down before any starts: a member that is taken back must not meet one that went on.
    fn down(&self) -> Vec<String> {
        let mut steps: Vec<String> = self.groups().into_iter().map(|(group, instances)| {
            format!("Note the sizes of the Auto Scaling group {group}, and set its minimum and desired capacity to 0 ({instances})")
        }).collect();
        steps.extend(
            self.single()
                .map(|instance| format!("Stop the instance {instance}: no Auto Scaling group would start another")),
        );
        steps.extend(self.others.iter().map(|id| format!("Stop the instance {id}, or detach its volume")));
        if self.masters.is_empty() && self.others.is_empty() {
            steps.push("See to it that no master of these members runs: none was found by its tags".to_owned());
        }
        steps
    }

    fn up(&self, several: bool) -> Vec<String> {
        let mut what: Vec<String> =
            self.groups().into_iter().map(|(group, _)| format!("set {group} back to its sizes")).collect();
        what.extend(self.single().map(|instance| format!("start {instance}")));
        if what.is_empty() {
            what.push("start the masters".to_owned());
        }
        let together =
            if several { ", all masters together, none of which may have run since they went down" } else { "" };
        vec![format!(
            "Start etcd{together}: {}. A master that is still running must be replaced: etcd-manager never looks for volumes \
             again",
            what.join("; ")
        )]
    }

    fn groups(&self) -> Vec<(&'a str, String)> {
        let names: BTreeSet<&str> = self.masters.iter().filter_map(|master| master.group.as_deref()).collect();
        let instances = |group: &str| {
            let of_group = self.masters.iter().filter(|master| master.group.as_deref() == Some(group));
            join(of_group.map(|master| &master.instance))
        };
        names.into_iter().map(|group| (group, instances(group))).collect()
    }

    fn single(&self) -> impl Iterator<Item = &'a crate::ids::InstanceId> {
        self.masters.iter().filter(|master| master.group.is_none()).map(|master| &master.instance)
    }
}
