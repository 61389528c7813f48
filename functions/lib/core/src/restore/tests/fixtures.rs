//! Restores that read as sentences: what there is, what is asked for, and what came of it in words.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::super::{
    Allow, Apply, At, ForeignSnapshots, Made, Master, Observed, Overrides, Pins, Refusal, RestoreId, RestorePlan,
    RestoreRequest, Settings, TagChange, UndoRequest, What, parking, plan,
};
use crate::backup::tests::fixtures::{MEMBERS, main_of_example, point};
use crate::ids::{InstanceId, Lineage, Member, SnapshotId, VolumeId, Zone};
use crate::recovery_point::RecoveryPoint;
use crate::scope::ClusterSet;
use crate::slot::Slot;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags::{self, Tags};
use crate::volume::{Volume, VolumeState};

pub(super) const SLOT: &str = "2026-11-23T02:00:00Z";
pub(super) const OLDER_SLOT: &str = "2026-11-23T01:00:00Z";
/// The restore of the tables, one planned before it, and one planned after it.
pub(super) const ID: &str = "20261123T021500.041Z-1a2b3c4d";
pub(super) const EARLIER_ID: &str = "20261123T021500.040Z-ffffffff";
pub(super) const LATER_ID: &str = "20261123T021500.042Z-00000000";

pub(super) fn now() -> Timestamp {
    "2026-11-23T02:30:00Z".parse().expect("a time")
}

pub(super) fn id() -> RestoreId {
    restore_id(ID)
}

pub(super) fn restore_id(id: &str) -> RestoreId {
    RestoreId::parse(id).expect("an id")
}

pub(super) fn member(name: &str) -> Member {
    Member::parse(name).expect("a member")
}

pub(super) fn volume_id(id: &str) -> VolumeId {
    VolumeId::parse(id).expect("an id")
}

pub(super) fn lineage(name: &str) -> Lineage {
    Lineage { of: main_of_example(), member: member(name) }
}

pub(super) fn snapshot_of(member: &str) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{member}-{SLOT}")).expect("an id")
}

pub(super) fn tags_of<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

/// The tags that kops gives to a member's volume.
pub(super) fn kops_tags(member: &str) -> Tags {
    tags_of([
        ("Name", format!("{member}.etcd-main.k8s.example.com").as_str()),
        ("KubernetesCluster", "k8s.example.com"),
        ("k8s.io/etcd/main", &format!("{member}/{}", MEMBERS.join(","))),
        ("k8s.io/role/master", "1"),
        ("k8s.io/role/control-plane", "1"),
        ("kubernetes.io/cluster/k8s.example.com", "owned"),
    ])
}

/// The detached volume of one of three members, with all that kops gives to it.
pub(super) fn old_volume(member: &str) -> Volume {
    let volume = Volume::of_member(member).in_state(VolumeState::Available);
    Volume { tags: kops_tags(member), ..volume }
}

pub(super) fn old_volumes() -> Vec<Volume> {
    MEMBERS.map(old_volume).to_vec()
}

/// The volume that the restore of that id makes of member's snapshot: `vol-new-<member>`, marked and `available`.
pub(super) fn new_volume(member: &str, restore: &str) -> Volume {
    let marked = tags_of([
        ("Name", format!("{member}.etcd-main.k8s.example.com").as_str()),
        ("KubernetesCluster", "k8s.example.com"),
        ("etcd-backup/restore", restore),
        ("etcd-backup/lineage", &format!("main/{member}")),
    ]);
    let volume = old_volume(member).named(&format!("vol-new-{member}"));
    let created = "2026-11-23T02:20:00Z".parse().expect("a time");
    Volume { tags: marked, created, snapshot: Some(snapshot_of(member)), ..volume }
}

/// The same once it is the member's.
pub(super) fn live_volume(member: &str) -> Volume {
    Volume { tags: kops_tags(member), ..new_volume(member, ID) }
}

/// The old volume of a member, retired in favour of the one that [`new_volume`] makes.
pub(super) fn retired(name: &str) -> Volume {
    let new = volume_id(&format!("vol-new-{name}"));
    let retirement = parking::retire(&old_volume(name), Some(&id()), Some(&new), now()).expect("it fits");
    old_volume(name).changed(&retirement)
}

/// The complete point of [`SLOT`], whose members can be started in any order.
pub(super) fn verified_point() -> RecoveryPoint {
    point(SLOT, &[SnapshotState::Completed; 3]).verified()
}

/// The same point, whose members must be started in stages: c and a, then b.
pub(super) fn staged_point() -> RecoveryPoint {
    verified_point().stood("a", 584, 584).stood("b", 528, 524).stood("c", 648, 645)
}

/// Its snapshots.
pub(super) fn snapshots() -> Vec<Snapshot> {
    verified_point().observed()
}

/// An etcd cluster of one member: its volume and its snapshot.
pub(super) fn of_one() -> (Volume, Snapshot) {
    let volume = old_volume("a").tagged("k8s.io/etcd/main", "a/a");
    (volume, snapshots().remove(0).marked(&[("etcd-backup/member", "a/a")]))
}

pub(super) fn master(instance: &str, zone: &str, group: Option<&str>) -> Master {
    Master {
        instance: instance_id(instance),
        zone: Zone::parse(zone).expect("a zone"),
        group: group.map(str::to_owned),
        is_terminated: false,
    }
}

