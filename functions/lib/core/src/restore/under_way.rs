//! Restores that have volumes that are not yet the members': read from the volumes' marks by whoever sees them.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::claimants;
use super::id::RestoreId;
use super::parking::is_retired;
use super::progress::{made_by, member_of, quoted, replaced_by, undo_event};
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Lineage, Member, SnapshotId, VolumeId};
use crate::raft::quorum;
use crate::snapshot::Snapshot;
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// A restore whose volumes wait to be the members', or for somebody to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// The restore.
    pub id: String,
    /// The volumes that wait, by member, each with the snapshot that it was made from.
    pub waiting: BTreeMap<Member, (VolumeId, Option<SnapshotId>)>,
    /// Whether they wait for their stage to be applied: all of the first stage are tagged.
    pub is_between_stages: bool,
}

/// The restores that have volumes among these. Those for inspection are nobody's, and none of them.
#[must_use]
pub fn under_way(volumes: &[Volume]) -> Vec<UnderWay> {
    let mut all: BTreeMap<(EtcdClusterId, String), UnderWay> = BTreeMap::new();
    for volume in volumes {
        let Some((lineage, id)) = waits_for(volume) else { continue };
        let none = || UnderWay {
            of: lineage.of.clone(),
            id: id.to_owned(),
            waiting: BTreeMap::new(),
            is_between_stages: true,
        };
        let one = all.entry((lineage.of.clone(), id.to_owned())).or_insert_with(none);
        // `2/2`: of the last stage.
        let mark = volume.tags.get(tags::STAGE).and_then(|mark| mark.split_once('/'));
        one.is_between_stages &= mark.is_some_and(|(stage, of)| stage == of);
        one.waiting.insert(lineage.member, (volume.id.clone(), volume.snapshot.clone()));
    }
    all.into_values().collect()
}

/// The member that a volume is being made for, and by which restore.
fn waits_for(volume: &Volume) -> Option<(Lineage, &str)> {
    let id = volume.tags.get(tags::RESTORE)?;
    let (etcd_cluster, member) = volume.tags.get(tags::LINEAGE)?.split_once('/')?;
    let of = EtcdClusterId {
        cluster: Cluster::parse(volume.tags.get(tags::CLUSTER)?).ok()?,
        etcd_cluster: EtcdCluster::parse(etcd_cluster).ok()?,
    };
    let lineage = Lineage { of, member: Member::parse(member).ok()? };
    let is_over = is_retired(&volume.tags) || volume.is_leaving() || volume.state == VolumeState::Error;
    (!is_over).then_some((lineage, id))
}

impl UnderWay {
    /// The snapshots that its waiting volumes were made from.
    pub fn made_from(&self) -> impl Iterator<Item = &SnapshotId> {
        self.waiting.values().filter_map(|(_, snapshot)| snapshot.as_ref())
    }

    /// How to go on with it, and how to take it back: for messages.
    #[must_use]
    pub fn told(&self, volumes: &[Volume], snapshots: &[Snapshot]) -> String {
        let undo = undo_event(&self.of, &self.made(volumes), volumes);
        match self.then(volumes, snapshots) {
            Some(then) => format!(
                "its first stage is tagged, and {} waits for the second. When the members of the first are healthy, send: \
                 {then}. Or take it back: {undo}",
                self.waiting.keys().map(Member::as_str).collect::<Vec<_>>().join(", ")
            ),
            None => format!("if it was interrupted, send its `apply` event again, or take it back: {undo}"),
        }
    }

    /// The volumes that it has made, by member.
    fn made(&self, volumes: &[Volume]) -> BTreeMap<String, String> {
        let mut made = made_by(volumes, &self.of, &self.id);
        let members = volumes.iter().filter_map(|volume| Member::parse(&member_of(&volume.tags, &self.of)?).ok());
        for member in members.collect::<BTreeSet<Member>>() {
            made.extend(self.live(&member, volumes).map(|volume| (member.to_string(), volume.id.to_string())));
        }
        made
    }

    /// The event of the stage that its volumes wait for, as an operator sends it.
    fn then(&self, volumes: &[Volume], snapshots: &[Snapshot]) -> Option<String> {
        if !self.is_between_stages {
            return None;
        }
        let made_from = self.waiting.values().find_map(|(_, snapshot)| snapshot.as_ref())?;
        let ours = snapshots.iter().find(|snapshot| snapshot.id == *made_from)?.ours()?;
        let is_first = |member: &&Member| self.live(member, volumes).is_some();
        let first: Vec<Member> = ours.members.iter().filter(is_first).cloned().collect();
        let waiting: Vec<Member> = self.waiting.keys().cloned().collect();
        // Where one of them is gone, the others are no quorum, and nothing may join them.
        if first.len() < quorum(ours.members.len()) {
            return None;
        }
        let retired = quoted(replaced_by(&self.made(volumes), volumes));
        let of_first = first.iter().filter_map(|member| Some((member, self.live(member, volumes)?.snapshot.as_ref()?)));
        let of_waiting = self.waiting.iter().filter_map(|(member, (_, snapshot))| Some((member, snapshot.as_ref()?)));
        let snapshots: BTreeMap<&Member, &SnapshotId> = of_first.chain(of_waiting).collect();
        let snapshots: Vec<String> =
            snapshots.into_iter().map(|(member, snapshot)| format!("\"{member}\": \"{snapshot}\"")).collect();
        let (snapshots, first, waiting) = (snapshots.join(", "), quoted(&first), quoted(&waiting));
        let EtcdClusterId { cluster, etcd_cluster } = &self.of;
        Some(format!(
            "{{\"mode\": \"apply\", \"cluster\": \"{cluster}\", \"etcd_cluster\": \"{etcd_cluster}\", \"recovery_point\": \
             \"{}\", \"snapshots\": {{{snapshots}}}, \"retire\": [{retired}], \"stages\": [[{first}], [{waiting}]], \
             \"stage\": 2, \"id\": \"{}\"}}",
            ours.slot, self.id
        ))
    }

    /// The volume of this restore that is the member's by now. kops makes none from a snapshot.
    fn live<'v>(&self, member: &Member, volumes: &'v [Volume]) -> Option<&'v Volume> {
        if self.waiting.contains_key(member) {
            return None;
        }
        let planned = RestoreId::parse(&self.id).ok()?.planned();
        let lineage = Lineage { of: self.of.clone(), member: member.clone() };
        // An old volume may tell that another restore made it.
        let of_another = |volume: &Volume| {
            let mut old =
                volumes.iter().filter(|old| old.tags.get(tags::REPLACED_BY).is_some_and(|by| by == volume.id.as_str()));
            old.any(|old| old.tags.get(tags::RESTORE).is_some_and(|restore| *restore != self.id))
        };
        let of_it = |volume: &&Volume| volume.snapshot.is_some() && volume.created >= planned && !of_another(volume);
        claimants(volumes, &lineage).find(of_it)
    }
}
