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

/// Where the `.snap` files and the segments are.
fn directories(path: &str) -> (String, String) {
    (format!("{path}/member/snap"), format!("{path}/member/wal"))
}

/// Hints at what [`read`] begins with, all at once: the `.snap` files, and the WAL from where the newest one's name says.
/// What cannot be read it will say itself.
pub(crate) fn hint(files: &dyn Files, path: &str, depth: Depth) {
    let (snap, wal) = directories(path);
    let entries = files.list(&snap).unwrap_or_default();
    let names = snap::names(&entries);
    for file in names.iter().take(MOST_SNAPS).filter_map(|name| files.open(&format!("{snap}/{name}")).ok()) {
        snap::hint(file.as_ref());
    }
    let index = names.first().map_or(0, |name| snap::index_named(name));
    let segments = wal::segments(&files.list(&wal).unwrap_or_default());
    let open = |name: &str| files.open(&format!("{wal}/{name}"));
    wal::hint(&segments, Position { index, ..Position::default() }, depth == Depth::Deep, open);
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
    let (snap, wal) = directories(path);
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
