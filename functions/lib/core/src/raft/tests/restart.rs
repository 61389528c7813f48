//! A set started again: every schedule of who starts when, who campaigns, who votes, and whom a leader reaches first.

use std::collections::HashSet;

use super::history::Disk;

/// Added to the terms of entries that were written since the restart: such an entry is not the one of the same term that
/// another leader wrote before.
const SINCE: u64 = 1000;

/// A state of the restarted cluster.
#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    disks: Vec<Disk>,
    up: Vec<bool>,
    /// Who leads, and in which term.
    leader: Option<(usize, u64)>,
    /// How many more elections are looked at: one settles the logs, a second one can still disturb that.
    elections: u8,
}

impl State {
    /// Whether all of a stage follow one leader, and what it wrote is committed.
    fn is_healthy(&self, members: &[usize]) -> bool {
        let Some((leader, _)) = self.leader else { return false };
        let of_leader = &self.disks[leader];
        let follows = |member: &usize| self.up[*member] && self.disks[*member].log == of_leader.log;
        of_leader.commit == of_leader.log.len() && members.iter().all(follows)
    }
}

/// The search: which members may start when.
pub(super) struct Search<'a> {
    /// How many have a vote, those that join empty later included.
    voters: usize,
    /// Those of a stage start only when those before them are healthy.
    stages: &'a [Vec<usize>],
    seen: HashSet<State>,
}

/// Whether some schedule leaves a member stuck: it knows entries to be committed that its leader does not have, so that it
/// can neither follow nor be overwritten.
pub(super) fn can_get_stuck(disks: &[Disk], voters: usize, stages: &[Vec<usize>]) -> bool {
    let start = State { disks: disks.to_vec(), up: vec![false; disks.len()], leader: None, elections: 2 };
    let mut search = Search { voters, stages, seen: HashSet::new() };
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if !search.seen.insert(state.clone()) {
            continue;
        }
        for follower in 0..state.disks.len() {
            match search.replicated(&state, follower) {
                Next::Stuck => return true,
                Next::State(next) => open.push(next),
                Next::Nothing => {}
            }
        }
        open.extend(search.started(&state));
        open.extend(search.elected(&state));
    }
    false
}

enum Next {
    Nothing,
    Stuck,
    State(State),
}

impl Search<'_> {
    fn quorum(&self) -> usize {
        self.voters / 2 + 1
    }

    fn started(&self, state: &State) -> Vec<State> {
        let mut next = Vec::new();
        for (nth, stage) in self.stages.iter().enumerate() {
            if !self.stages[..nth].iter().all(|before| state.is_healthy(before)) {
                break;
            }
            for member in stage.iter().filter(|member| !state.up[**member]) {
                let mut state = state.clone();
                state.up[*member] = true;
                next.push(state);
            }
        }
        next
    }

    /// Every election that can be won: terms can always be raised, so only the logs decide who votes for whom.
    fn elected(&self, state: &State) -> Vec<State> {
        let up: Vec<usize> = (0..state.disks.len()).filter(|member| state.up[*member]).collect();
        let wins = |candidate: &usize| {
            let end = state.disks[*candidate].end();
            up.iter().filter(|voter| state.disks[**voter].end() <= end).count() >= self.quorum()
        };
        let candidates = up.iter().copied().filter(|_| state.elections > 0).filter(wins);
        let elected = candidates.map(|candidate| {
            let mut state = state.clone();
            // Of those that do not run yet nobody knows the term.
            let term = 1 + up.iter().map(|member| state.disks[*member].term).max().unwrap_or_default();
            let disk = &mut state.disks[candidate];
            disk.term = term;
            disk.log.push(SINCE + term);
            state.leader = Some((candidate, term));
            state.elections -= 1;
            state
        });
        elected.collect()
    }

    /// The leader brings a member's log to its own, and commits what a quorum has.
    fn replicated(&self, state: &State, follower: usize) -> Next {
        let Some((leader, term)) = state.leader.filter(|(leader, _)| *leader != follower && state.up[follower]) else {
            return Next::Nothing;
        };
        let of_leader = &state.disks[leader];
        let disk = &state.disks[follower];
        if disk.log == of_leader.log && disk.commit == of_leader.commit {
            return Next::Nothing;
        }
        let held = of_leader.log.get(..disk.commit);
        // Its own entries of the leader's term are another leader's: they would pass for the same.
        let twice = disk.log.contains(&term);
        if twice || held != Some(&disk.log[..disk.commit]) {
            return Next::Stuck;
        }
        let mut next = state.clone();
        let log = of_leader.log.clone();
        next.disks[follower] =
            Disk { log, term, vote: None, commit: of_leader.commit.max(disk.commit), commit_term: term };
        let have = next.disks.iter().filter(|disk| disk.log == next.disks[leader].log).count();
        if have >= self.quorum() {
            next.disks[leader].commit = next.disks[leader].log.len();
        }
        Next::State(next)
    }
}
