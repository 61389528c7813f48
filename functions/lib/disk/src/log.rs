//! Which snapshot etcd would start from, and the WAL from there on.

use crate::bbolt::Db;
use crate::examined::Depth;
use crate::fault::{Fault, broken};
use crate::files::Files;
use crate::findings::Findings;
use crate::wal::{self, Position, Replay};
use crate::{snap, store};

/// The most `.snap` files that are tried. etcd keeps five.
const MOST_SNAPS: usize = 16;

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
) -> Result<Replay, Fault> {
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
            return Ok(replay);
        }
    }
    replay(Position::default())
}

/// Whether a db that the leader sent with the snapshot waits to take the place of the member's own: etcd moves it there,
/// whatever it is, and starts from nothing else (`OpenSnapshotBackend`). Of an empty one bbolt would make a new db.
pub(crate) fn has_sent_db(files: &dyn Files, path: &str, start: u64) -> Result<bool, Fault> {
    let path = format!("{path}/member/snap/{}", snap::db_name(start));
    let read = files.open(&path).and_then(|file| store::read(&Db::open(file.as_ref())?));
    match read {
        Ok(store) if store.consistent_index < start => {
            Err(broken(format!("/{path}: at index {}, before its snapshot", store.consistent_index)))
        }
        Ok(_) => Ok(true),
        Err(Fault::Missing(_)) => Ok(false),
        Err(fault) => Err(fault.within(&format!("/{path}"))),
    }
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
