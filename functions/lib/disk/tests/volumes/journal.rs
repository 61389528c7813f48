//! What only the journal's replay makes right: real volumes, with what it replays changed.

use std::ops::Range;
use std::sync::Arc;

use etcd_backup_disk::files::{self, File};
use etcd_backup_disk::{Blocks, Depth, Verdict, examine};

use crate::image::{Image, fixture};

/// The fixture's journal has no checksums, so that it can be changed, and its file system none either.
pub(crate) const FIXTURE: &str = "no-snap-3.4";
/// Bytes of its blocks.
pub(crate) const BLOCK: u64 = 4096;
/// jbd2's magic, and the kinds of block that follow it.
pub(crate) const MAGIC: [u8; 4] = [0xc0, 0x3b, 0x39, 0x98];
const DESCRIPTOR: u32 = 1;
const SUPERBLOCK: u32 = 4;
/// A tag's flags: the block began with the magic; no UUID follows; it is the last one.
const ESCAPE: u8 = 1;
const SAME_UUID: u8 = 2;
const LAST: u8 = 8;

pub(crate) fn read<const N: usize>(image: &Image, at: u64) -> [u8; N] {
    let mut bytes = [0; N];
    image.read_at(at, &mut bytes).expect("in memory");
    bytes
}

/// The kind of the journal's block there, if it is not data.
fn kind(image: &Image, at: u64) -> Option<u32> {
    let head: [u8; 8] = read(image, at);
    let kind = head[4..].try_into().map(u32::from_be_bytes).expect("four bytes");
    (head[..4] == MAGIC).then_some(kind)
}

/// A block that the journal replays: where its tag is, where its bytes are, and which block of the volume it is.
#[derive(Debug, Clone, Copy)]
struct Logged {
    tag: u64,
    bytes: u64,
    block: u32,
}

/// What the descriptor there names. The blocks themselves follow it.
fn logged(image: &Image, descriptor: u64) -> Vec<Logged> {
    let (mut logged, mut tag) = (Vec::new(), descriptor + 12);
    loop {
        let bytes = descriptor + (1 + logged.len() as u64) * BLOCK;
        let block = u32::from_be_bytes(read(image, tag));
        let [flags] = read(image, tag + 7);
        logged.push(Logged { tag, bytes, block });
        if flags & LAST != 0 {
            return logged;
        }
        tag += if flags & SAME_UUID != 0 { 8 } else { 24 };
    }
}

/// Where the journal's first block is.
pub(crate) fn beginning(image: &Image) -> u64 {
    let mut blocks = (0..image.size()).step_by(4096);
    blocks.find(|at| kind(image, *at) == Some(SUPERBLOCK)).expect("a journal")
}

/// All that the journal replays, in order. It lies in one piece, begins with its first block and does not wrap.
fn all_logged(image: &Image) -> Vec<Logged> {
    let mut at = beginning(image) + BLOCK;
    let mut all = Vec::new();
    while let Some(kind) = kind(image, at) {
        if kind == DESCRIPTOR {
            let named = logged(image, at);
            at += named.len() as u64 * BLOCK;
            all.extend(named);
        }
        at += BLOCK;
    }
    all
}

fn open(image: &Image, path: &str) -> Box<dyn File> {
    files::mount(Arc::new(image.clone())).expect("mounted").open(path).expect("opened")
}

/// jbd2 stores a block that begins with its own magic with four zeros there, and says so in the tag.
#[test]
fn an_escaped_block_gets_its_beginning_back() {
    let mut image = fixture(FIXTURE).image();
    let db = "var/etcd/data-events/member/snap/db";
    let page: Range<u64> = 2 * BLOCK..3 * BLOCK;
    let place = image.place(db, page.clone());
    let all = all_logged(&image);
    // One that is logged again later: the first time it can be taken away without harm, and made the db's.
    let again = |at: &usize| all[at + 1..].iter().any(|later| later.block == all[*at].block);
    let taken = all[(0..all.len()).find(again).expect("a block that is logged twice")];
    image.write(taken.tag, &u32::try_from(place / BLOCK).expect("small").to_be_bytes());
    let [flags] = read(&image, taken.tag + 7);
    image.write(taken.tag + 7, &[flags | ESCAPE]);
    image.write(taken.bytes, &[0; 4]);
    let mut expected: [u8; 4096] = read(&image, taken.bytes);
    expected[..4].copy_from_slice(&MAGIC);
    let mut replayed = [0; 4096];
    open(&image, db).read_at(page.start, &mut replayed).expect("read");
    assert!(replayed == expected, "begins with {:02x?}", &replayed[..4]);
}

/// As the kernel does: `needs_recovery` decides, not what the journal says of itself.
#[test]
fn only_a_journal_that_is_to_be_replayed_is() {
    const SUPERBLOCK_AT: u64 = 1024;
    const HAS_JOURNAL: (u64, u8) = (SUPERBLOCK_AT + 0x5c, 4);
    const NEEDS_RECOVERY: (u64, u8) = (SUPERBLOCK_AT + 0x60, 4);
    let image = fixture(FIXTURE).image();
    let examined = |image: Image| examine(Arc::new(image), Depth::Shallow).expect("it can be read");
    let without = |(at, flag): (u64, u8)| {
        let mut image = image.clone();
        let [flags] = read(&image, at);
        assert_eq!(flags & flag, flag);
        image.write(at, &[flags & !flag]);
        image
    };
    let mut empty = image.clone();
    empty.write(beginning(&image) + 0x1c, &[0; 4]);
    let unreplayed = examined(empty);
    assert_ne!(examined(image.clone()), unreplayed);
    assert_eq!(examined(without(NEEDS_RECOVERY)), unreplayed);
    assert_eq!(examined(without(HAS_JOURNAL)), unreplayed);
}

#[test]
fn a_journal_on_another_device_cannot_be_replayed() {
    let mut image = fixture(FIXTURE).image();
    let journal_inode = 1024 + 0xe0;
    image.write(journal_inode, &[0; 4]);
    let examined = examine(Arc::new(image), Depth::Shallow).expect("it can be read");
    assert_eq!(examined.verdict, Verdict::Unsupported);
    assert_eq!(examined.reason.as_deref(), Some("ext4: its journal is on another device"));
}

/// What the descriptors say before the replay is older: of a file system that was made larger it is not even all groups.
/// Here the journal moves the first group's inodes, so that they are nowhere else.
#[test]
fn group_descriptors_are_read_again_after_the_replay() {
    const DESCRIPTORS: u32 = 1;
    const MOVED_BY: u32 = 100;
    let mut image = fixture(FIXTURE).image();
    let all = all_logged(&image);
    let inodes = u32::from_le_bytes(read(&image, BLOCK + 8));
    for logged in all.iter().filter(|logged| logged.block == DESCRIPTORS) {
        image.write(logged.bytes + 8, &(inodes + MOVED_BY).to_le_bytes());
    }
    // Two blocks: 32 inodes.
    for logged in all.iter().filter(|logged| (inodes..inodes + 2).contains(&logged.block)) {
        image.write(logged.tag, &(logged.block + MOVED_BY).to_be_bytes());
    }
    let examined = examine(Arc::new(image), Depth::Shallow).expect("it can be read");
    assert_eq!(examined.verdict, Verdict::Ok, "{:?}", examined.reason);
}
