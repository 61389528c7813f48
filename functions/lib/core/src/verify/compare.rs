//! The members of a recovery point, side by side: whether they are members of one etcd cluster, and how far apart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::plan::Examination;
use super::result::Spread;
use crate::ids::Member;

/// What the comparison says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Comparison {
    pub spread: Option<Spread>,
    pub best_member: Option<Member>,
    pub warnings: Vec<String>,
}

/// Compares what was found of one point. Revisions and indexes count of those alone that are restorable; and of members
/// of different etcd clusters they say nothing, so nothing is said. Surplus snapshots are left out.
pub(super) fn compare(found: &[(&Examination, &Findings)]) -> Comparison {
    let found: Vec<(&Member, &Findings)> =
        found.iter().filter(|(one, _)| !one.surplus).map(|(one, findings)| (&one.lineage.member, *findings)).collect();
    let mut warnings: Vec<String> = clusters_differ(&found).into_iter().collect();
    let is_one_cluster = warnings.is_empty();
    warnings.extend(equal_members(&found));
    let restorable = found.iter().copied().filter(|(_, findings)| is_one_cluster && findings.verdict.is_restorable());
    let restorable: Vec<(&Member, &Findings)> = restorable.collect();
    Comparison { spread: spread(&restorable), best_member: best(&restorable).cloned(), warnings }
}

fn clusters_differ(found: &[(&Member, &Findings)]) -> Option<String> {
    let ids: BTreeSet<u64> = found.iter().filter_map(|(_, findings)| findings.cluster_id).collect();
    let said = |(member, findings): &(&Member, &Findings)| Some(format!("{member} {:x}", findings.cluster_id?));
    (ids.len() > 1).then(|| {
        let said: Vec<String> = found.iter().filter_map(said).collect();
        format!(
            "the members are not of one etcd cluster, by their cluster ids: {}. Has one been made anew, on a blank volume? \
             They must not be restored together, and their revisions and indexes cannot be compared",
            said.join(", ")
        )
    })
}

fn equal_members(found: &[(&Member, &Findings)]) -> Vec<String> {
    let mut members: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (member, findings) in found {
        if let Some(id) = findings.member_id {
            members.entry(id).or_default().push(member.as_str());
        }
    }
    let equal = members.into_iter().filter(|(_, members)| members.len() > 1);
    let warning = |(id, members): (u64, Vec<&str>)| {
        let members = members.join(" and ");
        format!(
            "{members} have the same member id {id:x}: they hold the data of one member, and must not be restored together"
        )
    };
    equal.map(warning).collect()
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
