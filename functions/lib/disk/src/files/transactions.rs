//! The journal's committed transactions, one after the other: which blocks they leave behind.
//!
//! As the kernel's `do_one_pass` (`fs/jbd2/recovery.c`) reads them, but in one pass: a revoke record hides what its own
//! transaction and those before it wrote, so that it can be forgotten once its transaction is taken. What is kept has a
//! bound while it is read, for a journal can hold nothing but revoke records: 33 million in 128 MiB.

use std::collections::{BTreeMap, HashSet};

use fs_ext4::error::{Error, Result};
use fs_ext4::jbd2::{
    self, BLOCK_TAIL_BYTES, COMMIT_CHECKSUM_AT, JBD2_COMMIT_BLOCK, JBD2_DESCRIPTOR_BLOCK, JBD2_MAGIC_NUMBER,
    JBD2_REVOKE_BLOCK, JournalSuperblock,
};
use fs_ext4::journal::{TAG_ESCAPED, TAG_LAST, TAG_SAME_UUID};

/// The most blocks that are kept in mind, and of an open transaction the most that are revoked: as many as the largest
/// journal has that mkfs makes.
const MOST_BLOCKS: usize = 1 << 18;
/// Bytes before a block's tags (magic, kind, sequence), and before its revoke records (a length besides).
const HEADER: usize = 12;
const REVOKE_HEADER: usize = 16;
/// Bytes of the UUID after a tag that does not share the one before it.
const UUID: usize = 16;

/// A block's last version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logged {
    /// The block of the journal that has it.
    pub(super) at: u64,
    /// Whether it begins with the journal's magic, which zeros stand for there.
    pub(super) escaped: bool,
}

/// Blocks of the file system, by their numbers.
pub(super) type Replay = BTreeMap<u64, Logged>;

/// What the transactions that are committed leave behind. `read` fills in a block of the journal.
pub(super) fn committed(
    superblock: &JournalSuperblock,
    block_size: u32,
    read: impl Fn(u64, &mut [u8]) -> Result<()>,
) -> Result<Replay> {
    check(superblock, block_size)?;
    let mut walk = Walk {
        superblock,
        seed: superblock.uses_csum_v2_or_v3().then(|| superblock.csum_seed()),
        at: superblock.start.into(),
        replay: Replay::new(),
        open: Transaction::default(),
    };
    let (mut block, mut sequence) = (vec![0; block_size as usize], superblock.sequence);
    // Round the log once, and no further.
    let mut left = u64::from(superblock.max_len - superblock.first);
    while left > 0 {
        left -= 1;
        read(walk.at, &mut block)?;
        // What follows the last transaction is an older one's, or data.
        if [be32(&block, 0), be32(&block, 8)] != [JBD2_MAGIC_NUMBER, sequence] {
            break;
        }
        match be32(&block, 4) {
            JBD2_DESCRIPTOR_BLOCK => {
                let Some(tags) = walk.descriptor(&block)? else { break };
                left = left.checked_sub(tags.len() as u64).ok_or(Error::Corrupt("journal transaction exceeds ring"))?;
                for tag in &tags {
                    walk.at = walk.after(walk.at);
                    if let Some(seed) = walk.seed {
                        read(walk.at, &mut block)?;
                        walk.open.holds(tag.checksum == walk.checksum(seed, sequence, &block), "data block");
                    }
                    let logged = Logged { at: walk.at, escaped: tag.flags & TAG_ESCAPED != 0 };
                    walk.open.writes.insert(tag.block, logged);
                }
            }
            JBD2_REVOKE_BLOCK => walk.revoke(&block)?,
            JBD2_COMMIT_BLOCK => {
                if !walk.commit(&block)? {
                    break;
                }
                sequence = sequence.wrapping_add(1);
            }
            _ => break,
        }
        walk.bounded()?;
        walk.at = walk.after(walk.at);
    }
    Ok(walk.replay)
}

/// What the kernel refuses, and what is not known here.
fn check(superblock: &JournalSuperblock, block_size: u32) -> Result<()> {
    if superblock.unsupported_incompat() != 0 {
        return Err(Error::Unsupported("a journal with a feature that is not known"));
    }
    if let Some(why) = superblock.checksum_declaration_error() {
        return Err(Error::Corrupt(why));
    }
    let JournalSuperblock { first, start, max_len, .. } = *superblock;
    if superblock.block_size != block_size || first == 0 || !(first..max_len).contains(&start) {
        return Err(Error::Corrupt("invalid journal geometry"));
    }
    Ok(())
}

/// A transaction whose commit block has not been read yet.
#[derive(Default)]
struct Transaction {
    writes: Replay,
    revoked: HashSet<u64>,
    /// What has a wrong checksum. Without a commit block that is only the end of the log; with one, the log is broken.
    broken: Option<&'static str>,
}

