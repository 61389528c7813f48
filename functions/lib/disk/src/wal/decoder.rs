//! Frames and checksums: etcd's `decoder.go`.
//!
//! A record may be cut or torn only at the end of the last segment: for `io.ErrUnexpectedEOF`, and for no other error,
//! etcd's `readWAL` (`etcdserver/storage.go`) calls `Repair` (`repair.go`), once, and that cuts the last segment only.

use super::record::{CRC, Record};
use crate::fault::{Fault, broken, index};
use crate::files::File;
use crate::protobuf::Malformed;

/// Bytes of a frame's length.
const LENGTH: u64 = 8;
/// etcd's `minSectorSize`, bytes: what a disk writes whole or not at all.
const SECTOR: u64 = 512;
/// The longest record that is read, in bytes. An entry is a request: 1.5 MiB, unless told otherwise
/// (`--max-request-bytes`). To 3.4 and until 3.5.4 10 MiB are too long (`maxWALEntrySizeLimit`), later ones take what the
/// rest of the file holds.
const LONGEST: u64 = 32 << 20;
/// Segments are allocated with 64 MB. A record may be longer, but not by `--max-request-bytes` as anyone sets it.
const SEGMENT: u64 = 64 << 20;
/// How much is read at once, and how much is hinted at, in bytes.
const CHUNK: u64 = 1 << 20;
const HINT: u64 = 16 << 20;

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A record whose checksum is right.
    Record(Record<'a>),
    /// The end: of the file, or zeros that were allocated ahead.
    End,
    /// The last record was being written when the disk stopped. etcd cuts it off (`Repair`).
    Torn,
}

