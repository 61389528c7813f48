//! Small journals, without checksums and with them.

use fs_ext4::jbd2::JBD2_SUPERBLOCK_V2;

use super::*;

const SIZE: usize = 1024;
/// Its own block first, then this many of the log.
const BLOCKS: u32 = 8;
const FIRST_SEQUENCE: u32 = u32::MAX;
const CHECKSUMS_V3: u32 = 0x10;
const REVOKE: u32 = 1;

fn superblock(features: u32, start: u32, blocks: u32) -> JournalSuperblock {
    let mut raw = vec![0; SIZE];
    let size = u32::try_from(SIZE).expect("small");
    for (at, number) in [
        (0, JBD2_MAGIC_NUMBER),
        (4, JBD2_SUPERBLOCK_V2),
        (0x0c, size),
        (0x10, blocks),
        (0x14, 1),
        (0x18, FIRST_SEQUENCE),
        (0x1c, start),
        (0x28, features),
        // CRC32C.
        (0x50, 4 << 24),
    ] {
        raw[at..at + 4].copy_from_slice(&u32::to_be_bytes(number));
    }
    JournalSuperblock::parse(&raw).expect("a superblock")
}

fn block(numbers: &[u32]) -> Vec<u8> {
    let mut block: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    block.resize(SIZE, 0);
    block
}

/// A descriptor of these blocks, and as many blocks of data. Sequences count from the first one.
fn writes(sequence: u32, blocks: &[u32]) -> Vec<Vec<u8>> {
    let mut numbers = vec![JBD2_MAGIC_NUMBER, JBD2_DESCRIPTOR_BLOCK, FIRST_SEQUENCE.wrapping_add(sequence)];
    for (at, block) in blocks.iter().enumerate() {
        let last = if at + 1 == blocks.len() { TAG_LAST } else { 0 };
        numbers.extend([*block, TAG_SAME_UUID | last]);
    }
    let data = blocks.iter().map(|written| block(&[*written]));
    std::iter::once(block(&numbers)).chain(data).collect()
}

fn revokes(sequence: u32, blocks: &[u32]) -> Vec<Vec<u8>> {
    let length = u32::try_from(REVOKE_HEADER + blocks.len() * 4).expect("small");
    let head = [JBD2_MAGIC_NUMBER, JBD2_REVOKE_BLOCK, FIRST_SEQUENCE.wrapping_add(sequence), length];
    vec![block(&[&head[..], blocks].concat())]
}

fn commit(sequence: u32) -> Vec<Vec<u8>> {
    vec![block(&[JBD2_MAGIC_NUMBER, JBD2_COMMIT_BLOCK, FIRST_SEQUENCE.wrapping_add(sequence)])]
}

/// Of a log that begins at that block: each block that is replayed, and which of the journal's holds it.
fn replayed_from(start: u32, features: u32, log: &[Vec<u8>]) -> std::result::Result<Vec<(u64, u64)>, String> {
    let superblock = superblock(features, start, BLOCKS.max(u32::try_from(log.len()).expect("small") + 2));
    let mut journal = vec![block(&[]); superblock.max_len as usize];
    let ring = journal.len() - 1;
    for (at, block) in log.iter().enumerate() {
        journal[1 + (start as usize - 1 + at) % ring].clone_from(block);
    }
    let read = |at: u64, into: &mut [u8]| {
        into.copy_from_slice(&journal[usize::try_from(at).expect("small")]);
        Ok(())
    };
    let replay = committed(&superblock, superblock.block_size, read).map_err(|error| format!("{error:?}"))?;
    Ok(replay.into_iter().map(|(block, logged)| (block, logged.at)).collect())
}

fn replayed(log: &[Vec<Vec<u8>>]) -> Vec<(u64, u64)> {
    replayed_from(1, REVOKE, &log.concat()).expect("sound")
}

#[test]
fn the_last_committed_version_counts() {
    let log = [writes(0, &[70, 71]), commit(0), writes(1, &[71]), commit(1), writes(2, &[70])];
    assert_eq!(replayed(&log), [(70, 2), (71, 6)], "the third transaction has no commit block");
    assert_eq!(replayed(&[writes(0, &[70]), commit(1)]), [], "a commit block of another transaction");
}

#[test]
fn a_log_goes_on_from_its_last_block_to_its_first() {
    let log = [writes(0, &[70, 71]), commit(0)].concat();
    assert_eq!(replayed_from(6, 0, &log), Ok(vec![(70, 7), (71, 1)]));
}

