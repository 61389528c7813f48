//! Where etcd would start from, and the WAL from there on.
//!
//! Up to 3.6 that is the newest `.snap` that the log records; since 3.7 it is the log's newest record of a snapshot, and
//! `.snap` files are still written, but not read (etcd-io/etcd#21107); 3.8 writes none.

use crate::bbolt::Db;
use crate::examined::Depth;
use crate::fault::{Fault, broken};
use crate::files::{Entry, Files, Kind};
use crate::findings::Findings;
use crate::snap;
use crate::store::{self, Store};
use crate::wal::{self, Position, Replay, Segment};

/// The most `.snap` files, and dbs that a leader sent, that are tried. etcd keeps five.
const MOST_SNAPS: usize = 16;

/// Where the `.snap` files and the segments are.
fn directories(path: &str) -> (String, String) {
    (format!("{path}/member/snap"), format!("{path}/member/wal"))
}

/// Hints at what reading begins with, all at once: the newest `.snap`, and the WAL from where its name says.
/// What cannot be read it will say itself.
pub(crate) fn hint(files: &dyn Files, path: &str, depth: Depth) {
    let (snap, wal) = directories(path);
    let entries = files.list(&snap).unwrap_or_default();
    let names = snap::names(&entries);
    if let Some(Ok(newest)) = names.first().map(|name| files.open(&format!("{snap}/{name}"))) {
        snap::hint(newest.as_ref());
    }
    let segments = wal::segments(&files.list(&wal).unwrap_or_default());
    let open = |name: &str| files.open(&format!("{wal}/{name}"));
    // Without one, the newest record of a snapshot is looked for from the end on.
    let index = names.first().map_or(u64::MAX, |name| snap::index_named(name));
    wal::hint(&segments, Position { index, ..Position::default() }, depth == Depth::Deep, open);
}

/// A member's WAL, and what lies beside its db.
pub(crate) struct Log<'f> {
    files: &'f dyn Files,
    snap: String,
    wal: String,
    /// In the directory of the db.
    entries: Vec<Entry>,
    segments: Vec<Segment>,
    deep: bool,
    /// Bytes of the volume.
    volume: u64,
}

impl<'f> Log<'f> {
    /// Lists what there is of a data directory.
    pub(crate) fn of(files: &'f dyn Files, path: &str, depth: Depth, volume: u64) -> Result<Self, Fault> {
        let (snap, wal) = directories(path);
        let in_wal = files.list(&wal)?;
        let unknown = in_wal.iter().find(|entry| entry.kind == Kind::File && wal::is_unknown(&entry.name));
        if let Some(unknown) = unknown {
            return Err(Fault::Unsupported(format!(
                "/{wal}/{}: a segment of a kind that is not known here",
                unknown.name
            )));
        }
        let (entries, segments) = (files.list(&snap)?, wal::segments(&in_wal));
        Ok(Self { files, snap, wal, entries, segments, deep: depth == Depth::Deep, volume })
    }

    pub(crate) fn has_snaps(&self) -> bool {
        !snap::names(&self.entries).is_empty()
    }

    fn replay(&self, start: Position) -> Result<Replay, Fault> {
        let open = |name: &str| self.files.open(&format!("{}/{name}", self.wal));
        let replay = wal::replay(&self.segments, start, self.deep, self.volume, open);
        replay.map_err(|fault| fault.within(&format!("/{}", self.wal)))
    }

    /// Finds the newest `.snap` that the log knows, and reads the log from there.
    ///
    /// etcd takes it from `ValidSnapshotEntries` and `LoadNewestAvailable` (since 3.4.8): a crash between the `.snap` and
    /// the log's record of it leaves one too new, which is passed over; broken ones are set aside.
    pub(crate) fn read_from_snap(&self, findings: &mut Findings) -> Result<Replay, Fault> {
        for name in snap::names(&self.entries).into_iter().take(MOST_SNAPS) {
            let path = format!("{}/{name}", self.snap);
            let read = self.files.open(&path).and_then(|file| snap::read(file.as_ref()));
            let start = match read {
                Ok(start) => start,
                Err(unknown @ (Fault::Unreadable(_) | Fault::Unsupported(_))) => {
                    return Err(unknown.within(&format!("/{path}")));
                }
                Err(fault) => {
                    findings.degraded(format!("/{path}: {fault}; etcd would set it aside"));
                    continue;
                }
            };
            let replay = self.replay(start)?;
            if replay.has_start && start.index <= replay.state.commit {
                return Ok(replay);
            }
        }
        self.replay(Position::default())
    }

    /// Reads the log from its newest record of a snapshot that is committed. `known` is what was read of it already.
    pub(crate) fn read_from_record(&self, known: Option<&Replay>) -> Result<Replay, Fault> {
        let newest = known.and_then(Replay::newest_snapshot).map_or_else(|| self.newest_record(), Ok)?;
        match known.filter(|known| known.start == newest) {
            Some(known) => Ok(known.clone()),
            None => self.replay(newest),
        }
    }

    fn newest_record(&self) -> Result<Position, Fault> {
        let open = |name: &str| self.files.open(&format!("{}/{name}", self.wal));
        wal::newest_snapshot(&self.segments, open).map_err(|fault| fault.within(&format!("/{}", self.wal)))
    }

    /// What a db says that the leader sent, by its name.
    fn sent_db(&self, name: &str) -> Result<Store, Fault> {
        let path = format!("{}/{name}", self.snap);
        let read = self.files.open(&path).and_then(|file| store::read(&Db::open(file.as_ref())?));
        read.map_err(|fault| fault.within(&format!("/{path}")))
    }

    /// Whether a db that the leader sent with the snapshot waits to take the place of the member's own: etcd moves it there,
    /// whatever it is, and starts from nothing else (`OpenSnapshotBackend`). Of an empty one bbolt would make a new db.
    pub(crate) fn has_sent_db(&self, start: u64) -> Result<bool, Fault> {
        let name = snap::db_name(start);
        match self.sent_db(&name) {
            Ok(sent) if sent.consistent_index < start => {
                let (snap, index) = (&self.snap, sent.consistent_index);
                Err(broken(format!("/{snap}/{name}: at index {index}, before its snapshot")))
            }
            Ok(_) => Ok(true),
            Err(Fault::Missing(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// A db that the leader sent, of which the member's own has the index but not the keys.
    ///
    /// The index is written by a hook of whatever transaction comes next (`BackendHooks`), which can be one of the old db:
    /// when etcd has begun to take the leader's (`applySnapshot`) and until that has its place. A crash that undoes the
    /// renaming leaves the old db under the new index, and etcd starts from it: "Skipping snapshot backend".
    pub(crate) fn torn_take_over(&self, own: &Store) -> Result<Option<String>, Fault> {
        for name in snap::db_names(&self.entries).into_iter().take(MOST_SNAPS) {
            match self.sent_db(name) {
                Ok(sent) if own.consistent_index >= sent.consistent_index && own.revision < sent.revision => {
                    return Ok(Some(format!(
                        "the db is at index {} with revision {}, but {name}, which the leader sent, has revision {} at {}: \
                         etcd had not taken it yet, and would serve old keys as new ones",
                        own.consistent_index, own.revision, sent.revision, sent.consistent_index
                    )));
                }
                // What cannot be read, and is not needed, tells nothing.
                Ok(_) | Err(Fault::Broken(_) | Fault::Missing(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(None)
    }
}
