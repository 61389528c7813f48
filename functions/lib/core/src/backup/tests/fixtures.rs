//! Volumes, snapshots and recovery points that read as sentences.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::super::{Request, Settings, Trigger};
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Lineage, Member, SnapshotId, VolumeId, Zone};
use crate::marks::{Description, digest, pack};
use crate::raft::{LogEnd, Position, Voters};
use crate::recovery_point::RecoveryPoint;
use crate::retention::Policy;
use crate::scope::{ClusterSet, Scope};
use crate::slot::{Period, Slot};
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::tags::{self, Membership, RecordedVolume, Tags};
use crate::verdict::{Verdict, Verified};
use crate::volume::{Volume, VolumeState};

pub(crate) const MEMBERS: [&str; 3] = ["a", "b", "c"];

pub(crate) fn main_of_example() -> EtcdClusterId {
    EtcdClusterId {
        cluster: Cluster::parse("k8s.example.com").expect("a cluster"),
        etcd_cluster: EtcdCluster::parse("main").expect("an etcd cluster"),
    }
}

/// A snapshot of ours, of one of three members, started on the slot.
pub(crate) fn our_snapshot(slot: &str, member: &str, state: SnapshotState) -> OurSnapshot {
    let slot = Slot::parse(slot).expect("a slot");
    OurSnapshot {
        id: SnapshotId::parse(&format!("snap-{member}-{slot}")).expect("an id"),
        lineage: Lineage { of: main_of_example(), member: Member::parse(member).expect("a member") },
        members: MEMBERS.iter().map(|member| Member::parse(member).expect("a member")).collect::<BTreeSet<_>>(),
        slot,
        volume: RecordedVolume {
            id: VolumeId::parse(&format!("vol-{member}")).expect("an id"),
            volume_type: "gp3".to_owned(),
            size_gib: 20,
            iops: Some(3000),
            throughput: Some(125),
            zone: Zone::parse(&format!("eu-central-1{member}")).expect("a zone"),
            encrypted: true,
            kms_key: None,
        },
        state,
        state_message: None,
        started: slot.time(),
        pinned: false,
        verified: None,
        request: "another".to_owned(),
        accepts_members: false,
    }
}

/// What `verify` writes of a sound member of three, in term 2, its database as far as its log.
pub(crate) fn stood(member: &str, last: u64, commit: u64) -> String {
    let id = |member: &str| MEMBERS.iter().position(|one| *one == member).map_or(0xa4, |n| 0xa1 + n as u64);
    let position = Position {
        last: LogEnd { term: 2, index: last },
        term: 2,
        commit,
        commit_term: 2,
        revision: i64::try_from(last).ok(),
        index: Some(last),
        cluster: Some(0xc1),
        member: Some(id(member)),
        voters: Some(Voters::of(MEMBERS.map(id))),
    };
    let at = "2026-11-23T02:01:07Z".parse().expect("a time");
    Verified { position: Some(position), ..Verified::new(Verdict::Ok, at) }.to_string()
}

/// A point of members a, b, ... in these states.
pub(crate) fn point(slot: &str, states: &[SnapshotState]) -> RecoveryPoint {
    let snapshots = MEMBERS.iter().zip(states).map(|(member, state)| our_snapshot(slot, member, *state));
    RecoveryPoint::new(Slot::parse(slot).expect("a slot"), snapshots.collect())
}

impl RecoveryPoint {
    /// Its last member's snapshot was late by so much.
    pub(crate) fn skewed_by_ms(mut self, late: i64) -> Self {
        let snapshot = self.snapshots.last_mut().expect("a snapshot");
        snapshot.started += SignedDuration::from_millis(late);
        self
    }

    /// One of its snapshots is pinned.
    pub(crate) fn pinned(mut self) -> Self {
        self.snapshots.last_mut().expect("a snapshot").pinned = true;
        self
    }

    /// One member's snapshots were found so.
    pub(crate) fn found(mut self, member: &str, verified: &str) -> Self {
        for snapshot in self.snapshots.iter_mut().filter(|snapshot| snapshot.lineage.member.as_str() == member) {
            snapshot.verified = Some(verified.to_owned());
        }
        self
    }

