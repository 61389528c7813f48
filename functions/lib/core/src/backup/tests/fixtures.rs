//! Volumes, snapshots and recovery points that read as sentences.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::super::Settings;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, Lineage, Member, SnapshotId, VolumeId, Zone};
use crate::recovery_point::RecoveryPoint;
use crate::retention::Policy;
use crate::slot::{Period, Slot};
use crate::snapshot::{OurSnapshot, SnapshotState};
use crate::tags::RecordedVolume;

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
        description: String::new(),
    }
}

/// A point of members a, b, ... in these states.
pub(crate) fn point(slot: &str, states: &[SnapshotState]) -> RecoveryPoint {
    let snapshots = MEMBERS.iter().zip(states).map(|(member, state)| our_snapshot(slot, member, *state));
    RecoveryPoint { slot: Slot::parse(slot).expect("a slot"), snapshots: snapshots.collect() }
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
