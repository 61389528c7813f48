//! A fixture's volume, made larger, whose files can be put in other ones' places. What is the same, or zeros, is held once.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use etcd_backup_disk::{Blocks, Unreadable};

use crate::image::{Fixture, fixture};

/// Bytes of a block of the file system.
pub(crate) const BLOCK: u64 = 4096;
/// Blocks of the volume: 1 GiB.
const BLOCKS: u64 = 1 << 18;
const BLOCKS_OF_A_GROUP: u64 = 1 << 15;
/// Bytes of an inode.
const INODE: u64 = 256;
const ROOT: u32 = 2;
/// The most blocks of one extent.
const LONGEST_EXTENT: u64 = 1 << 15;

/// Blocks of a file that lie together: the first one's place in the file, how many, and the first one's on the volume.
pub(crate) type Extent = (u64, u64, u64);

pub(crate) struct Volume {
    blocks: HashMap<u64, Arc<[u8]>>,
    /// The first block that nobody uses.
    free: u64,
}

impl Volume {
    /// The fixture has no checksums of metadata, so that it can be changed.
    pub(crate) fn new() -> (Self, Fixture) {
        let fixture = fixture("clean-3.4");
        let image = fixture.image();
        let mut volume = Self { blocks: HashMap::new(), free: image.size() / BLOCK };
        for at in (0..image.size()).step_by(4096).filter(|at| image.is_present(*at..at + BLOCK)) {
            let mut block = vec![0; 4096];
            image.read_at(at, &mut block).expect("in memory");
            volume.blocks.insert(at / BLOCK, block.into());
        }
        volume.write(1024 + 4, &u32::try_from(BLOCKS).expect("small").to_le_bytes());
        // The new groups' inodes, which nobody uses, are said to be the second one's.
        let descriptor: [u8; 32] = volume.read(BLOCK + 32);
        for group in 2..BLOCKS / BLOCKS_OF_A_GROUP {
            volume.write(BLOCK + group * 32, &descriptor);
        }
        (volume, fixture)
    }

    pub(crate) fn read<const N: usize>(&self, at: u64) -> [u8; N] {
        let mut bytes = [0; N];
        self.read_at(at, &mut bytes).expect("in memory");
        bytes
    }

    fn number(&self, at: u64) -> u32 {
        u32::from_le_bytes(self.read(at))
    }

