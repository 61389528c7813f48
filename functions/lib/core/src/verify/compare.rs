//! The members of a recovery point, side by side: whether they are members of one etcd cluster, and how far apart.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::findings::Findings;
use super::plan::Examination;
use super::result::Spread;
use crate::ids::Member;
use crate::restore::ways_out;
use crate::set::Set;

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Comparison {
    pub spread: Option<Spread>,
    pub best_member: Option<Member>,
    pub warnings: Vec<String>,
}

/// Compares what was found of one point. Revisions and indexes count of those alone that are restorable; and of members
/// of different etcd clusters they say nothing, so nothing is said. Surplus snapshots are left out. Where members
/// contradict each other, the best one is that of the set. `of` is any of the point's.
pub(super) fn compare(of: &Examination, found: &[(&Examination, &Findings)], set: &Set) -> Comparison {
    let found = found.iter().filter(|(one, _)| !one.surplus).map(|(one, findings)| (&one.lineage.member, *findings));
    let restorable: Vec<(&Member, &Findings)> =
        found.filter(|(_, findings)| findings.verdict.is_restorable()).collect();
    let clusters: BTreeSet<u64> = restorable.iter().filter_map(|(_, findings)| findings.cluster_id).collect();
    let spread = if clusters.len() > 1 { None } else { spread(&restorable) };
    match set.contradiction() {
        Some(contradiction) => {
            let ways = ways_out(&of.lineage.of, of.slot, contradiction, false);
            let warning = format!("the members must not be restored together: {contradiction}. {ways}");
            Comparison { spread, best_member: contradiction.remains.best.clone(), warnings: vec![warning] }
        }
        None => Comparison { spread, best_member: best(&restorable).cloned(), warnings: Vec::new() },
    }
}

fn spread(found: &[(&Member, &Findings)]) -> Option<Spread> {
    let revisions: Vec<i64> = found.iter().filter_map(|(_, findings)| findings.revision).collect();
    let indexes: Vec<u64> = found.iter().filter_map(|(_, findings)| findings.wal_last_index).collect();
    let are_several = revisions.len() > 1 && indexes.len() > 1;
    Some(Spread {
        revisions: revisions.iter().max()?.abs_diff(*revisions.iter().min()?),
        indexes: indexes.iter().max()?.abs_diff(*indexes.iter().min()?),
    })
    .filter(|_| are_several)
}

/// The highest revision, for what is rebuilt is made of the database; then the highest WAL index; then one that lacks
/// nothing; then the first name.
fn best<'a>(found: &[(&'a Member, &Findings)]) -> Option<&'a Member> {
    let furthest = found.iter().max_by_key(|(member, findings)| {
        (findings.revision, findings.wal_last_index, Reverse(findings.verdict), Reverse(*member))
    });
    furthest.map(|(member, _)| *member)
}
