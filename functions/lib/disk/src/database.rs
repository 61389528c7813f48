//! etcd's db, to be copied: whole, in the order of the file, each byte once.

use crate::bbolt::{Db, Stream};
use crate::fault::Fault;
use crate::files::{File, Files};

/// How much is read at once, in bytes.
const CHUNK: u64 = 1 << 20;
/// How far ahead is hinted, in bytes, and how much at a time.
const AHEAD: u64 = 16 << 20;
const HINTED: u64 = 8 << 20;

/// The db of a data directory. Past its last page that was ever used a file may hold anything: that is no part of it.
pub struct Database {
    file: Box<dyn File>,
    bytes: u64,
}

impl Database {
    /// Opens the db of a data directory, by its path from the volume's root: [`Examined::data_dir`](crate::Examined::data_dir).
    pub fn open(files: &dyn Files, data_dir: &str) -> Result<Self, Fault> {
        let file = files.open(&format!("{data_dir}/member/snap/db"))?;
        let bytes = Db::open(file.as_ref())?.bytes();
        Ok(Self { file, bytes })
    }

    /// Its length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives all of it, in pieces and in order, and hints at what comes next.
    pub fn copy<E: From<Fault>>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut piece = vec![0; usize::try_from(CHUNK.min(self.bytes)).unwrap_or_default()];
        let (mut at, mut hinted) = (0, 0);
        while at < self.bytes {
            while hinted < self.bytes.min(at + AHEAD) {
                let until = self.bytes.min(hinted + HINTED);
                self.file.prefetch(std::slice::from_ref(&(hinted..until)));
                hinted = until;
            }
            let length = CHUNK.min(self.bytes - at);
            let piece = &mut piece[..usize::try_from(length).unwrap_or_default()];
            self.file.read_at(at, piece).map_err(E::from)?;
            take(piece)?;
            at += length;
        }
        Ok(())
    }
}

/// Judges an etcd db as it comes, in the order of the file: every page's form, and at the end the tree from the newest sound
/// meta. It takes memory for a few hundredths of the db's size, and never more than some 300 MB.
#[derive(Default)]
pub struct DbStream(Stream);

/// What a sound db says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbFacts {
    /// The cluster's version, e.g. `3.5`, without the patch level; none in the first seconds of a cluster's life.
    pub etcd_version: Option<String>,
    /// The last revision.
    pub revision: i64,
    /// The last raft index that is in it.
    pub consistent_index: u64,
    /// What is wrong with the meta that is not used, if anything.
    pub weakness: Option<String>,
}

impl DbStream {
    /// Takes what comes next.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.0.feed(bytes)
    }

    /// Judges the whole, once all has come.
    pub fn finish(self) -> Result<DbFacts, Fault> {
        let passed = self.0.finish()?;
        let store = passed.store;
        if let Some(unknown) = store.unknown {
            return Err(Fault::Unsupported(unknown));
        }
        Ok(DbFacts {
            etcd_version: store.etcd_version,
            revision: store.revision,
            consistent_index: store.consistent_index,
            weakness: passed.weakness,
        })
    }
}
