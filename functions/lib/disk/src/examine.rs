//! Reads a volume and judges it.

use std::sync::Arc;

use crate::bbolt::Db;
use crate::blocks::{Blocks, Unreadable};
use crate::examined::{Depth, Examined};
use crate::fault::Fault;
use crate::files::{self, Files};
use crate::findings::Findings;
use crate::log::{self, Log};
use crate::store::{self, Store};
use crate::version::V3_7;
use crate::wal::Replay;
use crate::{after_start, data_dir, start};

/// What is said of a young cluster's volume too: one that was made, and whose etcd has not started yet.
const NO_DATA_DIRECTORY: &str = "no etcd data directory: neither data/<token>/member nor var/etcd/data*/member; has etcd \
                                 ever started on this volume?";

/// Reads the volume and says whether an etcd is structurally restorable from it.
///
/// An error is only the source's: whatever is on the disk ends in a verdict.
pub fn examine(blocks: Arc<dyn Blocks>, depth: Depth) -> Result<Examined, Unreadable> {
    mount_and_examine(blocks, depth).map(|(examined, _)| examined)
}

/// The same, with the file system, where there is one that can be read.
pub fn mount_and_examine(
    blocks: Arc<dyn Blocks>,
    depth: Depth,
) -> Result<(Examined, Option<Box<dyn Files>>), Unreadable> {
    let volume = blocks.size();
    let mut findings = Findings::default();
    match findings.note(files::mount(blocks))? {
        Some(files) => Ok((survey(files.as_ref(), depth, volume)?, Some(files))),
        None => Ok((nothing(findings), None)),
    }
}

/// Judges what is in a file system.
fn survey(files: &dyn Files, depth: Depth, volume: u64) -> Result<Examined, Unreadable> {
    let mut findings = Findings::default();
    let Some(found) = findings.note(data_dir::find(files))? else { return Ok(nothing(findings)) };
    let surveys = found.iter().map(|path| Survey::of(files, path, depth, volume));
    // Of several, the one that was last written to: etcd-manager leaves one, so any other is somebody's doing.
    let newest = surveys.collect::<Result<Vec<_>, _>>()?.into_iter().max_by_key(Survey::index);
    let Some(mut survey) = newest else {
        findings.corrupt(NO_DATA_DIRECTORY);
        return Ok(nothing(findings));
    };
    if found.len() > 1 {
        survey.findings.degraded(format!("{} etcd data directories: {}", found.len(), found.join(", ")));
    }
    Ok(survey.examined())
}

fn nothing(findings: Findings) -> Examined {
    Survey { findings, path: None, db_bytes: None, store: None, log: None }.examined()
}

/// What one data directory says.
struct Survey {
    findings: Findings,
    path: Option<String>,
    db_bytes: Option<u64>,
    store: Option<Store>,
    log: Option<Replay>,
}

impl Survey {
    fn of(files: &dyn Files, path: &str, depth: Depth, volume: u64) -> Result<Self, Unreadable> {
        let mut findings = Findings::default();
        // While the db is read page by page, the log comes.
        log::hint(files, path, depth);
        let (db_bytes, store) = db(files, &format!("{path}/member/snap/db"), depth, &mut findings)?;
        let mut survey = Self { findings, path: Some(path.to_owned()), db_bytes, store, log: None };
        if let Some(unknown) = survey.store.as_ref().and_then(|store| store.unknown.clone()) {
            // What the rules would say of it they would say of something else.
            survey.findings.unsupported(unknown);
            return Ok(survey);
        }
        if let Some(log) = survey.findings.note(Log::of(files, path, depth, volume))? {
            survey.judge(&log)?;
        }
        Ok(survey)
    }

    fn judge(&mut self, log: &Log<'_>) -> Result<(), Unreadable> {
        self.log = start::judge(log, self.store.as_ref(), &mut self.findings)?;
        let Some(store) = &self.store else { return Ok(()) };
        if let Some(torn) = self.findings.note(log.torn_take_over(store))?.flatten() {
            self.findings.corrupt(torn);
        }
        if let Some((own, _)) = self.log.as_ref().and_then(|log| log.identity) {
            after_start::judge(store, own, &mut self.findings);
        }
        Ok(())
    }