/// Reads the records of one segment.
pub(super) struct Decoder<'a> {
    file: &'a dyn File,
    /// The segment after this one. A torn end is allowed where there is none.
    next: Option<&'a dyn File>,
    /// The rolling CRC32C, chained over all segments.
    crc: u32,
    /// Where the next frame begins.
    at: u64,
    hinted: u64,
    chunk: Vec<u8>,
    chunk_at: u64,
    frame: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// Reads a segment, from the checksum where the one before it ended.
    pub(super) fn new(file: &'a dyn File, crc: u32, next: Option<&'a dyn File>) -> Self {
        let (chunk, frame) = (Vec::new(), Vec::new());
        Self { file, next, crc, at: 0, hinted: 0, chunk, chunk_at: 0, frame }
    }

    /// The checksum so far.
    pub(super) fn crc(&self) -> u32 {
        self.crc
    }

    /// Sets the checksum to what a CRC record says.
    pub(super) fn set_crc(&mut self, crc: u32) {
        self.crc = crc;
    }

    /// `decodeRecord`. An error in here names the byte where the frame begins.
    pub(super) fn next(&mut self) -> Result<Next<'_>, Fault> {
        let (start, left) = (self.at, self.file.size() - self.at);
        if left < LENGTH {
            return self.cut_short(left == 0);
        }
        let mut length = [0; 8];
        self.read(start, &mut length)?;
        let length = u64::from_le_bytes(length);
        if length == 0 {
            return Ok(Next::End);
        }
        let (record, padding) = (length & !(0xff << 56), padding(length));
        let frame = record + padding;
        if frame > left - LENGTH {
            return self.past_the_end(record);
        }
        if record > LONGEST {
            let what = format!("at byte {start}: a record of {record} bytes, longer than are read");
            return Err(Fault::Unsupported(what));
        }
        let mut bytes = std::mem::take(&mut self.frame);
        bytes.resize(index(frame)?, 0);
        self.read(start + LENGTH, &mut bytes)?;
        self.frame = bytes;
        self.checked(start, index(record)?)
    }

    /// The frame just read, if its checksum is right.
    fn checked(&mut self, start: u64, length: usize) -> Result<Next<'_>, Fault> {
        let why = match Record::parse(&self.frame[..length]) {
            Err(Malformed) => "no record",
            Ok(record) => {
                let crc = if record.kind == CRC { self.crc } else { crc32c::crc32c_append(self.crc, record.data) };
                if record.kind == CRC || record.crc == crc {
                    self.crc = crc;
                    self.at = start + LENGTH + self.frame.len() as u64;
                    return Ok(Next::Record(record));
                }
                "a record with a wrong checksum"
            }
        };
        if self.next.is_none() && has_zero_sector(start + LENGTH, &self.frame) {
            return Ok(Next::Torn);
        }
        Err(broken(format!("at byte {start}: {why}")))
    }

    /// The file ends here, or within a frame's length.
    fn cut_short(&self, at_a_frame: bool) -> Result<Next<'_>, Fault> {
        match (at_a_frame, self.next.is_none()) {
            (true, _) => Ok(Next::End),
            (false, true) => Ok(Next::Torn),
            (false, false) => Err(broken(format!("at byte {}: cut off", self.at))),
        }
    }

    /// The file ends within a record: a disk that stopped leaves that where the record made the file longer.
    ///
    /// etcd cuts it off: until 3.5.4 where `io.ReadFull` says `ErrUnexpectedEOF`, since 3.5.7 for any length
    /// (`maxEntryLimit`); 3.5.5 and 3.5.6 alone did not start from it. A length that no record has is damage all the
    /// same: until 3.5.6 etcd refuses it too, and later ones would cut off everything behind it.
    fn past_the_end(&self, record: u64) -> Result<Next<'_>, Fault> {
        if self.next.is_none() && record <= SEGMENT {
            return Ok(Next::Torn);
        }
        Err(broken(format!("at byte {}: a record of {record} bytes, past the end of the file", self.at)))
    }

    /// Reads within the file, in chunks: records are small.
    fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let size = self.file.size();
        let end = offset + into.len() as u64;
        if self.hinted < size && end + HINT / 2 > self.hinted {
            let until = size.min(end + HINT);
            self.file.prefetch(std::slice::from_ref(&(self.hinted..until)));
            self.hinted = until;
            if let Some(next) = self.next.filter(|_| until == size) {
                hint(next);
            }
        }
        let held = self.chunk_at..self.chunk_at + self.chunk.len() as u64;
        if offset < held.start || end > held.end {
            if into.len() as u64 > CHUNK {
                return self.file.read_at(offset, into);
            }
            self.chunk.resize(index(CHUNK.min(size - offset))?, 0);
            self.chunk_at = offset;
            self.file.read_at(offset, &mut self.chunk)?;
        }
        let from = index(offset - self.chunk_at)?;
        into.copy_from_slice(&self.chunk[from..from + into.len()]);
        Ok(())
    }
}

/// Hints at a segment's beginning before it is read.
pub(super) fn hint(segment: &dyn File) {
    segment.prefetch(std::slice::from_ref(&(0..HINT)));
}

/// `decodeFrameSize`: the lower three bits of the length's first byte, if its sign is set.
fn padding(length: u64) -> u64 {
    if length >> 63 == 1 { length >> 56 & 7 } else { 0 }
}