    /// One member's snapshots were found corrupt.
    pub(crate) fn corrupt(self) -> Self {
        self.found("b", "corrupt at=2026-11-23T02:01:07Z reason=both bbolt metas are broken")
    }

    /// All were found sound, and equally far.
    pub(crate) fn verified(self) -> Self {
        MEMBERS.into_iter().fold(self, |point, member| point.stood(member, 100, 100))
    }

    /// One member was found sound, its log ending at that index, and so much of it known to be committed.
    pub(crate) fn stood(self, member: &str, last: u64, commit: u64) -> Self {
        self.found(member, &stood(member, last, commit))
    }

    /// One member was found sound, and of another etcd than the others.
    pub(crate) fn of_another_etcd(self, member: &str) -> Self {
        self.found(member, &stood(member, 100, 100).replace("cluster=c1", "cluster=c2"))
    }

    /// One member's snapshots are of that volume.
    pub(crate) fn of_volume(mut self, member: &str, volume: &str) -> Self {
        for snapshot in self.snapshots.iter_mut().filter(|snapshot| snapshot.lineage.member.as_str() == member) {
            snapshot.volume.id = VolumeId::parse(volume).expect("an id");
        }
        self
    }
}

impl Settings {
    /// Prunes by that policy, without a limit; five seconds of skew are allowed.
    pub(crate) fn keeping(policy: Policy) -> Self {
        Self {
            policy,
            prune: true,
            period: Period::new(SignedDuration::from_hours(1)).expect("a period"),
            max_prune: usize::MAX,
            max_skew: SignedDuration::from_secs(5),
        }
    }

    /// As [`Self::keeping`], in the words of `RETENTION`.
    pub(crate) fn retention(policy: &str) -> Self {
        Self::keeping(Policy::parse(policy).expect("a policy"))
    }

    /// Deletes at most so many snapshots per etcd cluster.
    pub(crate) fn at_most(mut self, max_prune: usize) -> Self {
        self.max_prune = max_prune;
        self
    }
}

impl OurSnapshot {
    /// What EC2 lists of it.
    pub(crate) fn observed(&self) -> Snapshot {
        let membership = Membership { member: self.lineage.member.clone(), members: self.members.clone() };
        let EtcdClusterId { cluster, etcd_cluster } = &self.lineage.of;
        let volume = Tags::from([
            (tags::CLUSTER.to_owned(), cluster.to_string()),
            (self.lineage.of.etcd_key(), membership.to_string()),
        ]);
        let mut tags = Tags::from([
            (tags::SNAPSHOT_CLUSTER.to_owned(), cluster.to_string()),
            (tags::SNAPSHOT_ETCD_CLUSTER.to_owned(), etcd_cluster.to_string()),
            (tags::SNAPSHOT_MEMBER.to_owned(), membership.to_string()),
            (tags::RECOVERY_POINT.to_owned(), self.slot.to_string()),
            (tags::VOLUME.to_owned(), self.volume.to_string()),
            (tags::TRIGGER.to_owned(), "schedule".to_owned()),
        ]);
        tags.extend(pack(&volume));
        let description =
            Description { request: self.request.clone(), marks: digest(&tags), accepts_members: self.accepts_members };
        if self.pinned {
            tags.insert(tags::KEEP.to_owned(), "true".to_owned());
        }
        if let Some(verified) = &self.verified {
            tags.insert(tags::VERIFIED.to_owned(), verified.clone());
        }
        Snapshot {
            id: self.id.clone(),
            volume: self.volume.id.clone(),
            state: self.state,
            state_message: self.state_message.clone(),
            started: self.started,
            description: description.to_string(),
            own: true,
            owner: "123456789012".to_owned(),
            size_gib: self.volume.size_gib,
            encrypted: self.volume.encrypted,
            kms_key: self.volume.kms_key.clone(),
            archived: false,
            tags,
        }
    }
}

impl RecoveryPoint {
    /// What EC2 lists of it.
    pub(crate) fn observed(&self) -> Vec<Snapshot> {
        self.snapshots.iter().map(OurSnapshot::observed).collect()
    }
}

