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
/// Of 1 to 9. Measured with 256 MB of made-up pages: this one 268 MB/s and 3.4 times smaller, 6 half as fast and 4.0 times
/// smaller, 9 a fifth as fast and no better.
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
mod tests;
