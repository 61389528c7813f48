//! Logs with as long records as are read, and large `.snap` files.

use crate::volume::{BLOCK, Volume};

/// Bytes of the longest record.
const LONGEST: usize = 32 << 20;
/// Blocks of a large `.snap` between its first one and its last one: 480 MB, as was seen of one (etcd-io/etcd#20732).
const SNAP_BLOCKS: u64 = 117_187;
/// What a message needs beside its longest field: a few numbers.
const ROOM: usize = 64;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [&varint(field << 3 | 2)[..], &varint(bytes.len() as u64), bytes].concat()
}

/// A segment whose member's record, twice, and first entry are as long as is read.
pub(crate) fn longest_records() -> Vec<u8> {
    let long = vec![7; LONGEST - ROOM];
    let metadata = [number(1, 0xa), number(2, 0xc), bytes(3, &long)].concat();
    let entry = [number(2, 1), number(3, 1), bytes(4, &long)].concat();
    let mut segment = Vec::new();
    let mut crc = 0;
    for (kind, data) in [(4, &[][..]), (1, &metadata), (5, &number(1, 0)), (1, &metadata), (2, &entry)] {
        crc = crc32c::crc32c_append(crc, data);
        let record = [number(1, kind), number(2, crc.into()), bytes(3, data)].concat();
        assert!(record.len() <= LONGEST);
        let padding = (8 - record.len() % 8) % 8;
        let flag = if padding == 0 { 0 } else { (0x80 | padding as u64) << 56 };
        segment.extend((record.len() as u64 | flag).to_le_bytes());
        segment.extend(record);
        segment.extend(vec![0; padding]);
    }
    segment
}

/// A file that is a large `.snap`, of that place in the log: what it begins with, sevens, and the place at its end.
pub(crate) fn large_snap(volume: &mut Volume, inode: u64, index: u64, term: u64) {
    let position = bytes(2, &[number(2, index), number(3, term)].concat());
    let header = |field: u64, length: u64| [varint(field << 3 | 2), varint(length)].concat();
    // All but the sevens takes less than a block at either end.
    let sevens = (SNAP_BLOCKS + 1) * BLOCK;
    let beginning = header(1, sevens);
    let mut crc = crc32c::crc32c(&beginning);
    for _ in 0..=SNAP_BLOCKS {
        crc = crc32c::crc32c_append(crc, &[7; 4096]);
    }
    crc = crc32c::crc32c_append(crc, &position);
    let length = (beginning.len() + position.len()) as u64 + sevens;
    let mut first = [number(1, crc.into()), header(2, length), beginning].concat();
    let before = first.len();
    first.resize(4096, 7);
    let mut last = vec![7; before];
    last.extend(position);
    let at = volume.put(&first);
    volume.repeat(&[7; 4096], SNAP_BLOCKS);
    volume.put(&last);
    volume.replace(inode, (SNAP_BLOCKS + 1) * BLOCK + last.len() as u64, at);
}