impl Snapshot {
    pub(crate) fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without_tag(mut self, key: &str) -> Self {
        self.tags.remove(key).expect("the tag");
        self
    }

    pub(crate) fn started_at(self, time: &str) -> Self {
        Self { started: time.parse().expect("a time"), ..self }
    }

    /// A copy: another id, and a volume id that says nothing, as EC2 gives to copies.
    pub(crate) fn copied(self) -> Self {
        let id = format!("{}-copy", self.id);
        self.copied_as(&id)
    }

    pub(crate) fn copied_as(mut self, id: &str) -> Self {
        self.id = SnapshotId::parse(id).expect("an id");
        self.volume = VolumeId::parse("vol-ffffffff").expect("an id");
        self
    }

    /// Taken by the invocation of that request id.
    pub(crate) fn taken_by(mut self, request: &str) -> Self {
        let mut description = Description::parse(&self.description).expect("one of ours");
        description.request = request.to_owned();
        self.description = description.to_string();
        self
    }

    /// As the tool writes it of a volume with these tags.
    pub(crate) fn of_volume_with(mut self, tags: &Tags) -> Self {
        self.tags.retain(|key, _| !key.starts_with(tags::ORIGINALS_PREFIX));
        self.tags.extend(pack(tags));
        self.marked(&[])
    }

    /// As the tool writes it, with these marks instead.
    pub(crate) fn marked(mut self, marks: &[(&str, &str)]) -> Self {
        self.tags.extend(marks.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let mut description = Description::parse(&self.description).expect("one of ours");
        description.marks = digest(&self.tags);
        self.description = description.to_string();
        self
    }
}

impl Volume {
    /// The attached volume of one of three members.
    pub(crate) fn of_member(member: &str) -> Self {
        let tags =
            [(tags::CLUSTER, "k8s.example.com"), ("k8s.io/etcd/main", &format!("{member}/{}", MEMBERS.join(",")))];
        Self {
            id: VolumeId::parse(&format!("vol-{member}")).expect("an id"),
            state: VolumeState::InUse,
            zone: Zone::parse(&format!("eu-central-1{member}")).expect("a zone"),
            size_gib: 20,
            volume_type: "gp3".to_owned(),
            iops: Some(3000),
            throughput: Some(125),
            encrypted: true,
            kms_key: None,
            created: "2026-01-01T00:00:00Z".parse().expect("a time"),
            snapshot: None,
            attached_to: Vec::new(),
            attached_since: None,
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        }
    }

    pub(crate) fn named(mut self, id: &str) -> Self {
        self.id = VolumeId::parse(id).expect("an id");
        self
    }

    pub(crate) fn in_state(mut self, state: VolumeState) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn tagged(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without_tag(mut self, key: &str) -> Self {
        self.tags.remove(key).expect("the tag");
        self
    }
}

impl Request {
    /// A scheduled run over everything, which prunes.
    pub(crate) fn scheduled(time: &str) -> Self {
        let scope = Scope { clusters: ClusterSet::All, etcd_cluster: None };
        let trigger = Trigger::Schedule(time.parse().expect("a time"));
        Self {
            id: "scheduled".to_owned(),
            trigger,
            scope,
            keep: false,
            prune: true,
            accept_members: false,
            dry_run: false,
        }
    }

    /// A run by hand over everything, which does not prune.
    pub(crate) fn by_hand(id: &str) -> Self {
        let run = Self::scheduled("2026-11-23T02:00:00Z");
        Self { id: id.to_owned(), trigger: Trigger::Manual, prune: false, ..run }
    }

    /// Over these clusters alone.
    pub(crate) fn of_clusters(mut self, names: &[&str]) -> Self {
        let names = names.iter().map(|name| Cluster::parse(name).expect("a cluster"));
        self.scope.clusters = ClusterSet::Named(names.collect());
        self
    }

    /// Over that etcd cluster alone.
    pub(crate) fn of_etcd_cluster(mut self, name: &str) -> Self {
        self.scope.etcd_cluster = Some(EtcdCluster::parse(name).expect("an etcd cluster"));
        self
    }
}
