//! Logs and `.snap` files with as long records as are read.

/// Bytes of the longest record, and of the largest `.snap`.
const LONGEST: usize = 32 << 20;
const LARGEST_SNAP: usize = 64 << 20;
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

/// A `.snap` as large as is read, of that place in the log.
pub(crate) fn largest_snap(index: u64, term: u64) -> Vec<u8> {
    let position = [number(2, index), number(3, term)].concat();
    let snapshot = [bytes(2, &position), bytes(1, &vec![7; LARGEST_SNAP - 2 * ROOM])].concat();
    [number(1, crc32c::crc32c(&snapshot).into()), bytes(2, &snapshot)].concat()
}
