//! Where a file's bytes are: its extents, with every bound checked.
//!
//! Walked here, not by the reader: its walks follow whatever a node says, for as long as it says.

use std::ops::Range;

use fs_ext4::block_io::BlockDevice;
use fs_ext4::checksum::Checksummer;
use fs_ext4::error::{Error, Result};
use fs_ext4::extent::{EXT4_EXT_MAX_DEPTH, EXT4_EXT_NODE_SIZE, Extent, ExtentHeader, ExtentIdx};
use fs_ext4::inode::Inode;

/// The most extents of one file, each 32 bytes in memory. A fragmented db of 8 GiB has some thousands.
const MOST_RUNS: usize = 1 << 18;
/// The most nodes of one file's tree.
const MOST_NODES: usize = 1 << 14;

/// What the walk needs to know of the file system.
pub(super) struct Geometry<'a> {
    pub(super) device: &'a dyn BlockDevice,
    pub(super) checksums: &'a Checksummer,
    /// Bytes.
    pub(super) block_size: u32,
    /// Of the whole file system.
    pub(super) blocks: u64,
}

/// Blocks of a file that lie together on the volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Blocks of the file.
    pub(super) logical: Range<u64>,
    /// The first one's block on the volume.
    pub(super) physical: u64,
    /// Allocated only: what is on the volume there is someone else's old data, the file has zeros.
    pub(super) unwritten: bool,
}

/// All extents of a file, in order and without overlap.
pub(super) fn runs(of: &Geometry<'_>, ino: u32, inode: &Inode) -> Result<Vec<Run>> {
    let root = ExtentHeader::parse(&inode.block)?;
    if root.depth > EXT4_EXT_MAX_DEPTH {
        return Err(Error::CorruptExtentTree("deeper than ext4 allows"));
    }
    let mut walk = Walk { blocks: of.blocks, runs: Vec::new(), pending: Vec::new() };
    walk.visit(&inode.block, root.depth)?;
    let mut nodes = 0;
    while let Some((block, depth)) = walk.pending.pop() {
        nodes += 1;
        if nodes > MOST_NODES {
            return Err(Error::Unsupported("a file with more extent blocks than are read"));
        }
        let node = node(of, ino, inode, block)?;
        walk.visit(&node, depth)?;
    }
    Ok(walk.runs)
}

fn node(of: &Geometry<'_>, ino: u32, inode: &Inode, block: u64) -> Result<Vec<u8>> {
    let size = of.block_size as usize;
    let mut node = vec![0; size];
    of.device.read_at(block * u64::from(of.block_size), &mut node)?;
    let summed = of.checksums.enabled;
    if summed && !of.checksums.verify_extent_tail(ino, inode.generation, &node) {
        return Err(Error::BadChecksum { what: "extent block" });
    }
    Ok(node)
}

struct Walk {
    /// Of the whole file system.
    blocks: u64,
    runs: Vec<Run>,
    /// Nodes yet to visit and the depth that each must have, the next one last.
    pending: Vec<(u64, u16)>,
}

impl Walk {
    fn visit(&mut self, node: &[u8], depth: u16) -> Result<()> {
        let header = ExtentHeader::parse(node)?;
        if header.depth != depth {
            return Err(Error::CorruptExtentTree("a node of another depth than its place"));
        }
        let entries = node.chunks_exact(EXT4_EXT_NODE_SIZE).skip(1);
        if usize::from(header.entries) > entries.len() {
            return Err(Error::CorruptExtentTree("more entries than the node holds"));
        }
        let entries = entries.take(header.entries.into());
        if depth == 0 {
            return entries.into_iter().try_for_each(|entry| self.add(&Extent::parse(entry)?));
        }
        for entry in entries.rev() {
            let child = ExtentIdx::parse(entry)?.leaf_block;
            if child >= self.blocks {
                return Err(Error::CorruptExtentTree("a node past the end of the file system"));
            }
            self.pending.push((child, depth - 1));
        }
        Ok(())
    }

    fn add(&mut self, extent: &Extent) -> Result<()> {
        let first = u64::from(extent.logical_block);
        let logical = first..first + u64::from(extent.length);
        let past_the_last = self.runs.last().is_none_or(|last| last.logical.end <= logical.start);
        if logical.is_empty() || !past_the_last {
            return Err(Error::CorruptExtentTree("extents out of order"));
        }
        if extent.physical_block + u64::from(extent.length) > self.blocks {
            return Err(Error::CorruptExtentTree("an extent past the end of the file system"));
        }
        if self.runs.len() == MOST_RUNS {
            return Err(Error::Unsupported("a file in more pieces than are read"));
        }
        self.runs.push(Run { logical, physical: extent.physical_block, unwritten: extent.uninitialized });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(depth: u16, entries: &[[u8; 12]]) -> Vec<u8> {
        let count = u16::try_from(entries.len()).expect("few");
        let mut node = Vec::new();
        for field in [0xf30a, count, count, depth, 0, 0] {
            node.extend_from_slice(&u16::to_le_bytes(field));
        }
        node.extend(entries.concat());
        node
    }

    fn leaf(logical: u32, length: u16, physical: u32) -> [u8; 12] {
        let mut entry = [0; 12];
        entry[..4].copy_from_slice(&logical.to_le_bytes());
        entry[4..6].copy_from_slice(&length.to_le_bytes());
        entry[8..].copy_from_slice(&physical.to_le_bytes());
        entry
    }

    fn walk(entries: &[[u8; 12]]) -> Result<Vec<Run>> {
        let mut walk = Walk { blocks: 1000, runs: Vec::new(), pending: Vec::new() };
        walk.visit(&node(0, entries), 0)?;
        Ok(walk.runs)
    }

    #[test]
    fn an_unwritten_extent_is_told_apart() {
        let runs = walk(&[leaf(0, 2, 10), leaf(5, 0x8003, 20)]).expect("sound");
        let expected = [
            Run { logical: 0..2, physical: 10, unwritten: false },
            Run { logical: 5..8, physical: 20, unwritten: true },
        ];
        assert_eq!(runs, expected);
    }

    #[test]
    fn hostile_extents_are_refused() {
        for entries in [
            [leaf(0, 2, 10), leaf(1, 1, 20)],
            [leaf(5, 2, 10), leaf(0, 1, 20)],
            [leaf(0, 0, 10), leaf(1, 1, 20)],
            [leaf(0, 2, 10), leaf(2, 1, 1000)],
        ] {
            assert!(walk(&entries).is_err(), "{entries:?}");
        }
        let mut deeper = Walk { blocks: 1000, runs: Vec::new(), pending: Vec::new() };
        assert!(deeper.visit(&node(1, &[leaf(0, 1, 1)]), 0).is_err(), "a node as its own child");
        assert!(deeper.visit(&node(0, &[])[..8], 0).is_err());
    }

    #[test]
    fn children_are_visited_in_order() {
        let child = |block: u32| {
            let mut entry = [0; 12];
            entry[4..8].copy_from_slice(&block.to_le_bytes());
            entry
        };
        let mut walk = Walk { blocks: 1000, runs: Vec::new(), pending: Vec::new() };
        walk.visit(&node(1, &[child(7), child(8)]), 1).expect("sound");
        assert_eq!(walk.pending, [(8, 0), (7, 0)]);
        assert!(walk.visit(&node(1, &[child(1000)]), 1).is_err());
    }
}
