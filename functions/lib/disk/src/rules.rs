//! The rules between db, WAL and `.snap`: each alone may be sound, and etcd would still not start, or start with less
//! than it had.

use crate::findings::Findings;
use crate::store::Store;
use crate::wal::Replay;

/// Whether the db is behind the snapshot, so that etcd looks for the one that the leader sent.
pub(crate) fn needs_sent_db(store: Option<&Store>, replay: &Replay) -> bool {
    store.is_some_and(|store| store.consistent_index < replay.start.index)
}

/// Holds what was read against the rules.
///
/// 1. The db must not be ahead of the log: etcd skips what it has applied by the consistent index (`apply.go`,
///    `shouldApplyV3`), so it would drop the next entries silently. The commit index is no bound: HardState is written
///    before what it commits is known, and may lag in a crash image. Nor is the db of a later term than the log: a term is
///    saved no later than its entries. But etcd looks at that only when told to (`ETCD_VERIFY`), and starts: a db that a
///    3.4 restored can have kept the term of the cluster that it is a copy of. A log without a HardState has no term.
/// 2. The db must have reached the snapshot: etcd replays only what follows it, and refuses to start without the
///    leader's db (`RecoverSnapshotBackend`).
/// 3. The log must begin where the snapshot ends, or at 1 without one (`selectWALFiles`, `ReadAll`).
/// 4. The log must have no gap (`ReadAll`: `ErrSliceOutOfRange`) and reach what is committed (raft's `loadState` panics:
///    "out of range").
/// 5. A torn end is allowed in the last segment only: the WAL's decoder holds to that.
pub(crate) fn judge(store: Option<&Store>, replay: &Replay, has_sent_db: bool, findings: &mut Findings) {
    let (start, last, commit) = (replay.start.index, replay.last.index, replay.state.commit);
    match replay.gap {
        Some((from, to)) if from == start => findings.corrupt(format!(
            "rule 3: the WAL's first entry is {to}, but {} ends at {from}",
            if start == 0 { "there is no snapshot and the log" } else { "the newest snapshot" }
        )),
        Some((from, to)) => findings.corrupt(format!("rule 4: WAL entry {to} follows {from}")),
        None => {}
    }
    if last < commit {
        findings.corrupt(format!("rule 4: the WAL's last entry is {last}, but {commit} are committed"));
    }
    if !replay.has_start {
        findings.corrupt("rule 3: the WAL records neither a snapshot that is there nor its own beginning");
    }
    if replay.identity.is_none() {
        findings.corrupt("the WAL does not say whose it is");
    }
    let Some(index) = store.map(|store| store.consistent_index) else { return };
    if index > last {
        findings.corrupt(format!("rule 1: the db is at index {index}, the WAL ends at {last}"));
    }
    let (term, of_log) = (store.and_then(|store| store.term).unwrap_or_default(), replay.state.term);
    if of_log > 0 && term > of_log {
        findings.degraded(format!("rule 1: the db is of term {term}, the WAL of term {of_log}"));
    }
    if index < start && has_sent_db {
        findings
            .degraded(format!("the db is at index {index}; etcd would take the one that the leader sent for {start}"));
    } else if index < start {
        findings.corrupt(format!("rule 2: the db is at index {index}, the newest snapshot at {start}"));
    }
}
