//! The journal's replay, in memory.
//!
//! The reader would hold the whole log in memory, and all that it revokes. So it is mounted as if the journal were clean,
//! and what [`transactions`] finds is replayed here: of each block only its last version, within a bound.

use std::ops::Range;

use fs_ext4::bgd::{self, BlockGroupDescriptor};
use fs_ext4::block_io::BlockDevice;
use fs_ext4::checksum::{Checksummer, linux_crc32c};
use fs_ext4::error::{Error, Result};
use fs_ext4::inode::Inode;
use fs_ext4::jbd2::{JBD2_MAGIC_NUMBER, JournalSuperblock};
use fs_ext4::{Filesystem, Superblock};

use super::device::Device;
use super::ext4::ROOT;
use super::extents::{self, Geometry, Run};
use super::read_ahead::ReadAhead;
use super::transactions;

/// The most bytes that a replay keeps in memory. A full journal of 128 MiB, the largest on a volume below 128 GiB,
/// writes the same few thousand blocks again and again.
const MOST_REPLAYED: u64 = 96 << 20;

/// Where the journal's superblock has its start and its checksum.
const START: Range<usize> = 0x1c..0x20;
const CHECKSUM: Range<usize> = 0xfc..0x100;

/// A journal that holds something.
pub(super) struct Journal {
    superblock: JournalSuperblock,
    /// Its first block, and where on the volume that is, in bytes.
    head: Vec<u8>,
    head_at: u64,
    runs: Vec<Run>,
    block_size: u64,
}

/// Finds the journal, if it holds something.
pub(super) fn find(device: &Device, superblock: &Superblock) -> Result<Option<Journal>> {
    if superblock.journal_inode == 0 {
        return Ok(None);
    }
    let checksums = Checksummer::from_superblock(superblock);
    let groups = bgd::read_all(device, superblock, &checksums)?;
    let block_size = superblock.block_size();
    let geometry = Geometry { device, checksums: &checksums, block_size, blocks: superblock.blocks_count };
    let runs = runs(&geometry, superblock, &groups, superblock.journal_inode)?;
    let first = runs.first().filter(|run| run.logical.start == 0 && !run.unwritten);
    let head_at = first.ok_or(Error::Corrupt("a journal without a beginning"))?.physical * u64::from(block_size);
    hint_at_root(&geometry, superblock, &groups, device);
    let mut head = vec![0; block_size as usize];
    device.read_at(head_at, &mut head)?;
    let superblock = JournalSuperblock::parse(&head)?;
    // The reader does not look at it, the kernel does: a wrong start would pass for a clean journal.
    if superblock.uses_csum_v2_or_v3() && superblock.checksum != checksum(&head) {
        return Err(Error::BadChecksum { what: "journal superblock" });
    }
    let journal = Journal { superblock, head, head_at, runs, block_size: block_size.into() };
    Ok((!journal.superblock.is_clean()).then_some(journal))
}

/// Where an inode's bytes are, before the replay.
fn runs(of: &Geometry<'_>, superblock: &Superblock, groups: &[BlockGroupDescriptor], ino: u32) -> Result<Vec<Run>> {
    let (block, offset) = bgd::locate_inode(superblock, groups, ino)?;
    let mut raw = vec![0; usize::from(superblock.inode_size)];
    of.device.read_at(block * u64::from(of.block_size) + u64::from(offset), &mut raw)?;
    let inode = Inode::parse(&raw)?;
    if !inode.has_extents() {
        return Err(Error::Unsupported("a journal without extents, from an ext3"));
    }
    extents::runs(of, ino, &inode)
}

/// The root directory is read after the journal, and neither needs the other. What is wrong with it is said then.
fn hint_at_root(of: &Geometry<'_>, superblock: &Superblock, groups: &[BlockGroupDescriptor], device: &Device) {
    let Ok(runs) = runs(of, superblock, groups, ROOT) else { return };
    if let Some(first) = runs.first() {
        let at = first.physical * u64::from(of.block_size);
        device.blocks.prefetch(std::slice::from_ref(&(at..at + u64::from(of.block_size))));
    }
}

/// Of the superblock's 1024 bytes, its own field taken as zeros.
fn checksum(head: &[u8]) -> u32 {
    let mut bytes = head[..1024].to_vec();
    bytes[CHECKSUM].fill(0);
    linux_crc32c(!0, &bytes)
}

impl Journal {
    /// Where on the volume its first block is, in bytes, and that block as if the journal were clean.
    pub(super) fn as_if_clean(&self) -> (u64, Vec<u8>) {
        let mut head = self.head.clone();
        head[START].fill(0);
        let checksum = checksum(&head);
        if self.superblock.uses_csum_v2_or_v3() {
            head[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
        }
        (self.head_at, head)
    }

    /// Hints for its walk. How far it goes is only known then: from the start round to there again.
    pub(super) fn read_ahead(&self) -> ReadAhead {
        let start = u64::from(self.superblock.start);
        ReadAhead::new(self.bytes(start..u64::MAX).chain(self.bytes(0..start)))
    }

    /// Where on the volume these blocks of the journal are, in bytes.
    fn bytes(&self, blocks: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let first = self.runs.partition_point(|run| run.logical.end <= blocks.start);
        let within = self.runs[first..].iter().take_while({
            let end = blocks.end;
            move |run| run.logical.start < end
        });
        within.map(move |run| {
            let (from, to) = (blocks.start.max(run.logical.start), blocks.end.min(run.logical.end));
            let first = run.physical + (from - run.logical.start);
            first * self.block_size..(first + to - from) * self.block_size
        })
    }

    /// Fills in a block of the journal.
    fn read(&self, device: &dyn BlockDevice, block: u64, into: &mut [u8]) -> Result<()> {
        let place = self.bytes(block..block + 1).next().ok_or(Error::Corrupt("a journal with a hole"))?;
        device.read_at(place.start, into)
    }

    /// Replays it over a file system that was mounted as if it were clean.
    pub(super) fn replay(&self, mounted: &Filesystem) -> Result<()> {
        let (device, size) = (mounted.dev.as_ref(), mounted.sb.block_size());
        let read = |block, into: &mut [u8]| self.read(device, block, into);
        let last = transactions::committed(&self.superblock, size, read)?;
        if last.len() as u64 * self.block_size > MOST_REPLAYED {
            return Err(Error::Unsupported("a journal that changes more blocks than are kept in memory"));
        }
        for (block, logged) in last {
            if block >= mounted.sb.blocks_count {
                return Err(Error::Corrupt("the journal names a block past the end of the file system"));
            }
            let mut bytes = vec![0; size as usize];
            read(logged.at, &mut bytes)?;
            if logged.escaped {
                bytes[..4].copy_from_slice(&JBD2_MAGIC_NUMBER.to_be_bytes());
            }
            mounted.dev.populate_cache(block, bytes);
        }
        Ok(())
    }
}
