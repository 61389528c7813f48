//! A backup's data: a gzip of what `etcdctl snapshot save` writes, that is the db's pages and then the SHA-256 over them.

use std::io::{self, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// Bytes of a SHA-256.
const HASH: usize = 32;
/// A db is a whole number of these, so that what has 32 bytes more has a SHA-256 (etcd's `etcdutl`, `hasChecksum`).
const SECTOR: u64 = 512;
/// How much is read at once, in bytes.
const PIECE: usize = 256 << 10;
/// Of 1 to 9. A db of Kubernetes' objects is a seventh of its size with it, a ninth with the slowest, which takes five times
/// as long.
const LEVEL: u32 = 1;

/// Writes a backup's data. The same db gives the same bytes.
pub struct Writer<W: Write> {
    gzip: GzEncoder<W>,
    /// Less than a piece: how the db comes must not show in what is written.
    held: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The db's length in bytes.
    pub db_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; HASH],
}

impl<W: Write> Writer<W> {
    /// Into that.
    #[must_use]
    pub fn new(into: W) -> Self {
        // Without a time and a name, which differ each time.
        let gzip = GzBuilder::new().write(into, Compression::new(LEVEL));
        Self { gzip, held: Vec::with_capacity(PIECE), hash: Sha256::new(), bytes: 0 }
    }

    /// Takes what comes next of the db.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PIECE - self.held.len()));
            self.held.extend_from_slice(now);
            rest = later;
            if self.held.len() == PIECE {
                self.gzip.write_all(&self.held)?;
                self.held.clear();
            }
        }
        Ok(())
    }

    /// Ends it, and gives back what it was written into.
    pub fn finish(mut self) -> io::Result<(Written, W)> {
        let sha256: [u8; HASH] = self.hash.finalize().into();
        self.held.extend_from_slice(&sha256);
        self.gzip.write_all(&self.held)?;
        Ok((Written { db_bytes: self.bytes, sha256 }, self.gzip.finish()?))
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The db's length in bytes.
    pub db_bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; HASH],
}

/// Why a backup's data is none.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// It could not be read to the end, which says nothing of it.
    #[error("it could not be read: {0}")]
    Unread(io::Error),
    /// It does not begin as a gzip does.
    #[error("it is no whole gzip: its beginning is none of a gzip")]
    NotGzip,
    /// It ends too early, as after an upload that was cut off.
    #[error("it is no whole gzip: it is cut off")]
    CutOff,
    /// It begins as a gzip, and then does not go on as one, or what follows it is none.
    #[error("it is no whole gzip: {0}")]
    Damaged(io::Error),
    /// There is no SHA-256 after the db, without which etcd restores nothing. In bytes.
    #[error("{0} bytes: no whole db with a SHA-256 after it")]
    NoHash(u64),
    /// The SHA-256 is that of another db.
    #[error("the SHA-256 after the db is not the db's")]
    WrongHash,
    /// More than is read, in bytes of the db.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// Whoever takes the db takes no more.
    #[error(transparent)]
    Taken(#[from] E),
}

impl<E> ReadError<E> {
    /// By what flate2 makes of it: any other kind of error comes from what is read from.
    fn of(error: io::Error, has_begun: bool) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutOff,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if has_begun => Self::Damaged(error),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Self::NotGzip,
            _ => Self::Unread(error),
        }
    }
}

