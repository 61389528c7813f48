//! Which snapshot etcd would start from, and the WAL from there on.

use crate::examined::Depth;
use crate::fault::Fault;
use crate::files::{Entry, Files};
use crate::findings::Findings;
use crate::snap;
use crate::wal::{self, Position, Replay};

/// The most `.snap` files that are tried. etcd keeps five.
const MOST_SNAPS: usize = 16;

/// What etcd would replay.
pub(crate) struct Log {
    pub(crate) replay: Replay,
    /// Whether a db that the leader sent waits to take the place of the member's own, at the start's index.
    pub(crate) has_sent_db: bool,
}

/// Finds the newest `.snap` that the log knows, and reads the log from there.
///
/// etcd takes it from `ValidSnapshotEntries` and `LoadNewestAvailable` (since 3.4.8): a crash between the `.snap` and
/// the log's record of it leaves one too new, which is passed over; broken ones are set aside.
pub(crate) fn read(
    files: &dyn Files,
    path: &str,
    depth: Depth,
    volume: u64,
    findings: &mut Findings,
) -> Result<Log, Fault> {
    let (snap, wal) = (format!("{path}/member/snap"), format!("{path}/member/wal"));
    let segments = wal::segments(&files.list(&wal)?);
    let entries = files.list(&snap)?;
    let names = snap::names(&entries);
    let open = |name: &str| files.open(&format!("{wal}/{name}"));
    let replay = |start| {
        let replay = wal::replay(&segments, start, depth == Depth::Deep, volume, open);
        replay.map_err(|fault| fault.within(&format!("/{wal}")))
    };
    for start in starts(files, &snap, &names, findings)? {
        let replay = replay(start)?;
        if replay.has_start && start.index <= replay.state.commit {
            let has_sent_db = is_there(&entries, &snap::db_name(start.index));
            return Ok(Log { replay, has_sent_db });
        }
    }
    Ok(Log { replay: replay(Position::default())?, has_sent_db: false })
}

/// Where the sound `.snap` files begin, the newest first.
fn starts(files: &dyn Files, directory: &str, names: &[&str], findings: &mut Findings) -> Result<Vec<Position>, Fault> {
    let mut starts = Vec::new();
    for name in names.iter().take(MOST_SNAPS) {
        let path = format!("{directory}/{name}");
        let read = files.open(&path).and_then(|file| snap::read(file.as_ref()));
        match read {
            Ok(start) => starts.push(start),
            Err(unknown @ (Fault::Unreadable(_) | Fault::Unsupported(_))) => {
                return Err(unknown.within(&format!("/{path}")));
            }
            Err(fault) => findings.degraded(format!("/{path}: {fault}; etcd would set it aside")),
        }
    }
    Ok(starts)
}

fn is_there(entries: &[Entry], name: &str) -> bool {
    entries.iter().any(|entry| entry.name == name)
}
