//! A file system whose journal, directories and extents are as large as is read.

use crate::volume::{BLOCK, Extent, Volume, index, leaf, node};

/// The most blocks that a journal may change: 96 MiB.
const MOST_REPLAYED: u64 = 24_576;
/// Blocks of a journal of 128 MiB, the largest on a volume below 128 GiB.
const JOURNAL: u64 = 1 << 15;
/// jbd2's magic, and the kinds of block that follow it.
const MAGIC: u32 = 0xc03b_3998;
const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const SUPERBLOCK: u32 = 4;
const REVOKE: u32 = 5;
/// Records of a block that revokes others.
const RECORDS: u32 = 1020;
/// The most blocks of a directory, and extents of a file.
const LARGEST_DIRECTORY: u64 = 1024;
const MOST_EXTENTS: u64 = 1 << 18;
/// Entries of a block of an extent tree.
const FANOUT: usize = 340;

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Makes blocks from there on the journal, to be replayed: its own one first, the log behind it.
fn journal(volume: &mut Volume, at: u64, length: u64) {
    let blocks = u32::try_from(length).expect("small");
    volume.write(at * BLOCK, &numbers(&[MAGIC, SUPERBLOCK, 0, 4096, blocks, 1, 9, 1]));
    volume.replace(volume.place(8), length * BLOCK, at);
    let [incompat] = volume.read(1024 + 0x60);
    volume.write(1024 + 0x60, &[incompat | 4]);
}

/// A journal that changes as many blocks as are kept: a page of the db, and the rest where nothing is.
pub(crate) fn journal_of_many_blocks(volume: &mut Volume, db: u64) {
    const TAGS: u64 = 500;
    let first_page = volume.first_block(db);
    let mut targets = std::iter::once(first_page).chain(volume.take(MOST_REPLAYED)..).take(24_576);
    let length = MOST_REPLAYED + MOST_REPLAYED.div_ceil(TAGS) + 2;
    let at = volume.take(length);
    let (mut block, mut left) = (at + 1, MOST_REPLAYED);
    while left > 0 {
        let tags = left.min(TAGS);
        let mut descriptor = numbers(&[MAGIC, DESCRIPTOR, 9]);
        for (tag, target) in targets.by_ref().take(usize::try_from(tags).expect("few")).enumerate() {
            // The same UUID as before; the last one.
            let flags = if tag as u64 + 1 == tags { 2 | 8 } else { 2 };
            descriptor.extend(numbers(&[u32::try_from(target).expect("small"), flags]));
        }
        volume.write(block * BLOCK, &descriptor);
        block += 1 + tags;
        left -= tags;
    }
    volume.write(block * BLOCK, &numbers(&[MAGIC, COMMIT, 9]));
    journal(volume, at, length);
}

/// A full journal that does nothing but revoke, each time other blocks; with commit blocks, every second one is.
pub(crate) fn journal_of_revokes(volume: &mut Volume, with_commits: bool) {
    let at = volume.take(JOURNAL);
    let (mut sequence, mut next) = (9, 0);
    for block in at + 1..at + JOURNAL {
        if with_commits && (block - at).is_multiple_of(2) {
            volume.write(block * BLOCK, &numbers(&[MAGIC, COMMIT, sequence]));
            sequence += 1;
            continue;
        }
        let mut revoke = numbers(&[MAGIC, REVOKE, sequence, 16 + RECORDS * 4]);
        revoke.extend((next..next + RECORDS).flat_map(u32::to_be_bytes));
        next += RECORDS;
        volume.write(block * BLOCK, &revoke);
    }
    journal(volume, at, JOURNAL);
}

/// Names as short as can be, in as many blocks as are read; the ones that were there come last.
pub(crate) fn large_directory(volume: &mut Volume, directory: u64) {
    let entry = |at: u16| [&2_u32.to_le_bytes()[..], &[12, 0, 2, 1], &at.to_le_bytes(), &[0; 2]].concat();
    let mut block: Vec<u8> = (0..341).flat_map(entry).collect();
    // The last one reaches the block's end.
    block.resize(4096, 0);
    block[340 * 12 + 4] += 4;
    let before: [u8; 4096] = volume.read(volume.first_block(directory) * BLOCK);
    let first = volume.repeat(&block, LARGEST_DIRECTORY - 1);
    volume.put(&before);
    volume.replace(directory, LARGEST_DIRECTORY * BLOCK, first);
}

/// Extents past the file's end, as many as are read.
pub(crate) fn many_extents(volume: &mut Volume, file: u64) {
    let sound = volume.extents(file);
    let beyond = sound.last().map_or(0, |(at, blocks, _)| at + blocks);
    let more = MOST_EXTENTS - sound.len() as u64;
    let extents: Vec<Extent> = sound.into_iter().chain((0..more).map(|at| (beyond + 2 * at, 1, 1))).collect();
    let mut level: Vec<(u64, [u8; 12])> = extents.iter().map(|extent| (extent.0, leaf(extent))).collect();
    let mut depth = 0;
    while level.len() > 4 {
        let nodes = level.chunks(FANOUT).map(|entries| {
            let below: Vec<[u8; 12]> = entries.iter().map(|(_, entry)| *entry).collect();
            let block = volume.put(&node(depth, &below));
            (entries[0].0, index(entries[0].0, block))
        });
        level = nodes.collect();
        depth += 1;
    }
    let root: Vec<[u8; 12]> = level.iter().map(|(_, entry)| *entry).collect();
    volume.write(file + 40, &node(depth, &root));
}
