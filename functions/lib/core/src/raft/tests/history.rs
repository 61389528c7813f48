//! Histories of a small raft cluster: elections, appends, replication, commits, in whatever order; and each member's disk
//! copied at a moment of its own.

use std::fmt;

use proptest::prelude::*;

/// What a member has on its disk.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    /// The term of each entry; the first has the index 1.
    pub(super) log: Vec<u64>,
    pub(super) term: u64,
    pub(super) vote: Option<usize>,
    pub(super) commit: usize,
    /// The term in which it learned that.
    pub(super) commit_term: u64,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in term {}, {} committed", self.log, self.term, self.commit)
    }
}

impl Disk {
    fn learn(&mut self, commit: usize) {
        if commit > self.commit {
            (self.commit, self.commit_term) = (commit, self.term);
        }
    }

    /// By which raft compares logs.
    pub(super) fn end(&self) -> (u64, usize) {
        (self.log.last().copied().unwrap_or_default(), self.log.len())
    }
}

/// No log grows longer.
const LONGEST: usize = 8;

/// The running cluster.
struct Cluster {
    disks: Vec<Disk>,
    /// Who leads, and in which term, as far as it knows; and how much of its log each member has confirmed.
    leading: Vec<Option<(u64, Vec<usize>)>>,
    copies: Vec<Option<Disk>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// Asks those of a bit mask for their vote.
    Campaign(usize, u8),
    /// The nth of those that believe they lead appends an entry.
    Append(usize),
    /// The nth of these sends a follower so much of its log, with what it knows to be committed.
    Replicate(usize, usize, usize),
    /// The nth of these commits what a quorum has confirmed.
    Commit(usize),
    /// The volume is snapshotted.
    Copy(usize),
}

impl Cluster {
    fn new(members: usize) -> Self {
        let disk = Disk { log: Vec::new(), term: 0, vote: None, commit: 0, commit_term: 0 };
        Self { disks: vec![disk; members], leading: vec![None; members], copies: vec![None; members] }
    }

    fn quorum(&self) -> usize {
        self.disks.len() / 2 + 1
    }

    /// Whether the member still leads, in the term that it is in.
    fn leads(&self, member: usize) -> bool {
        self.leading[member].as_ref().is_some_and(|(term, _)| *term == self.disks[member].term)
    }

    fn nth_leader(&self, nth: usize) -> Option<usize> {
        let leaders: Vec<usize> = (0..self.disks.len()).filter(|member| self.leads(*member)).collect();
        leaders.get(nth % leaders.len().max(1)).copied()
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Campaign(candidate, asked) => self.campaign(candidate, asked),
            Event::Copy(member) => {
                self.copies[member] = self.copies[member].take().or(Some(self.disks[member].clone()));
            }
            Event::Append(nth) | Event::Replicate(nth, ..) | Event::Commit(nth) => {
                if let Some(leader) = self.nth_leader(nth) {
                    self.leads_on(leader, event);
                }
            }
        }
    }

    fn leads_on(&mut self, leader: usize, event: Event) {
        match event {
            Event::Append(_) if self.disks[leader].log.len() < LONGEST => self.append(leader),
            Event::Replicate(_, follower, up_to) if leader != follower => self.replicate(leader, follower, up_to),
            Event::Commit(_) => self.commit(leader),
            _ => {}
        }
    }

    fn campaign(&mut self, candidate: usize, asked: u8) {
        let term = self.disks[candidate].term + 1;
        let end = self.disks[candidate].end();
        (self.disks[candidate].term, self.disks[candidate].vote) = (term, Some(candidate));
        let mut votes = 1;
        for (member, disk) in self.disks.iter_mut().enumerate() {
            if member == candidate || asked >> member & 1 == 0 || disk.term > term {
                continue;
            }
            if disk.term < term {
                (disk.term, disk.vote) = (term, None);
            }
            if disk.vote.is_none() && disk.end() <= end {
                disk.vote = Some(candidate);
                votes += 1;
            }
        }
        if votes >= self.quorum() && self.disks[candidate].log.len() < LONGEST {
            self.leading[candidate] = Some((term, vec![0; self.disks.len()]));
            self.append(candidate);
        }
    }

    fn append(&mut self, leader: usize) {
        let disk = &mut self.disks[leader];
        disk.log.push(disk.term);
    }

    fn replicate(&mut self, leader: usize, follower: usize, up_to: usize) {
        let of_leader = self.disks[leader].clone();
        let disk = &mut self.disks[follower];
        if disk.term > of_leader.term {
            return;
        }
        if disk.term < of_leader.term {
            (disk.term, disk.vote) = (of_leader.term, None);
        }
        let sent = &of_leader.log[..up_to.min(of_leader.log.len())];
        let conflicts = disk.log.iter().zip(sent).any(|(own, sent)| own != sent);
        if conflicts || disk.log.len() < sent.len() {
            let same = disk.log.iter().zip(sent).take_while(|(own, sent)| own == sent).count();
            assert!(same >= disk.commit, "raft never takes back what is committed");
            disk.log = sent.to_vec();
        }
        disk.learn(of_leader.commit.min(sent.len()));
        if let Some((_, confirmed)) = &mut self.leading[leader] {
            confirmed[follower] = confirmed[follower].max(sent.len());
        }
    }

    /// A leader commits by counting, and only entries of its own term (raft's figure 8).
    fn commit(&mut self, leader: usize) {
        let quorum = self.quorum();
        let Some((term, confirmed)) = &self.leading[leader] else { return };
        let disk = &self.disks[leader];
        let has = |index: usize| 1 + confirmed.iter().filter(|confirmed| **confirmed >= index).count();
        let committed = (1..=disk.log.len()).rev().find(|index| disk.log[index - 1] == *term && has(*index) >= quorum);
        let commit = committed.unwrap_or_default();
        self.disks[leader].learn(commit);
    }
}

/// The copies at the end of a history; what was not copied before is copied then.
pub(super) fn copies(members: usize, events: &[Event]) -> Vec<Disk> {
    let mut cluster = Cluster::new(members);
    for event in events {
        cluster.apply(*event);
    }
    cluster.copies.into_iter().zip(cluster.disks).map(|(copy, disk)| copy.unwrap_or(disk)).collect()
}

fn events(members: usize, with_copies: bool) -> impl Strategy<Value = Vec<Event>> {
    let member = move || 0..members;
    let replications = u32::try_from(3 * members).expect("a few");
    let event = prop_oneof![
        2 => (member(), any::<u8>()).prop_map(|(candidate, asked)| Event::Campaign(candidate, asked)),
        5 => member().prop_map(Event::Append),
        replications => (member(), member(), 1..=LONGEST).prop_map(|(nth, to, up_to)| Event::Replicate(nth, to, up_to)),
        5 => member().prop_map(Event::Commit),
        u32::from(with_copies) => member().prop_map(Event::Copy),
    ];
    prop::collection::vec(event, 10..80)
}

/// Sets whose members were copied at different moments.
pub(super) fn sets(members: usize) -> impl Strategy<Value = Vec<Disk>> {
    events(members, true).prop_map(move |events| copies(members, &events))
}

/// Sets whose members were copied at one moment.
pub(super) fn sets_without_skew(members: usize) -> impl Strategy<Value = Vec<Disk>> {
    events(members, false).prop_map(move |events| copies(members, &events))
}