/// Reads a backup's data, at most so many bytes of a db, and gives the db piece by piece: what was given is the db only when
/// this ends well. As etcd-manager does, it takes a gzip of several members, and nothing else after them.
pub fn read<E>(
    from: impl io::BufRead,
    most: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let mut gzip = MultiGzDecoder::new(from);
    let (mut hash, mut length) = (Sha256::new(), 0);
    // The last bytes that came may be the SHA-256.
    let mut held = Vec::with_capacity(HASH + PIECE);
    let mut piece = vec![0; PIECE];
    loop {
        let got = match io::Read::read(&mut gzip, &mut piece) {
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ReadError::of(error, gzip.header().is_some() || length > 0 || !held.is_empty())),
        };
        if got == 0 {
            break;
        }
        held.extend_from_slice(&piece[..got]);
        let db = held.len().saturating_sub(HASH);
        length += db as u64;
        if length > most {
            return Err(ReadError::TooLarge(most));
        }
        hash.update(&held[..db]);
        take(&held[..db])?;
        held.drain(..db);
    }
    if held.len() < HASH || length == 0 || length % SECTOR != 0 {
        return Err(ReadError::NoHash(length + held.len() as u64));
    }
    let sha256: [u8; HASH] = hash.finalize().into();
    if held != sha256 {
        return Err(ReadError::WrongHash);
    }
    Ok(Read { db_bytes: length, sha256 })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn written(db: &[u8], piece: usize) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        db.chunks(piece).for_each(|piece| writer.write(piece).expect("memory"));
        let (written, bytes) = writer.finish().expect("memory");
        assert_eq!(written.db_bytes, db.len() as u64);
        bytes
    }

    fn read_back(file: &[u8], most: u64) -> Result<Vec<u8>, String> {
        let mut db = Vec::new();
        let take = |piece: &[u8]| -> Result<(), Infallible> {
            db.extend_from_slice(piece);
            Ok(())
        };
        let read = read(file, most, take).map_err(|error| error.to_string())?;
        assert_eq!(read.db_bytes, db.len() as u64);
        Ok(db)
    }

    #[test]
    fn the_same_db_gives_the_same_bytes_and_no_time_is_in_them() {
        let db = vec![7; 3 * 4096];
        assert_eq!(written(&db, 4096), written(&db, 1000));
        assert_eq!(written(&db, 4096)[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).expect("memory");
        gzip.finish().expect("memory")
    }

    fn with_hash(db: &[u8]) -> Vec<u8> {
        [db, &Sha256::digest(db)[..]].concat()
    }

    fn refused(from: impl io::BufRead) -> ReadError<Infallible> {
        read(from, 1 << 20, |_| Ok(())).expect_err("no backup")
    }

    #[test]
    fn what_is_no_backup_is_told_apart() {
        let db = [7; 4096];
        let file = written(&db, 4096);
        assert!(matches!(refused(&b"no gzip at all"[..]), ReadError::NotGzip));
        for kept in [0, 1, 9, 10, 11, file.len() / 2, file.len() - 8, file.len() - 1] {
            assert!(matches!(refused(&file[..kept]), ReadError::CutOff), "{kept} bytes");
        }
        for after in [&b"\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"not a member of a gzip"] {
            assert!(matches!(refused(&[&file[..], after].concat()[..]), ReadError::Damaged(_)), "{after:?}");
        }
        for (bytes, length) in [(&db[..], 4096), (&db[..32], 32), (&db[..31], 31), (&[], 0)] {
            assert!(matches!(refused(&gzip(bytes)[..]), ReadError::NoHash(told) if told == length), "{length}");
        }
        let odd = with_hash(&db[..1000]);
        assert!(matches!(refused(&gzip(&odd)[..]), ReadError::NoHash(1032)), "no db has 1000 bytes");
        let other = [&db[..], &[0; HASH]].concat();
        assert!(matches!(refused(&gzip(&other)[..]), ReadError::WrongHash));
    }

    #[test]
    fn a_gzip_of_several_members_is_one_backup() {
        let db = vec![7; 4096];
        let whole = with_hash(&db);
        for cut in [1, 100, 4096, 4100, whole.len() - 1] {
            let (first, second) = whole.split_at(cut);
            let members = [gzip(first), gzip(&[]), gzip(second)].concat();
            assert_eq!(read_back(&members, 1 << 20).as_ref(), Ok(&db), "cut at {cut}");
        }
    }

    #[test]
    fn a_failure_to_read_says_nothing_of_the_backup() {
        struct Fails;
        impl io::Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let file = written(&[7; 4096], 4096);
        let from = io::Read::chain(&file[..file.len() / 2], Fails);
        assert!(matches!(refused(io::BufReader::new(from)), ReadError::Unread(_)));
    }

    #[test]
    fn a_bomb_is_read_so_far_and_no_further() {
        let file = written(&vec![0; 64 << 20], 1 << 20);
        assert!(file.len() < 1 << 20);
        let mut given = 0;
        let stopped = read(&file[..], 1 << 20, |piece| -> Result<(), Infallible> {
            given += piece.len();
            Ok(())
        });
        assert!(matches!(stopped, Err(ReadError::TooLarge(most)) if most == 1 << 20), "{stopped:?}");
        assert!(given <= 1 << 20, "{given} bytes were given");
        let most = written(&vec![0; 1 << 20], 1 << 20);
        assert_eq!(read_back(&most, 1 << 20).map(|db| db.len()), Ok(1 << 20), "as many as may be");
    }

    #[test]
    fn who_takes_no_more_ends_it() {
        let file = written(&vec![7; 4096], 4096);
        let stopped = read(&file[..], 1 << 20, |_| Err("enough"));
        assert!(matches!(stopped, Err(ReadError::Taken("enough"))));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(sectors in 1..40_usize, seed in any::<u8>(), piece in 1..9000_usize) {
            let db: Vec<u8> = (0..=250_u8).cycle().map(|byte| byte ^ seed).take(sectors * 512).collect();
            prop_assert_eq!(read_back(&written(&db, piece), 1 << 20), Ok(db));
        }

        #[test]
        fn whatever_is_there_is_read_or_refused(
            begins in any::<bool>(),
            bytes in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let header = if begins { &[0x1f, 0x8b, 8][..] } else { &[] };
            prop_assert!(read_back(&[header, &bytes].concat(), 1 << 20).is_err());
        }

        #[test]
        fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let db: Vec<u8> = (0..=250_u8).cycle().take(4096).collect();
            let mut file = written(&db, 4096);
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
            // Some bits say nothing of the data: in the header, and those that fill the last byte before the eight of the end.
            if let Ok(read) = read_back(&file, 1 << 20) {
                prop_assert!(read == db && (at < 10 || at == file.len() - 9), "byte {}", at);
            }
        }
    }
}
