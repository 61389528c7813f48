//! What is left to do when etcd runs again: it has gone back in time, and its clients have not.

use super::source::{Behind, Sources, join};
use crate::ids::Member;
use crate::raft::quorum;

/// From which etcd-manager on a member without data is replaced by etcd-manager itself (kops 1.35.2, 1.36).
const REPLACES_EMPTY: &str = "v3.0.20260531";

/// The check, and what a cluster that was taken back calls for. Fewer members than a quorum take nothing back.
pub(super) fn steps(sources: &Sources<'_>) -> Vec<String> {
    let mut steps = vec![format!(
        "Check etcd ({}; README, `etcdctl on a master`): `etcdctl endpoint status --cluster` and `etcdctl endpoint hashkv --cluster`, whose hashes must be \
         equal at equal revisions; then `kubectl get nodes`. If it is not what it should be, take the masters down again and \
         send the event under `undo` of the apply's answer",
        sources.of
    )];
    if sources.members.len() < quorum(sources.expected.len()) {
        return steps;
    }
    steps.push(format!(
        "{}. Nodes, controllers and kube-proxy remember revisions that etcd will give out once more, and would miss changes: \
         replace all of them, `kops rolling-update cluster --force --yes` (kubernetes#107457, #131115)",
        gone_back(sources)
    ));
    if sources.of.etcd_cluster.as_str() == "main" {
        steps.push(
            "Where API servers are gone that were there at the point, remove their addresses: `etcdctl del --prefix \
             /registry/masterleases/`; those that run write theirs again"
                .to_owned(),
        );
    }
    steps.push(
        "Where clients outside the cluster watch etcd too, make an etcd of one member's snapshot whose revisions are all new: \
         `etcdutl snapshot restore … --bump-revision 1000000000 --mark-compacted` (README, `Inspection, and an etcd made of one member`)"
            .to_owned(),
    );
    steps
}

fn gone_back(sources: &Sources<'_>) -> String {
    let of = &sources.of;
    match (sources.behind, sources.slot) {
        (Some(Behind { to, newest, from }), _) => {
            let back = from - to;
            format!("{of} goes back by at least {back} revisions, from {from} (point {newest}) to about {to}")
        }
        (None, Some(slot)) => format!("{of} goes back to {slot}: what was written since is lost"),
        (None, None) => format!("{of} goes back to when the snapshot was taken: what was written since is lost"),
    }
}

/// How members whose volumes were retired come back.
pub(super) fn join_empty<'a>(emptied: impl Iterator<Item = &'a Member>) -> Option<String> {
    let emptied: Vec<&Member> = emptied.collect();
    (!emptied.is_empty()).then(|| {
        format!(
            "Let {} join empty, when the others are healthy: `kops update cluster --yes` makes a blank volume for each, then \
             start its master. etcd-manager from {REPLACES_EMPTY} on (kops 1.35.2) removes and adds the member by itself after \
             a minute; with an older one first `etcdctl member list` and `etcdctl member remove <id>` for each (README, `One \
             of three members lost`)",
            join(emptied)
        )
    })
}
