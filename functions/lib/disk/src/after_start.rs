//! What etcd would refuse, or do, after it has started: each may be sound on disk, and the operator would still stand before
//! an etcd that does not serve.

use crate::findings::Findings;
use crate::store::{Alarm, ConfState, Store};
use crate::version::V3_6;

/// Holds what the db says of alarms and members against what etcd makes of it.
pub(crate) fn judge(store: &Store, own: u64, findings: &mut Findings) {
    for alarm in &store.alarms {
        judge_alarm(*alarm, own, findings);
    }
    // In the first seconds of a cluster's life its members may only be in the log.
    let Some(version) = store.version else { return };
    if store.members.is_empty() {
        let what = "the db has no members: etcd 3.6 would panic, and since 3.7 there would never be a leader";
        if version >= V3_6 { findings.corrupt(what) } else { findings.degraded(format!("{what}; up to 3.5 it starts")) }
    }
    let raft = store.conf_state.as_ref().and_then(|raft| raft.as_ref().ok());
    judge_members(store, raft.filter(|raft| raft.names(own)), findings);
}

/// etcd reads them when it starts, and refuses as before (`v3alarm`, `newApplierV3Corrupt`, `newApplierV3Capped`).
fn judge_alarm(alarm: Alarm, own: u64, findings: &mut Findings) {
    match alarm {
        Alarm::NoSpace(member) => findings.degraded(format!(
            "the alarm NOSPACE is set for member {member:x}: etcd takes no writes until it was compacted and defragmented, and \
             `etcdctl alarm disarm` was run"
        )),
        Alarm::Corrupt(member) if member == own => {
            findings.corrupt("the alarm CORRUPT is set: etcd itself found that this member's data differ from the others'");
        }
        Alarm::Corrupt(member) => findings.degraded(format!(
            "the alarm CORRUPT is set for member {member:x}: etcd answers nobody until `etcdctl alarm disarm` was run; let \
             that member join empty"
        )),
        Alarm::Other(member) => {
            findings.degraded(format!("an alarm that is not known here is set for member {member:x}"));
        }
    }
}

/// Up to 3.5 raft's list counts, and etcd's own is not read; since 3.6 etcd's own counts. `etcdutl snapshot restore` makes a
/// new list and leaves raft's as it was: where that does not name the member itself, it tells nothing, and is not given here.
fn judge_members(store: &Store, raft: Option<&ConfState>, findings: &mut Findings) {
    let ids = |wanted: &dyn Fn(&crate::EtcdMember) -> bool| {
        let ids: Vec<String> =
            store.members.iter().filter(|one| wanted(one)).map(|one| format!("{:x}", one.id)).collect();
        (!ids.is_empty()).then(|| ids.join(", "))
    };
    let is_gone = |id: u64| store.removed.contains(&id) || raft.is_some_and(|raft| !raft.names(id));
    if let Some(removed) = ids(&|one| is_gone(one.id)) {
        findings.degraded(format!(
            "members that were removed are still listed ({removed}): etcd 3.6 would count them again; let etcd 3.5.26 or later \
             start on it first (etcd-io/etcd#20967)"
        ));
    }
    let has_a_vote = |id: u64| raft.is_some_and(|raft| raft.voters().contains(&id));
    if let Some(learners) = ids(&|one| one.is_learner && has_a_vote(one.id)) {
        findings.degraded(format!(
            "members that have a vote are listed as learners ({learners}): etcd 3.6 would take it from them; let etcd 3.5.20 or \
             later start on it first (etcd-io/etcd#19557)"
        ));
    }
}

#[cfg(test)]
mod tests;
