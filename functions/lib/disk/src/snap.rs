//! `.snap` files: where etcd starts its replay from.
//!
//! The format is etcd's `api/snap` (3.4: `etcdserver/api/snap`, `snapshotter.go`): `snappb.Snapshot`, a CRC32C and a
//! `raftpb.Snapshot`, whose data (the old v2 store) is not looked at. It can be most of some hundred MB
//! (etcd-io/etcd#20732): so the messages are taken apart where they lie, and the checksum is that of a stream.

use std::ops::Range;

use crate::fault::{Fault, broken, index};
use crate::files::{Entry, File, Kind};
use crate::protobuf::{self, Head};
use crate::wal::Position;

/// The largest one that is read, in bytes. etcd reads it whole into memory.
const LARGEST: u64 = 2 << 30;
/// The most fields of a message. There are two or three.
const MOST_FIELDS: usize = 64;
/// How much is read at once, and how much of what follows is hinted at, in bytes.
const CHUNK: u64 = 1 << 20;
const WINDOW: u64 = 16 << 20;

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
    let (mut crc, mut data) = (0, 0..0);
    for field in fields(file, &(0..file.size()))? {
        match field {
            (1, Part::Number(number)) => crc = number,
            (2, Part::Bytes(range)) => data = range,
            (1 | 2, _) => return Err(broken("no snapshot")),
            _ => {}
        }
    }
    if crc == 0 || data.is_empty() {
        return Err(broken("empty"));
    }
    if crc != u64::from(checksum(file, &data)?) {
        return Err(broken("its checksum is wrong"));
    }
    position(file, &data)
}

/// `raftpb.Snapshot`: of its metadata, index and term.
fn position(file: &dyn File, message: &Range<u64>) -> Result<Position, Fault> {
    let mut position = Position::default();
    for field in fields(file, message)? {
        let (2, metadata) = field else { continue };
        let Part::Bytes(metadata) = metadata else { return Err(broken("no raft snapshot")) };
        for field in fields(file, &metadata)? {
            match field {
                (2, Part::Number(number)) => position.index = number,
                (3, Part::Number(number)) => position.term = number,
                (2 | 3, _) => return Err(broken("no raft snapshot")),
                _ => {}
            }
        }
    }
    Ok(position)
}

/// What a field of a message in a file holds: of bytes, where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Number(u64),
    Bytes(Range<u64>),
}

/// The fields of a message that lies there, by their numbers.
fn fields(file: &dyn File, message: &Range<u64>) -> Result<Vec<(u64, Part)>, Fault> {
    let (mut parts, mut at) = (Vec::new(), message.start);
    while at < message.end {
        let mut bytes = [0; protobuf::LONGEST_HEAD];
        let length = index((message.end - at).min(bytes.len() as u64))?;
        file.read_at(at, &mut bytes[..length])?;
        let malformed = || broken(format!("at byte {at}: no protobuf"));
        let (id, head, length) = protobuf::head(&bytes[..length]).ok_or_else(malformed)?;
        let from = at + length as u64;
        let (part, to) = match head {
            Head::Number(number) => (Some(Part::Number(number)), Some(from)),
            Head::Bytes(length) => {
                let to = from.checked_add(length);
                (to.map(|to| Part::Bytes(from..to)), to)
            }
            Head::Fixed(length) => (None, from.checked_add(length as u64)),
        };
        at = to.filter(|to| *to <= message.end).ok_or_else(malformed)?;
        parts.extend(part.map(|part| (id, part)));
        if parts.len() > MOST_FIELDS {
            return Err(Fault::Unsupported(format!("more than {MOST_FIELDS} fields in a message")));
        }
    }
    Ok(parts)
}

/// The CRC32C of these bytes.
fn checksum(file: &dyn File, bytes: &Range<u64>) -> Result<u32, Fault> {
    let (mut crc, mut at, mut hinted) = (0, bytes.start, bytes.start);
    let mut chunk = vec![0; index(CHUNK.min(bytes.end - bytes.start))?];
    while at < bytes.end {
        if hinted < bytes.end && at + WINDOW / 2 >= hinted {
            let until = bytes.end.min(at + WINDOW);
            file.prefetch(std::slice::from_ref(&(hinted..until)));
            hinted = until;
        }
        let chunk = &mut chunk[..index(CHUNK.min(bytes.end - at))?];
        file.read_at(at, chunk)?;
        crc = crc32c::crc32c_append(crc, chunk);
        at += chunk.len() as u64;
    }
    Ok(crc)
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

    /// Reads no more at once than is said.
    struct Pieces(Held, usize);

    impl File for Pieces {
        fn size(&self) -> u64 {
            self.0.size()
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
            assert!(into.len() <= self.1, "{} bytes at once", into.len());
            self.0.read_at(offset, into)
        }

        fn prefetch(&self, _: &[Range<u64>]) {}
    }

    #[test]
    fn a_large_snap_is_read_in_pieces_whatever_comes_first_in_it() {
        use crate::protobuf::testing::{bytes, number};
        let data = bytes(1, &vec![7; 5 << 20]);
        let metadata = bytes(2, &[number(2, 501), number(3, 2)].concat());
        for parts in [[&data[..], &metadata], [&metadata[..], &data]] {
            let snapshot = parts.concat();
            let sealed = [number(1, crc32c::crc32c(&snapshot).into()), bytes(2, &snapshot)].concat();
            assert_eq!(read(&Pieces(Held(sealed), 1 << 20)), Ok(Position { index: 501, term: 2 }));
        }
        let many = number(9, 1).repeat(MOST_FIELDS + 1);
        assert!(matches!(read(&Held(many)), Err(Fault::Unsupported(_))));
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
