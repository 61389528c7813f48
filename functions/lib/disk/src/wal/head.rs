//! How a segment begins: with the checksum of the one before it, and whose it is (`cut` in `wal.go`).

use std::ops::Range;

use super::decoder::{Decoder, Next};
use super::record::{CRC, METADATA};
use crate::fault::{Fault, broken, index};
use crate::files::{File, within};

/// How much of a segment is read for that, in bytes. It takes some dozens.
const LENGTH: u64 = 4096;

/// Hints at a segment's beginning, and at no more.
pub(super) fn hint(segment: &dyn File) {
    segment.prefetch(std::slice::from_ref(&(0..LENGTH)));
}

/// The member's record with which a segment begins.
pub(super) fn metadata(segment: &dyn File) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; index(LENGTH.min(segment.size()))?];
    segment.read_at(0, &mut bytes)?;
    let head = Head(bytes);
    // Not the last segment: what is torn in it is broken.
    let mut decoder = Decoder::new(&head, 0, Some(&head));
    let crc = match decoder.next()? {
        Next::Record(record) if record.kind == CRC => Some(record.crc),
        _ => None,
    };
    decoder.set_crc(crc.ok_or_else(|| broken("it does not begin as a segment does"))?);
    match decoder.next()? {
        Next::Record(record) if record.kind == METADATA => Ok(record.data.to_vec()),
        _ => Err(broken("it does not begin as a segment does")),
    }
}

/// The beginning of a segment, in memory.
struct Head(Vec<u8>);

impl File for Head {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let wanted = within(offset, into.len(), self.size())?;
        into.copy_from_slice(&self.0[index(wanted.start)?..index(wanted.end)?]);
        Ok(())
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}