#[test]
fn what_is_revoked_is_not_replayed() {
    let before = [writes(0, &[70, 71]), commit(0), revokes(1, &[70]), commit(1)];
    assert_eq!(replayed(&before), [(71, 3)]);
    for own in [[revokes(0, &[70]), writes(0, &[70])], [writes(0, &[70]), revokes(0, &[70])]] {
        assert_eq!(replayed(&[&own[..], &[commit(0)]].concat()), [], "whichever comes first in one transaction");
    }
    let again = [revokes(0, &[70]), commit(0), writes(1, &[70]), commit(1)];
    assert_eq!(replayed(&again), [(70, 4)], "written after it was revoked");
    let uncommitted = [writes(0, &[70]), commit(0), revokes(1, &[70])];
    assert_eq!(replayed(&uncommitted), [(70, 2)]);
}

/// With checksums, what a crash tore is the end of the log, and what is wrong in a committed transaction is damage.
#[test]
fn checksums_tell_a_torn_transaction_from_a_broken_one() {
    let seed = superblock(REVOKE | CHECKSUMS_V3, 1, BLOCKS).csum_seed();
    let summed = |mut block: Vec<u8>| {
        let sum = jbd2::block_tail_checksum(seed, &block);
        block[SIZE - 4..].copy_from_slice(&sum.to_be_bytes());
        block
    };
    let data = block(&[70]);
    let sum = jbd2::tag_checksum(seed, FIRST_SEQUENCE, &data);
    let tag = [70, TAG_SAME_UUID | TAG_LAST, 0, sum];
    let head = [JBD2_MAGIC_NUMBER, JBD2_DESCRIPTOR_BLOCK, FIRST_SEQUENCE];
    let descriptor = summed(block(&[&head[..], &tag].concat()));
    let revoke = summed(revokes(0, &[71]).concat());
    let mut commit = commit(0).concat();
    let sum = jbd2::commit_block_checksum(seed, &commit);
    commit[COMMIT_CHECKSUM_AT..COMMIT_CHECKSUM_AT + 4].copy_from_slice(&sum.to_be_bytes());
    let sound = [descriptor, data, revoke, commit];
    let said = |log: &[Vec<u8>]| replayed_from(1, REVOKE | CHECKSUMS_V3, log);
    assert_eq!(said(&sound), Ok(vec![(70, 2)]));
    for (at, what) in [(0, "descriptor"), (1, "data"), (2, "revoke")] {
        let mut broken = sound.clone();
        broken[at][SIZE - 8] ^= 1;
        assert_eq!(said(&broken), Err(format!("BadChecksum {{ what: \"{what} block\" }}")));
        assert_eq!(said(&broken[..3]), Ok(vec![]), "{what}: torn");
        broken[3][SIZE - 8] ^= 1;
        assert_eq!(said(&broken), Ok(vec![]), "{what}: its commit block is torn too");
    }
}

#[test]
fn more_than_the_largest_journal_holds_is_not_kept() {
    let per_block = (SIZE - REVOKE_HEADER) / 4;
    let numbers: Vec<u32> = (0..).take(MOST_BLOCKS + 1).collect();
    let log: Vec<Vec<Vec<u8>>> = numbers.chunks(per_block).map(|numbers| revokes(0, numbers)).collect();
    let told = replayed_from(1, REVOKE, &log.concat()).expect_err("too many");
    assert!(told.starts_with("Unsupported"), "{told}");
    let in_transactions = log.iter().zip(0..).flat_map(|(block, at)| {
        let mut block = block[0].clone();
        block[8..12].copy_from_slice(&FIRST_SEQUENCE.wrapping_add(at).to_be_bytes());
        [block, commit(at).concat()]
    });
    assert_eq!(
        replayed_from(1, REVOKE, &in_transactions.collect::<Vec<_>>()),
        Ok(vec![]),
        "each is taken and forgotten"
    );
}

#[test]
fn hostile_lengths_are_refused() {
    let mut revoke = revokes(0, &[70]).concat();
    revoke[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
    let told = replayed_from(1, REVOKE, &[revoke.clone()]).expect_err("longer than its block");
    assert!(told.starts_with("Corrupt"), "{told}");
    revoke[12..16].copy_from_slice(&[0; 4]);
    assert_eq!(replayed(&[vec![revoke], commit(0)]), [], "shorter than its own header");
    for (start, blocks) in [(0, BLOCKS), (BLOCKS, BLOCKS)] {
        let superblock = superblock(0, start, blocks);
        assert!(committed(&superblock, superblock.block_size, |_, _| Ok(())).is_err(), "{start} of {blocks}");
    }
}