    /// Overwrites bytes of one block.
    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) {
        let mut block: [u8; 4096] = self.read(at / BLOCK * BLOCK);
        let within = usize::try_from(at % BLOCK).expect("small");
        block[within..within + bytes.len()].copy_from_slice(bytes);
        self.blocks.insert(at / BLOCK, block.into());
    }

    /// Takes so many blocks that nobody uses: the first one.
    pub(crate) fn take(&mut self, blocks: u64) -> u64 {
        self.free += blocks;
        assert!(self.free <= BLOCKS, "the volume is full");
        self.free - blocks
    }

    /// Puts bytes where nobody has any: the first block.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u64 {
        let first = self.take((bytes.len() as u64).div_ceil(BLOCK));
        for (at, block) in (first..).zip(bytes.chunks(4096)).filter(|(_, block)| block.iter().any(|byte| *byte != 0)) {
            let mut whole = block.to_vec();
            whole.resize(4096, 0);
            self.blocks.insert(at, whole.into());
        }
        first
    }

    /// Puts the same block so many times: the first one.
    pub(crate) fn repeat(&mut self, block: &[u8], times: u64) -> u64 {
        let (first, block): (u64, Arc<[u8]>) = (self.take(times), block.into());
        self.blocks.extend((first..first + times).map(|at| (at, block.clone())));
        first
    }

    /// Where an inode is, by its path; of each name the end will do.
    pub(crate) fn inode(&self, path: &str) -> u64 {
        path.split('/').fold(self.place(ROOT), |directory, part| self.place(self.child(directory, part)))
    }

    pub(crate) fn place(&self, ino: u32) -> u64 {
        // All are in the first group.
        let table = u64::from(self.number(BLOCK + 8)) * BLOCK;
        table + u64::from(ino - 1) * INODE
    }

    fn child(&self, directory: u64, name_ends: &str) -> u32 {
        let block: [u8; 4096] = self.read(self.first_block(directory) * BLOCK);
        let mut entry = &block[..];
        while entry.len() > 8 {
            let length = usize::from(u16::from_le_bytes([entry[4], entry[5]]));
            let name = &entry[8..8 + usize::from(entry[6])];
            if name.ends_with(name_ends.as_bytes()) {
                return u32::from_le_bytes(entry[..4].try_into().expect("four bytes"));
            }
            entry = &entry[length..];
        }
        panic!("no {name_ends}");
    }

    /// Of the file with that inode.
    pub(crate) fn first_block(&self, inode: u64) -> u64 {
        self.number(inode + 40 + 12 + 8).into()
    }

    /// The extents of the file with that inode, all of them in it.
    pub(crate) fn extents(&self, inode: u64) -> Vec<Extent> {
        let entries = self.read::<60>(inode + 40);
        let count = usize::from(entries[2]);
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let entries = entries.chunks_exact(12).skip(1).take(count);
        entries.map(|entry| (number(&entry[..4]), number(&entry[4..6]), number(&entry[8..]))).collect()
    }

    /// Gives a file another size, and what lies there on the volume.
    pub(crate) fn replace(&mut self, inode: u64, size: u64, first: u64) {
        let blocks = size.div_ceil(BLOCK);
        let starts = (0..blocks).step_by(1 << 15);
        let extents: Vec<Extent> = starts.map(|at| (at, LONGEST_EXTENT.min(blocks - at), first + at)).collect();
        self.write(inode + 4, &u32::try_from(size).expect("small").to_le_bytes());
        self.write(inode + 40, &node(0, &extents.iter().map(leaf).collect::<Vec<_>>()));
    }

    /// Writes it to a file, with holes where nothing is.
    pub(crate) fn write_to(&self, path: &Path) {
        let file = File::create(path).expect("a new file");
        file.set_len(self.size()).expect("a hole");
        for (at, block) in &self.blocks {
            file.write_all_at(block, at * BLOCK).expect("room");
        }
    }

    /// Gives a file bytes.
    pub(crate) fn fill(&mut self, inode: u64, bytes: &[u8]) {
        let first = self.put(bytes);
        self.replace(inode, bytes.len() as u64, first);
    }
}

impl Blocks for Volume {
    fn size(&self) -> u64 {
        BLOCKS * BLOCK
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let mut done = 0;
        while done < into.len() {
            let at = offset + done as u64;
            let within = usize::try_from(at % BLOCK).expect("small");
            let length = (4096 - within).min(into.len() - done);
            let piece = &mut into[done..done + length];
            match self.blocks.get(&(at / BLOCK)) {
                Some(block) => piece.copy_from_slice(&block[within..within + length]),
                None => piece.fill(0),
            }
            done += length;
        }
        Ok(())
    }
}

/// An extent as a leaf has it.
pub(crate) fn leaf((logical, blocks, physical): &Extent) -> [u8; 12] {
    entry(*logical, (*blocks & 0xffff) | (*physical & 0xffff_ffff) << 32)
}

/// A node as one above it has it.
pub(crate) fn index(logical: u64, block: u64) -> [u8; 12] {
    entry(logical, block)
}

fn entry(logical: u64, rest: u64) -> [u8; 12] {
    let mut entry = [0; 12];
    entry[..4].copy_from_slice(&logical.to_le_bytes()[..4]);
    entry[4..].copy_from_slice(&rest.to_le_bytes());
    entry
}

/// A node of an extent tree.
pub(crate) fn node(depth: u16, entries: &[[u8; 12]]) -> Vec<u8> {
    let count = u16::try_from(entries.len()).expect("few");
    let head = [0xf30a, count, count, depth, 0, 0].into_iter().flat_map(u16::to_le_bytes);
    head.chain(entries.iter().flatten().copied()).collect()
}
