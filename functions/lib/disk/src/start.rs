//! Whether etcd would start, by its version.
//!
//! A cluster is of the lowest version of its members, and a member may be one ahead while they are upgraded. So of a cluster of
//! 3.6 a member starts as 3.6 does or as 3.7 does; etcd 3.6 refuses a cluster of 3.7 (see [`crate::log`] for how each starts).

use crate::blocks::Unreadable;
use crate::fault::{Fault, broken};
use crate::findings::Findings;
use crate::log::Log;
use crate::rules;
use crate::store::Store;
use crate::version::{V3_5, V3_6, V3_7, V3_8};
use crate::wal::Replay;

/// Reads the log from each place where an etcd of the db's version would start, and judges that: what it says from there on.
pub(crate) fn judge(
    log: &Log<'_>,
    store: Option<&Store>,
    findings: &mut Findings,
) -> Result<Option<Replay>, Unreadable> {
    // Without a version, as in the first seconds of a cluster's life, what there is tells.
    let told = store.and_then(|store| store.version);
    let version = told.unwrap_or(if log.has_snaps() { V3_5 } else { V3_8 });
    let (mut of_snap, mut of_record) = (Findings::default(), Findings::default());
    let (mut from_snap, mut from_record) = (None, None);
    if version < V3_8 {
        let read = log.read_from_snap(&mut of_snap);
        from_snap = start(log, store, read, &mut of_snap)?;
    }
    if version >= V3_6 {
        let mut read = log.read_from_record(from_snap.as_ref());
        if told.is_some() {
            read = read.and_then(without_v2_requests);
        }
        from_record = start(log, store, read, &mut of_record)?;
    }
    if version >= V3_7 {
        findings.join(of_record);
        findings.join_weakened("after a downgrade etcd 3.6", of_snap);
        return Ok(from_record.or(from_snap));
    }
    match (of_snap.is_corrupt(), of_record.is_corrupt()) {
        (true, false) if version == V3_6 => findings.join_weakened("etcd 3.6", of_snap),
        (false, true) => {
            findings.join(of_snap);
            findings.join_weakened("etcd 3.7", of_record);
            return Ok(from_snap);
        }
        _ => findings.join(of_snap),
    }
    findings.join(of_record);
    Ok(from_snap.or(from_record))
}

/// Holds a start against the rules.
fn start(
    log: &Log<'_>,
    store: Option<&Store>,
    read: Result<Replay, Fault>,
    findings: &mut Findings,
) -> Result<Option<Replay>, Unreadable> {
    let Some(replay) = findings.note(read)? else { return Ok(None) };
    let mut has_sent_db = false;
    if rules::needs_sent_db(store, &replay) {
        let found = log.has_sent_db(replay.start.index);
        // One that is not understood may be sound: then nothing is said of the etcd.
        let may_be = matches!(found, Err(Fault::Unsupported(_)));
        has_sent_db = findings.note(found)?.unwrap_or(may_be);
    }
    rules::judge(store, &replay, has_sent_db, findings);
    Ok(Some(replay))
}

/// etcd 3.7 has no v2 store any more, and panics over what is still to be applied to it.
fn without_v2_requests(replay: Replay) -> Result<Replay, Fault> {
    match replay.v2_request {
        Some(index) => Err(broken(format!(
            "entry {index} of the WAL is a request to the v2 store, which etcd 3.5 wrote: let etcd 3.6 start on it first, and take \
             a snapshot of its log"
        ))),
        None => Ok(replay),
    }
}
