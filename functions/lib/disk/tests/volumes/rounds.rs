//! How often the readers wait for blocks, one wait after the other. Over a network that is what takes the time: what is
//! hinted at comes at once, as much of it as is asked for.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use etcd_backup_disk::{Blocks, Depth, Unreadable, examine};

use crate::image::{EBS_BLOCK, Image, fixture};

/// Bytes of a page of the dbs, and of a block of the file systems.
const PAGE: u64 = 4096;

/// A volume whose blocks each take one round to come, from when they are hinted at or read.
struct Remote {
    image: Image,
    /// Bytes of what comes as one.
    block: u64,
    clock: Mutex<Clock>,
}

#[derive(Default)]
struct Clock {
    rounds: u64,
    /// After which round each block is there.
    there: HashMap<u64, u64>,
}

impl Remote {
    /// The blocks of a range that are not absent: those cost nothing.
    fn blocks(&self, range: Range<u64>) -> impl Iterator<Item = u64> {
        let blocks = range.start / self.block..range.end.div_ceil(self.block);
        blocks.filter(|block| self.image.is_present(block * self.block..(block + 1) * self.block))
    }
}

impl Blocks for Remote {
    fn size(&self) -> u64 {
        self.image.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let mut clock = self.clock.lock().expect("a clock");
        for block in self.blocks(offset..offset + into.len() as u64) {
            let next = clock.rounds + 1;
            let there = *clock.there.entry(block).or_insert(next);
            clock.rounds = clock.rounds.max(there);
        }
        self.image.read_at(offset, into)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let mut clock = self.clock.lock().expect("a clock");
        let next = clock.rounds + 1;
        for block in ranges.iter().flat_map(|range| self.blocks(range.clone())) {
            clock.there.entry(block).or_insert(next);
        }
    }
}

fn rounds(name: &str, block: u64, depth: Depth) -> u64 {
    let remote = Arc::new(Remote { image: fixture(name).image(), block, clock: Mutex::default() });
    examine(remote.clone(), depth).expect("it can be read");
    remote.clock.lock().expect("a clock").rounds
}

/// In blocks as EBS has them. First the superblock; with it come the group descriptors and the first inodes.
#[test]
fn a_round_is_what_only_the_one_before_it_could_tell() {
    // The journal's beginning and the root directory; the other directories; the db's metas, the `.snap` files and the
    // WAL; the db's root, and with it, these dbs being small, all that is under it.
    assert_eq!(rounds("clean-3.5", EBS_BLOCK, Depth::Shallow), 5);
    // The journal's beginning; its rest, which holds the directories; the metas, `.snap` and WAL; the db's root.
    assert_eq!(rounds("dirty-journal-3.5", EBS_BLOCK, Depth::Shallow), 5);
    // The same, and two more windows of the WAL, which is longer than what is hinted at in one.
    assert_eq!(rounds("segments-3.5", EBS_BLOCK, Depth::Shallow), 7);
}

/// The three segments, each window after the one before it but the first ones with what comes before them; the db level by
/// level, of each a window of the file at once.
#[test]
fn deep_goes_by_windows_and_levels() {
    assert_eq!(rounds("segments-3.5", EBS_BLOCK, Depth::Deep), 25);
}

/// Page by page, so that small volumes show what large ones have in different blocks of EBS.
#[test]
fn what_does_not_need_each_other_comes_together() {
    // Superblock, descriptors, inodes; the journal's beginning, its rest; the metas, the seven `.snap` files and the WAL;
    // the db's root, which holds the small buckets; of `key` the root, a branch, a leaf and that leaf's end, since it is
    // long; two windows of the WAL.
    assert_eq!(rounds("segments-3.5", PAGE, Depth::Shallow), 13);
    // The same, without the windows.
    assert_eq!(rounds("dirty-journal-3.5", PAGE, Depth::Shallow), 11);
    // Superblock, descriptors, inodes; the journal's beginning and the root directory. Nothing is replayed, so that more
    // inodes and the five directories come one by one; metas, `.snap` and WAL; the db's root, of `key` the root and a leaf.
    assert_eq!(rounds("clean-3.5", PAGE, Depth::Shallow), 14);
}
