//! What the operator does, in order.

use std::collections::BTreeSet;

use super::after_restore;
use super::masters::Masters;
use super::plan::{EmptiedPlan, MemberPlan, Observed};
use super::request::RestoreRequest;
use super::source::{Sources, join};
use crate::ids::{Member, VolumeId, Zone};
use crate::volume::Volume;

/// Before the plan is applied, and after.
pub(super) fn of_restore(
    observed: &Observed,
    request: &RestoreRequest,
    sources: &Sources<'_>,
    (members, emptied): (&[MemberPlan], &[EmptiedPlan]),
    stages: &[Vec<Member>],
) -> (Vec<String>, Vec<String>) {
    let zones: BTreeSet<&Zone> = members.iter().map(|member| &member.new.zone).collect();
    if !request.cut_over {
        let after = format!(
            "Attach each new volume to an instance in its zone ({}) and mount it read-only (`mount -o ro`; README, \
             `inspection`). Delete it by hand when you are done",
            join(zones)
        );
        return (vec![SEND.to_owned()], vec![after]);
    }
    let old = members.iter().flat_map(|member| &member.old).chain(emptied.iter().flat_map(|member| &member.old));
    let old: BTreeSet<&VolumeId> = old.collect();
    let attached: Vec<&Volume> =
        observed.volumes.iter().filter(|volume| old.contains(&volume.id) && volume.is_attached()).collect();
    let whole = members.len() + emptied.len() == sources.expected.len();
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
    let mut after = if request.is_later_stage() { Vec::new() } else { start(&masters, sources, stages) };
    after.extend(after_restore::steps(sources));
    after.push(RESUME.to_owned());
    after.extend(after_restore::join_empty(emptied.iter().map(|member| &member.lineage.member)));
    let retired = members.iter().flat_map(|member| member.old.iter().chain(&member.retired));
    let retired: BTreeSet<&VolumeId> =
        retired.chain(emptied.iter().flat_map(|member| member.old.iter().chain(&member.retired))).collect();
    if !retired.is_empty() {
        after.push(format!(
            "Keep the retired volumes as long as you may want to undo, then delete them by hand: {}",
            join(retired)
        ));
    }
    (before, after)
}

/// How the members are started that are tagged together, and what the others wait for.
fn start(masters: &Masters<'_>, sources: &Sources<'_>, stages: &[Vec<Member>]) -> Vec<String> {
    let mut steps = vec![masters.up(sources.expected.len() > 1)];
    let [first, second, ..] = stages else { return steps };
    steps.push(format!(
        "Wait until the members of the first stage are healthy: {}. `etcdctl endpoint health --cluster` must say so of each \
         (README, `etcdctl on a master`). The masters \
         of the others ({}) may run: their volumes are nobody's yet, and they wait for them. Do not tag these by hand: a \
         member that starts too early can leave another one stuck for ever, without an error",
        join(first),
        join(second)
    ));
    steps.push(format!(
        "Send the event under `then` of the apply's answer: it tags the others ({}). It is refused until the volumes of the \
         first stage have been attached for a minute",
        join(second)
    ));
    steps
}

/// Before an undo, whose masters must be down by then, and after.
pub(super) fn of_undo(observed: &Observed, zones: &BTreeSet<&Zone>, new: &[&VolumeId]) -> Vec<String> {
    let masters = Masters::of(observed, zones, &[], true);
    let mut after = vec![masters.up(true)];
    after.push(RESUME.to_owned());
    after.push(format!("The volumes that were restored are retired, not deleted: {}", join(new.iter().copied())));
    after
}

const PAUSE: &str = "Pause whatever runs `kops update cluster`: until the last stage of the restore is accepted it would stop with an \
                     error, take tags away, or tag a volume too early";
const SEND: &str = "Send the event under `apply` of this answer to the restore function";
const RESUME: &str =
    "Let `kops update cluster` run again; a dry run of it must neither make nor replace one of these volumes";
