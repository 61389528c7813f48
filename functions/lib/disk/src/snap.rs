//! `.snap` files: where etcd starts its replay from.
//!
//! The format is etcd's `api/snap` (3.4: `etcdserver/api/snap`, `snapshotter.go`): `snappb.Snapshot`, a CRC32C and a
//! `raftpb.Snapshot`, whose data (the old v2 store) is not looked at.

use crate::fault::{Fault, broken, index};
use crate::files::{Entry, File, Kind};
use crate::protobuf::{self, Malformed, fields};
use crate::wal::Position;

/// The largest one that is read, in bytes. It holds the members and little else.
const LARGEST: u64 = 64 << 20;

/// How much of one is hinted at before it is opened to be read, in bytes. Few are longer.
const HINT: u64 = 256 << 10;

/// The names of a directory's `.snap` files, the newest first, as etcd's `snapNames` sorts them.
pub(crate) fn names(entries: &[Entry]) -> Vec<&str> {
    let files = entries.iter().filter(|entry| entry.kind == Kind::File);
    let mut names: Vec<&str> = files.map(|entry| entry.name.as_str()).filter(|name| is_snap(name)).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    names
}

/// Ends with `.snap`: `.snap.db` and `.snap.broken` are other things.
fn is_snap(name: &str) -> bool {
    name.strip_suffix(".snap").is_some_and(|stem| !stem.is_empty())
}

/// The index in the name of a `.snap`, `<term>-<index>.snap`; 0 if it has none.
pub(crate) fn index_named(name: &str) -> u64 {
    let index = name.strip_suffix(".snap").and_then(|stem| stem.split_once('-')).map(|(_, index)| index);
    index.and_then(|index| u64::from_str_radix(index, 16).ok()).unwrap_or_default()
}

/// Hints at one before it is read.
pub(crate) fn hint(file: &dyn File) {
    file.prefetch(std::slice::from_ref(&(0..HINT)));
}

/// The name under which a follower keeps the db that its leader sent, until it has taken the place of its own
/// (`Snapshotter.DBFilePath`).
pub(crate) fn db_name(index: u64) -> String {
    format!("{index:016x}.snap.db")
}

/// The names of a directory's dbs that a leader sent, the newest first.
pub(crate) fn db_names(entries: &[Entry]) -> Vec<&str> {
    let files = entries.iter().filter(|entry| entry.kind == Kind::File);
    let mut names: Vec<&str> = files.map(|entry| entry.name.as_str()).filter(|name| is_db_name(name)).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    names
}

fn is_db_name(name: &str) -> bool {
    let index = name.strip_suffix(".snap.db").and_then(|index| u64::from_str_radix(index, 16).ok());
    index.is_some_and(|index| name == db_name(index))
}

/// Reads a `.snap`, as etcd's `Read`: which place in the log it stands for.
pub(crate) fn read(file: &dyn File) -> Result<Position, Fault> {
    if file.size() > LARGEST {
        return Err(Fault::Unsupported(format!("{} bytes, larger than are read", file.size())));
    }
    let mut bytes = vec![0; index(file.size())?];
    file.prefetch(std::slice::from_ref(&(0..file.size())));
    file.read_at(0, &mut bytes)?;
    let (crc, data) = sealed(&bytes).map_err(|Malformed| broken("no snapshot"))?;
    if crc == 0 || data.is_empty() {
        return Err(broken("empty"));
    }
    if crc != u64::from(crc32c::crc32c(data)) {
        return Err(broken("its checksum is wrong"));
    }
    position(data).map_err(|Malformed| broken("no raft snapshot"))
}

/// `snappb.Snapshot`.
fn sealed(message: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let (mut crc, mut data) = (0, &[][..]);
    for field in fields(message) {
        match field? {
            (1, value) => crc = protobuf::number(value)?,
            (2, value) => data = protobuf::bytes(value)?,
            _ => {}
        }
    }
    Ok((crc, data))
}

/// `raftpb.Snapshot`: of its metadata, index and term.
fn position(message: &[u8]) -> Result<Position, Malformed> {
    let mut position = Position::default();
    for field in fields(message) {
        let (2, metadata) = field? else { continue };
        for field in fields(protobuf::bytes(metadata)?) {
            match field? {
                (2, value) => position.index = protobuf::number(value)?,
                (3, value) => position.term = protobuf::number(value)?,
                _ => {}
            }
        }
    }
    Ok(position)
}

/// Builds `.snap` files for tests.
#[cfg(test)]
pub(crate) mod testing {
    use crate::protobuf::testing::{bytes, number};

    pub(crate) fn snap(index: u64, term: u64) -> Vec<u8> {
        let metadata = [bytes(1, &number(1, 0xa)), number(2, index), number(3, term)].concat();
        let snapshot = [bytes(1, b"{}"), bytes(2, &metadata)].concat();
        [number(1, crc32c::crc32c(&snapshot).into()), bytes(2, &snapshot)].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Held;

    #[test]
    fn a_snap_tells_its_place() {
        assert_eq!(read(&Held(testing::snap(501, 2))), Ok(Position { index: 501, term: 2 }));
    }

    #[test]
    fn a_damaged_snap_is_refused() {
        let sound = testing::snap(501, 2);
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            assert!(read(&Held(bytes)).is_err(), "byte {at}");
        }
        assert!(read(&Held(Vec::new())).is_err());
        assert!(read(&Held(vec![0; 4096])).is_err());
    }

    #[test]
    fn the_newest_comes_first_and_nothing_else() {
        let entry = |name: &str| Entry { name: name.to_owned(), kind: Kind::File };
        let entries = ["1-1.snap", "db", "2-5.snap", "2-9.snap.db", "2-9.snap.broken", ".snap"].map(entry);
        assert_eq!(names(&entries), ["2-5.snap", "1-1.snap"]);
        let indexes = ["0000000000000002-00000000000000ab.snap", "x.snap", "1-x.snap"].map(index_named);
        assert_eq!(indexes, [0xab, 0, 0]);
        assert_eq!(db_name(0xab), "00000000000000ab.snap.db");
    }
}
