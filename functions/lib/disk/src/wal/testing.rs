//! Builds small logs, byte by byte.

use super::names::{self, Segment};
use crate::files::{Entry, Kind};
use crate::protobuf::testing::{bytes, number};

/// A log that is being written.
pub(crate) struct Log {
    crc: u32,
    segment: Vec<u8>,
}

impl Log {
    /// What etcd writes into a new log, of member a and cluster c.
    pub(crate) fn new() -> Self {
        let mut log = Self::without_a_snapshot();
        log.snapshot(0, 0);
        log
    }

    /// A log that records no snapshot, not even the empty one.
    pub(crate) fn without_a_snapshot() -> Self {
        Self::of(0xa, 0xc)
    }

    /// A log of that member and cluster.
    pub(crate) fn of(member: u64, cluster: u64) -> Self {
        let mut log = Self { crc: 0, segment: Vec::new() };
        log.frame(&[number(1, 4), number(2, 0)].concat());
        log.metadata(member, cluster);
        log
    }

    fn head(&mut self) {
        let crc = number(2, self.crc.into());
        self.frame(&[number(1, 4), crc].concat());
        self.metadata(0xa, 0xc);
    }

    /// Ends the segment and begins the next one.
    pub(crate) fn cut(&mut self) -> Vec<u8> {
        let segment = std::mem::take(&mut self.segment);
        self.head();
        segment
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.segment.clone()
    }

    pub(crate) fn metadata(&mut self, member: u64, cluster: u64) {
        self.record(1, &[number(1, member), number(2, cluster)].concat());
    }

    pub(crate) fn entry(&mut self, term: u64, index: u64, data: &[u8]) {
        self.record(2, &[number(1, 0), number(2, term), number(3, index), bytes(4, data)].concat());
    }

    /// An entry with a request to the v2 store, as 3.5 writes it when a member tells its name.
    pub(crate) fn v2_request(&mut self, term: u64, index: u64) {
        let request = [number(1, 7), bytes(2, b"PUT"), bytes(3, b"/0/members/a/attributes")].concat();
        self.entry(term, index, &request);
    }

    pub(crate) fn state(&mut self, term: u64, commit: u64) {
        self.record(3, &[number(1, term), number(2, 1), number(3, commit)].concat());
    }

    pub(crate) fn snapshot(&mut self, index: u64, term: u64) {
        self.record(5, &[number(1, index), number(2, term)].concat());
    }

    /// A record of a kind that no etcd writes.
    pub(crate) fn unknown(&mut self, kind: u64) {
        self.record(kind, b"?");
    }

    fn record(&mut self, kind: u64, data: &[u8]) {
        self.crc = crc32c::crc32c_append(self.crc, data);
        self.frame(&[number(1, kind), number(2, self.crc.into()), bytes(3, data)].concat());
    }

    fn frame(&mut self, record: &[u8]) {
        let padding = (8 - record.len() % 8) % 8;
        let flag = if padding == 0 { 0 } else { (0x80 | padding as u64) << 56 };
        self.segment.extend((record.len() as u64 | flag).to_le_bytes());
        self.segment.extend_from_slice(record);
        self.segment.extend(vec![0; padding]);
    }
}

/// The segments of these files.
pub(crate) fn segments(files: &[(&str, Vec<u8>)]) -> Vec<Segment> {
    let entries: Vec<Entry> =
        files.iter().map(|(name, _)| Entry { name: (*name).to_owned(), kind: Kind::File }).collect();
    names::segments(&entries)
}