/// `isTornEntry`: whether what the frame has of any one sector is all zeros. A frame of no bytes has none of any.
fn has_zero_sector(offset: u64, frame: &[u8]) -> bool {
    let to_the_next = SECTOR - offset % SECTOR;
    let first = frame.len().min(usize::try_from(to_the_next).unwrap_or(frame.len()));
    let (first, rest) = frame.split_at(first);
    let sectors = rest.chunks(512);
    let mut sectors = std::iter::once(first).filter(|first| !first.is_empty()).chain(sectors);
    sectors.any(|sector| sector.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Log;
    use super::*;
    use crate::tests::Held;

    /// What the decoder says of a segment: how many records, and how it ends.
    fn read(bytes: Vec<u8>, is_last: bool) -> Result<(usize, bool), Fault> {
        let held = Held(bytes);
        let another = Held(Vec::new());
        let next: Option<&dyn File> = if is_last { None } else { Some(&another) };
        let mut decoder = Decoder::new(&held, 0, next);
        let mut records = 0;
        loop {
            match decoder.next()? {
                Next::Record(record) if record.kind == CRC => {
                    let crc = record.crc;
                    decoder.set_crc(crc);
                }
                Next::Record(_) => {}
                Next::End => return Ok((records, false)),
                Next::Torn => return Ok((records, true)),
            }
            records += 1;
        }
    }

    /// A log with one long entry at its end, and where that entry's frame begins.
    fn long_entry() -> (Vec<u8>, usize) {
        let mut log = Log::new();
        log.entry(1, 1, b"short");
        let start = log.bytes().len();
        log.entry(1, 2, &[7; 3000]);
        (log.bytes(), start)
    }

    #[test]
    fn records_are_read_to_the_zeros_or_the_end() {
        let mut log = Log::new();
        for index in 1..=9 {
            log.entry(1, index, b"value");
        }
        let mut bytes = log.bytes();
        let records = read(bytes.clone(), false).expect("sound").0;
        assert_eq!(records, 9 + 3);
        bytes.resize(1 << 16, 0);
        assert_eq!(read(bytes, true), Ok((records, false)));
    }

    #[test]
    fn a_whole_sector_of_zeros_is_a_torn_end() {
        let (mut bytes, start) = long_entry();
        let sector = (start / 512 + 2) * 512;
        bytes[sector..sector + 512].fill(0);
        assert_eq!(read(bytes.clone(), true), Ok((4, true)));
        assert!(read(bytes, false).is_err(), "only the last segment may be torn");
    }

    #[test]
    fn less_than_a_sector_of_zeros_is_damage() {
        let (mut bytes, start) = long_entry();
        let sector = (start / 512 + 2) * 512;
        bytes[sector..sector + 511].fill(0);
        let fault = read(bytes, true).expect_err("damage").to_string();
        assert_eq!(fault, format!("at byte {start}: a record with a wrong checksum"));
    }

    #[test]
    fn a_sector_is_the_disks_not_the_records() {
        let (mut bytes, start) = long_entry();
        let sector = (start / 512 + 2) * 512;
        bytes[sector + 100..sector + 612].fill(0);
        assert!(read(bytes, true).is_err(), "512 zeros over two sectors");
    }

    #[test]
    fn a_frame_of_no_bytes_is_damage() {
        let (mut bytes, start) = long_entry();
        bytes[start..start + 8].copy_from_slice(&(1_u64 << 63).to_le_bytes());
        assert_eq!(read(bytes, true), Err(broken(format!("at byte {start}: a record with a wrong checksum"))));
    }

    #[test]
    fn a_record_cut_by_the_end_is_torn_an_impossible_one_is_damage() {
        let (mut bytes, start) = long_entry();
        bytes.truncate(bytes.len() - 1);
        assert_eq!(read(bytes.clone(), true), Ok((4, true)));
        assert!(read(bytes.clone(), false).is_err());
        // Longer than is read, yet not than a segment.
        bytes[start..start + 8].copy_from_slice(&(LONGEST + 8).to_le_bytes());
        assert_eq!(read(bytes.clone(), true), Ok((4, true)));
        bytes[start..start + 8].copy_from_slice(&(SEGMENT + 8).to_le_bytes());
        assert!(read(bytes, true).is_err());
    }

    #[test]
    fn a_cut_length_is_torn_in_the_last_segment() {
        let (mut bytes, start) = long_entry();
        bytes.truncate(start + 3);
        assert_eq!(read(bytes.clone(), true), Ok((4, true)));
        assert!(read(bytes, false).is_err());
    }

    #[test]
    fn padding_is_only_what_a_negative_length_says() {
        assert_eq!(padding(0x8500_0000_0000_0010), 5);
        assert_eq!(padding(0x0500_0000_0000_0010), 0);
    }
}