pub(super) fn instance_id(id: &str) -> InstanceId {
    InstanceId::parse(id).expect("an id")
}

pub(super) fn settings() -> Settings {
    Settings { clusters: ClusterSet::All, max_skew: SignedDuration::from_secs(5), foreign: ForeignSnapshots::Off }
}

impl Volume {
    pub(super) fn attached_to(mut self, instance: &str) -> Self {
        self.state = VolumeState::InUse;
        self.attached_to = vec![instance_id(instance)];
        self
    }

    /// Attached for so many seconds by [`now`].
    pub(super) fn attached_for(self, seconds: i64) -> Self {
        let since = Some(now() - SignedDuration::from_secs(seconds));
        Self { attached_since: since, ..self.attached_to("i-1") }
    }

    pub(super) fn made_from(mut self, snapshot: &str) -> Self {
        self.snapshot = Some(SnapshotId::parse(snapshot).expect("an id"));
        self
    }

    pub(super) fn created_at(mut self, time: &str) -> Self {
        self.created = time.parse().expect("a time");
        self
    }

    /// As EC2 would after both calls.
    pub(super) fn changed(mut self, change: &TagChange) -> Self {
        assert_eq!(self.id, change.volume);
        self.write(change);
        self.take(change);
        self
    }

    pub(super) fn write(&mut self, change: &TagChange) {
        self.tags.extend(change.write.clone());
    }

    /// As EC2 does: a tag goes only with the value that is named.
    pub(super) fn take(&mut self, change: &TagChange) {
        self.tags.retain(|key, value| change.take.get(key) != Some(value));
    }
}

impl RestoreRequest {
    /// Some point, all members, nothing allowed.
    pub(super) fn of_point(at: At) -> Self {
        Self {
            id: id(),
            what: What::Point { of: main_of_example(), at, members: None },
            zone: None,
            replace: false,
            cut_over: true,
            empty_others: false,
            apply: None,
            allowed: BTreeSet::new(),
            overrides: Overrides::default(),
        }
    }

    pub(super) fn of_slot(slot: &str) -> Self {
        Self::of_point(At::Slot(Slot::parse(slot).expect("a slot")))
    }

    pub(super) fn of_latest() -> Self {
        Self::of_point(At::Latest { verified: false })
    }

    pub(super) fn of_members(mut self, names: &[&str]) -> Self {
        let What::Point { members, .. } = &mut self.what else { panic!("of a snapshot") };
        *members = Some(names.iter().map(|name| member(name)).collect());
        self
    }

    pub(super) fn replacing(mut self) -> Self {
        self.replace = true;
        self
    }

    pub(super) fn for_inspection(mut self) -> Self {
        self.cut_over = false;
        self
    }

    /// The others join empty.
    pub(super) fn emptying_others(mut self) -> Self {
        self.empty_others = true;
        self
    }

    /// As the plan's event has it.
    pub(super) fn applying(mut self, stages: &[&[&str]], stage: usize) -> Self {
        let stages = stages.iter().map(|stage| stage.iter().map(|name| member(name)).collect()).collect();
        self.apply = Some(Apply { stages, stage, pins: Pins::default() });
        self
    }

    pub(super) fn allowing(mut self, what: Allow) -> Self {
        self.allowed.insert(what);
        self
    }
}

/// The point of [`SLOT`], whatever lives now.
pub(super) fn of_slot() -> RestoreRequest {
    RestoreRequest::of_slot(SLOT).replacing()
}

pub(super) fn try_plan(
    request: &RestoreRequest,
    volumes: Vec<Volume>,
    snapshots: Vec<Snapshot>,
) -> Result<RestorePlan, Refusal> {
    let observed = Observed { volumes, snapshots, ..Observed::default() };
    plan(&observed, request, &settings(), now())
}

pub(super) fn planned(request: &RestoreRequest, volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> RestorePlan {
    try_plan(request, volumes, snapshots).expect("a plan")
}

/// What stands in a plan's way, in the order in which it is said.
pub(super) fn in_the_way(plan: &RestorePlan) -> Vec<&'static str> {
    plan.refusals.iter().map(|refusal| refusal.kind.name()).collect()
}

/// The members of each stage: `[["c", "a"], ["b"]]`.
pub(super) fn stages(plan: &RestorePlan) -> Vec<Vec<&str>> {
    plan.stages.iter().map(|stage| stage.iter().map(Member::as_str).collect()).collect()
}

/// The new volumes of these members, as [`new_volume`] names them.
pub(super) fn made(members: &[&str]) -> Made {
    members.iter().map(|name| (member(name), volume_id(&format!("vol-new-{name}")))).collect()
}

pub(super) fn undo_of(volumes: &[(&str, &str)]) -> UndoRequest {
    let volumes = volumes.iter().map(|(name, volume)| (member(name), volume_id(volume)));
    UndoRequest { of: main_of_example(), volumes: volumes.collect::<BTreeMap<_, _>>(), old_volumes: None }
}

impl UndoRequest {
    /// Names all the volumes that bear the marks of retired ones, as the `undo` of an apply's answer does.
    pub(super) fn naming_old(&self, volumes: &[Volume]) -> Self {
        let retired = volumes.iter().filter(|volume| volume.tags.contains_key(tags::REPLACED_BY));
        Self { old_volumes: Some(retired.map(|volume| volume.id.clone()).collect()), ..self.clone() }
    }
}