impl Transaction {
    fn holds(&mut self, holds: bool, what: &'static str) {
        if !holds {
            self.broken = Some(what);
        }
    }
}

struct Tag {
    block: u64,
    flags: u32,
    checksum: u32,
}

struct Walk<'a> {
    superblock: &'a JournalSuperblock,
    /// Of the checksums, if there are any.
    seed: Option<u32>,
    /// The block of the journal that is read.
    at: u64,
    replay: Replay,
    open: Transaction,
}

impl Walk<'_> {
    /// The next block of the journal: after the last one comes the first one.
    fn after(&self, at: u64) -> u64 {
        if at + 1 < u64::from(self.superblock.max_len) { at + 1 } else { self.superblock.first.into() }
    }

    fn bounded(&self) -> Result<()> {
        let most = self.replay.len().max(self.open.writes.len()).max(self.open.revoked.len());
        if most > MOST_BLOCKS {
            return Err(Error::Unsupported("a journal of more blocks than are kept in memory"));
        }
        Ok(())
    }

    /// The tags of a descriptor. `None`: they make no sense, and it was torn.
    fn descriptor(&mut self, block: &[u8]) -> Result<Option<Vec<Tag>>> {
        let torn = self.has_wrong_tail(block);
        self.open.holds(!torn, "descriptor block");
        match self.tags(block) {
            None if torn => Ok(None),
            None => Err(Error::Corrupt("descriptor tag overruns block")),
            tags => Ok(tags),
        }
    }

    fn tags(&self, block: &[u8]) -> Option<Vec<Tag>> {
        let (length, is_v3) = (self.superblock.tag_bytes(), self.superblock.uses_csum_v3());
        let mut rest = &block[HEADER..block.len() - self.tail()];
        let mut tags = Vec::new();
        while let Some((tag, others)) = rest.split_at_checked(length) {
            // Of 32 bits each in the newest layout; before it a checksum of 16 bits, then flags of 16.
            let (flags, checksum) =
                if is_v3 { (be32(tag, 4), be32(tag, 12)) } else { (be32(tag, 4) & 0xffff, be32(tag, 4) >> 16) };
            let high = if self.superblock.uses_64bit() { be32(tag, 8) } else { 0 };
            tags.push(Tag { block: u64::from(high) << 32 | u64::from(be32(tag, 0)), flags, checksum });
            if flags & TAG_LAST != 0 {
                break;
            }
            rest = others.get(if flags & TAG_SAME_UUID == 0 { UUID } else { 0 }..).unwrap_or_default();
        }
        (!tags.is_empty()).then_some(tags)
    }

    fn revoke(&mut self, block: &[u8]) -> Result<()> {
        let sound = !self.has_wrong_tail(block);
        self.open.holds(sound, "revoke block");
        let end = be32(block, 12) as usize;
        if end > block.len() - self.tail() {
            return Err(Error::Corrupt("journal revoke block count exceeds the block"));
        }
        let records = block.get(REVOKE_HEADER..end).unwrap_or_default();
        if self.superblock.uses_64bit() {
            let block = |record: &[u8]| u64::from(be32(record, 0)) << 32 | u64::from(be32(record, 4));
            self.open.revoked.extend(records.chunks_exact(8).map(block));
        } else {
            self.open.revoked.extend(records.chunks_exact(4).map(|record| u64::from(be32(record, 0))));
        }
        Ok(())
    }

    /// Takes the open transaction. Not, if its commit block was torn: the log ends before it.
    fn commit(&mut self, block: &[u8]) -> Result<bool> {
        let is_torn = |seed| jbd2::commit_block_checksum(seed, block) != be32(block, COMMIT_CHECKSUM_AT);
        if self.seed.is_some_and(is_torn) {
            return Ok(false);
        }
        let Transaction { writes, revoked, broken } = std::mem::take(&mut self.open);
        if let Some(what) = broken {
            return Err(Error::BadChecksum { what });
        }
        self.replay.extend(writes);
        for block in revoked {
            self.replay.remove(&block);
        }
        Ok(true)
    }

    fn checksum(&self, seed: u32, sequence: u32, data: &[u8]) -> u32 {
        let checksum = jbd2::tag_checksum(seed, sequence, data);
        if self.superblock.uses_csum_v3() { checksum } else { checksum & 0xffff }
    }

    /// Bytes at a block's end that hold its checksum.
    fn tail(&self) -> usize {
        if self.seed.is_some() { BLOCK_TAIL_BYTES } else { 0 }
    }

    fn has_wrong_tail(&self, block: &[u8]) -> bool {
        let stored = be32(block, block.len() - BLOCK_TAIL_BYTES);
        self.seed.is_some_and(|seed| jbd2::block_tail_checksum(seed, block) != stored)
    }
}

/// The four bytes there: jbd2's numbers are big-endian.
fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests;
