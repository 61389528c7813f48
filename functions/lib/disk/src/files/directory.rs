//! Directories, block by block.

use fs_ext4::dir::{DirBlockIter, DirEntry, DirEntryType, has_csum_tail};
use fs_ext4::error::{Error, Result};
use fs_ext4::inode::Inode;

use super::Kind;
use super::extents::{self, Geometry};

/// The largest directory that is read, in bytes: some hundred thousand names. Those of etcd and etcd-manager take a block.
const LARGEST: u64 = 4 << 20;
/// The flag of a directory that has an index (`EXT4_INDEX_FL`).
const INDEXED: u32 = 0x1000;

/// A name and what it leads to.
pub(super) struct Link {
    pub(super) name: String,
    pub(super) ino: u32,
    /// `None` on a file system that does not write it into directories.
    pub(super) kind: Option<Kind>,
}

/// All names in a directory with extents, without `.` and `..`.
pub(super) fn names(of: &Geometry<'_>, ino: u32, inode: &Inode, has_kinds: bool) -> Result<Vec<Link>> {
    if inode.size > LARGEST {
        return Err(Error::Unsupported("a directory larger than are read"));
    }
    let mut names = Vec::new();
    let mut block = vec![0; of.block_size as usize];
    let used = inode.size.div_ceil(of.block_size.into());
    for run in extents::runs(of, ino, inode)? {
        for logical in run.logical.start..run.logical.end.min(used) {
            let physical = run.physical + (logical - run.logical.start);
            of.device.read_at(physical * u64::from(of.block_size), &mut block)?;
            let summed = has_csum_tail(&block) && !is_of_index(inode, logical, &block);
            if summed && !of.checksums.verify_dir_entry_tail(ino, inode.generation, &block) {
                return Err(Error::BadChecksum { what: "directory block" });
            }
            for entry in DirBlockIter::new(&block, has_kinds) {
                names.push(link(&entry?));
            }
        }
    }
    names.retain(|name| name.name != "." && name.name != "..");
    Ok(names)
}

/// Whether a block may be one of the directory's index, as the kernel tells them (`__ext4_read_dirblock`).
///
/// These hold no names: they pass for `.` and `..`, or for one unused entry. Their checksum is of another kind, but the
/// first one was a block of names before, and still ends as such: of that tail only the last bytes are written over.
fn is_of_index(inode: &Inode, logical: u64, block: &[u8]) -> bool {
    let first_entry = usize::from(u16::from_le_bytes([block[4], block[5]]));
    inode.flags & INDEXED != 0 && (logical == 0 || first_entry == block.len())
}

pub(super) fn link(entry: &DirEntry) -> Link {
    let kind = match entry.file_type {
        DirEntryType::Unknown => None,
        DirEntryType::RegFile => Some(Kind::File),
        DirEntryType::Directory => Some(Kind::Directory),
        _ => Some(Kind::Other),
    };
    Link { name: String::from_utf8_lossy(&entry.name).into_owned(), ino: entry.inode, kind }
}