    /// How far it came.
    fn index(&self) -> u64 {
        let log = self.log.as_ref().map_or(0, |log| log.last.index);
        log.max(self.store.as_ref().map_or(0, |store| store.consistent_index))
    }

    fn examined(self) -> Examined {
        let (verdict, reason) = self.findings.verdict();
        let replay = self.log;
        let identity = replay.as_ref().and_then(|replay| replay.identity);
        let etcd_version = self.store.as_ref().and_then(|store| store.etcd_version.clone());
        let store = self.store.as_ref().filter(|store| store.unknown.is_none());
        Examined {
            verdict,
            reason,
            etcd_version,
            cluster_id: identity.map(|(_, cluster)| cluster),
            member_id: identity.map(|(member, _)| member),
            revision: store.map(|store| store.revision),
            consistent_index: store.map(|store| store.consistent_index),
            wal_last_index: replay.as_ref().map(|replay| replay.last.index),
            wal_last_term: replay.as_ref().map(|replay| replay.last.term),
            term: replay.as_ref().map(|replay| replay.state.term).or_else(|| store.and_then(|store| store.term)),
            commit: replay.as_ref().map(|replay| replay.state.commit),
            commit_term: replay.as_ref().map(|replay| replay.state.commit_term),
            db_bytes: self.db_bytes,
            voters: store.and_then(|store| voters(store, identity?.0)),
            members: store.map(|store| store.members.clone()).unwrap_or_default(),
            data_dir: self.path,
        }
    }
}

/// The members that have a vote, by a list that names this one among them.
///
/// `confState` (since 3.5) is raft's own, and `etcdutl snapshot restore` leaves the old cluster's there; `members` is made
/// anew by it, and can keep members that were removed (etcd-io/etcd#20967). So the first counts where it knows the member;
/// since 3.7 it is made of the second when etcd starts.
fn voters(store: &Store, member: u64) -> Option<Vec<u64>> {
    let with_a_vote = store.members.iter().filter(|one| !one.is_learner).map(|one| one.id).collect();
    let is_of_raft = store.version.is_none_or(|version| version < V3_7);
    let of_raft = store.conf_state.as_ref().and_then(|raft| raft.as_ref().ok()).filter(|_| is_of_raft);
    let lists = [of_raft.map(|raft| raft.voters().to_vec()), Some(with_a_vote)];
    lists.into_iter().flatten().find(|voters| voters.contains(&member))
}

/// Up to 3.5 etcd never reads `confState`; 3.6 panics over one that it cannot read, up to 3.6.4
/// (`UnsafeConfStateFromBackend`).
fn conf_state(store: &Store) -> Option<String> {
    let why = store.conf_state.as_ref()?.as_ref().err().filter(|_| store.version < Some(V3_7))?;
    Some(format!("confState in `meta`: {why}; etcd 3.6 before 3.6.5 would not take it"))
}

/// The db's size, and what it says of itself.
fn db(
    files: &dyn Files,
    path: &str,
    depth: Depth,
    findings: &mut Findings,
) -> Result<(Option<u64>, Option<Store>), Unreadable> {
    let Some(file) = findings.note(files.open(path))? else { return Ok((None, None)) };
    let size = Some(file.size());
    let place = |fault: Fault| fault.within(&format!("/{path}"));
    let Some(db) = findings.note(Db::open(file.as_ref()).map_err(place))? else { return Ok((size, None)) };
    if let Some(weakness) = &db.weakness {
        findings.degraded(format!("/{path}: {weakness}; the other one is used, maybe a transaction older"));
    }
    let store = findings.note(store::read(&db).map_err(place))?;
    if let Some(weakness) = store.as_ref().and_then(conf_state) {
        findings.degraded(format!("/{path}: {weakness}"));
    }
    if depth == Depth::Deep && store.as_ref().is_some_and(|store| store.unknown.is_none()) {
        findings.note(store::read_all(&db).map_err(place))?;
    }
    Ok((size, store))
}

#[cfg(test)]
mod tests;
