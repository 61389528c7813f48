//! The seam over the ext4 reader: what the etcd readers need of a file system, and no more.
//!
//! The reader behind it, `rust-fs-ext4`, is large and young. It is asked for what is hard to write (superblock, groups,
//! inodes, checksums); the journal, extents and directories are walked here, where every loop has a bound.

mod device;
mod directory;
mod ext4;
mod extents;
mod journal;
mod read_ahead;
mod recognise;
mod transactions;

use std::ops::Range;
use std::sync::Arc;

use crate::blocks::Blocks;
pub(crate) use ext4::within;

pub use crate::fault::Fault;

/// A mounted file system, read-only.
pub trait Files: Send + Sync {
    /// What a directory holds, without `.` and `..`. Paths go from the volume's root, e.g. `data/token/member`; the
    /// root itself is the empty path.
    fn list(&self, path: &str) -> Result<Vec<Entry>, Fault>;

    /// Opens a regular file.
    fn open(&self, path: &str) -> Result<Box<dyn File>, Fault>;
}

/// A regular file.
pub trait File: Send + Sync {
    /// Its size in bytes, as the file system says: it may be far more than the volume holds.
    fn size(&self) -> u64;

    /// Fills `into` from `offset` on; reading past the end is [`Fault::Broken`]. Holes and blocks that were allocated
    /// but never written are zeros, and cost nothing.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault>;

    /// A hint: these ranges of the file, in bytes, will be read next.
    fn prefetch(&self, ranges: &[Range<u64>]);
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name. What is not UTF-8 in it is replaced: no file of etcd has such a name.
    pub name: String,
    /// What it names.
    pub kind: Kind,
}

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// Anything else, symbolic links included: they are not followed.
    Other,
}

/// Mounts the file system on `blocks`, with its journal replayed in memory.
///
/// Another file system, or an ext4 with a feature that the reader lacks, is [`Fault::Unsupported`].
pub fn mount(blocks: Arc<dyn Blocks>) -> Result<Box<dyn Files>, Fault> {
    Ok(Box::new(ext4::Ext4::mount(blocks)?))
}
