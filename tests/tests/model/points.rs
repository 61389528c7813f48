//! The recovery points as anyone can read them from EC2: the model's own grouping.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use scenarios::observed::Snapshot;

use super::verdicts::{self, Verdict};

/// A kops cluster's name and an etcd cluster's.
pub(super) type EtcdCluster = (String, String);

/// The points of an etcd cluster, by slot, in seconds since 1970.
pub(super) type Points = BTreeMap<i64, Point>;

/// Points by etcd cluster.
pub(super) type AllPoints = BTreeMap<EtcdCluster, Points>;

/// The snapshots of one etcd cluster for one slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Point(pub(super) Vec<Taken>);

/// A snapshot of ours.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) member: String,
    pub(super) members: Vec<String>,
    pub(super) volume: String,
    pub(super) state: String,
    pub(super) started: i64,
    pub(super) pinned: bool,
    pub(super) verdict: Verdict,
}

/// Groups what is ours: of this account, with the mark, and of the volume that it names itself.
pub(super) fn points(account: &str, snapshots: &[Snapshot]) -> AllPoints {
    let mut all = AllPoints::new();
    for snapshot in snapshots.iter().filter(|snapshot| snapshot.owner == account) {
        if let Some((of, slot, taken)) = ours(snapshot) {
            all.entry(of).or_default().entry(slot).or_default().0.push(taken);
        }
    }
    all
}

fn ours(snapshot: &Snapshot) -> Option<(EtcdCluster, i64, Taken)> {
    let tags = &snapshot.tags;
    let slot: Timestamp = tags.get("etcd-backup/recovery-point")?.parse().ok()?;
    let named = tags.get("etcd-backup/volume")?.split(' ').find_map(|word| word.strip_prefix("id="))?;
    if named != snapshot.volume {
        return None;
    }
    let (cluster, etcd) = (tags.get("etcd-backup/cluster")?, tags.get("etcd-backup/etcd-cluster")?);
    let (member, members) = tags.get("etcd-backup/member")?.split_once('/')?;
    let taken = Taken {
        id: snapshot.id.clone(),
        member: member.to_owned(),
        members: members.split(',').map(str::to_owned).collect(),
        volume: snapshot.volume.clone(),
        state: snapshot.state.clone(),
        started: snapshot.start_time.as_millisecond(),
        pinned: tags.get("etcd-backup/keep").is_some_and(|value| value != "false"),
        verdict: Verdict::read(tags.get(verdicts::TAG).map(String::as_str)),
    };
    Some(((cluster.clone(), etcd.clone()), slot.as_second(), taken))
}

impl Taken {
    pub(super) fn is_good(&self) -> bool {
        self.state == "pending" || self.state == "completed"
    }
}

impl Point {
    pub(super) fn members(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|taken| &taken.members).map(String::as_str).collect()
    }

    /// How many snapshots in any of these states a member has.
    pub(super) fn count(&self, member: &str, states: &[&str]) -> usize {
        self.0.iter().filter(|taken| taken.member == member && states.contains(&taken.state.as_str())).count()
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.0.is_empty() && self.members().iter().all(|member| self.count(member, &["completed"]) > 0)
    }

    /// Every member has one, and not every one is completed.
    pub(super) fn is_pending(&self) -> bool {
        !self.is_complete() && self.members().iter().all(|member| self.count(member, &["completed", "pending"]) > 0)
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.0.iter().any(|taken| taken.pinned)
    }

    /// The volume that a member's snapshot is of which a restore would take.
    pub(super) fn volume(&self, member: &str) -> Option<&str> {
        self.closest().into_iter().find(|taken| taken.member == member).map(|taken| taken.volume.as_str())
    }

    /// The skew of what a restore would take, in milliseconds.
    pub(super) fn skew(&self) -> Option<i64> {
        skew(&self.closest())
    }

    /// One that a restore would take was found corrupt.
    pub(super) fn is_corrupt(&self) -> bool {
        self.closest().iter().any(|taken| taken.verdict == Verdict::Corrupt)
    }

    /// A member has good snapshots of several volumes: it was replaced while the slot was being taken.
    fn is_contested(&self) -> bool {
        self.members().iter().any(|member| {
            let of_member = self.0.iter().filter(|taken| taken.member == *member && taken.is_good());
            of_member.map(|taken| taken.volume.as_str()).collect::<BTreeSet<_>>().len() > 1
        })
    }

    /// It counts for nothing, though it be complete.
    pub(super) fn is_flawed(&self) -> bool {
        self.is_corrupt() || self.is_contested()
    }

    /// All that a restore would take were found `ok`.
    pub(super) fn is_verified(&self) -> bool {
        self.is_complete() && self.closest().iter().all(|taken| taken.verdict == Verdict::Ok)
    }

    /// What a restore would take: of all the ways to take one completed snapshot a member the one of the smallest
    /// skew, of equal ones the earliest. Nothing, unless the point is complete.
    fn closest(&self) -> Vec<&Taken> {
        let mut sets: Vec<Vec<&Taken>> = vec![Vec::new()];
        for member in self.members() {
            let of_member = |taken: &&Taken| taken.member == member && taken.state == "completed";
            let of_member: Vec<&Taken> = self.0.iter().filter(of_member).collect();
            let with = |set: &Vec<_>| of_member.iter().map(|taken| [&set[..], &[*taken]].concat()).collect::<Vec<_>>();
            sets = sets.iter().flat_map(with).collect();
        }
        let order = |set: &Vec<&Taken>| {
            let mut starts: Vec<_> = set.iter().map(|taken| (taken.started, taken.id.clone())).collect();
            starts.sort_unstable();
            (skew(set), starts)
        };
        sets.into_iter().min_by_key(order).unwrap_or_default()
    }

    /// What is left without these.
    pub(super) fn without(&self, gone: &BTreeSet<String>) -> Self {
        Self(self.0.iter().filter(|taken| !gone.contains(&taken.id)).cloned().collect())
    }
}

fn skew(set: &[&Taken]) -> Option<i64> {
    let starts = || set.iter().map(|taken| taken.started);
    Some(starts().max()? - starts().min()?)
}

/// A slot for people.
pub(super) fn slot_name(slot: i64) -> String {
    Timestamp::from_second(slot).unwrap().to_string()
}
