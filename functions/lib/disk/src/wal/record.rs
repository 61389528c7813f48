//! What a record holds: `walpb.Record`, `raftpb.Entry`, `raftpb.HardState`, `walpb.Snapshot`, `etcdserverpb.Metadata`.

use super::{HardState, Position};
use crate::protobuf::{self, Malformed, fields};

/// The kinds of a record (`wal.go`: `metadataType` and on).
pub(super) const METADATA: u64 = 1;
pub(super) const ENTRY: u64 = 2;
pub(super) const STATE: u64 = 3;
pub(super) const CRC: u64 = 4;
pub(super) const SNAPSHOT: u64 = 5;

/// A record, not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record<'a> {
    pub(super) kind: u64,
    pub(super) crc: u32,
    pub(super) data: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut record = Self::default();
        for field in fields(message) {
            match field? {
                (1, value) => record.kind = protobuf::number(value)?,
                (2, value) => record.crc = u32::try_from(protobuf::number(value)?).map_err(|_| Malformed)?,
                (3, value) => record.data = protobuf::bytes(value)?,
                _ => {}
            }
        }
        Ok(record)
    }
}

/// The numbers of the fields asked for, 0 where they are absent: proto2's default.
fn numbers<const N: usize>(message: &[u8], wanted: [u64; N]) -> Result<[u64; N], Malformed> {
    let mut found = [0; N];
    for field in fields(message) {
        let (id, value) = field?;
        if let Some(at) = wanted.iter().position(|wanted| *wanted == id) {
            found[at] = protobuf::number(value)?;
        }
    }
    Ok(found)
}

/// Who wrote the log: the member's id and the cluster's.
pub(super) fn identity(data: &[u8]) -> Result<(u64, u64), Malformed> {
    numbers(data, [1, 2]).map(|[member, cluster]| (member, cluster))
}

/// An entry's place.
pub(super) fn entry(data: &[u8]) -> Result<Position, Malformed> {
    numbers(data, [2, 3]).map(|[term, index]| Position { index, term })
}

/// A HardState.
pub(super) fn state(data: &[u8]) -> Result<HardState, Malformed> {
    numbers(data, [1, 3]).map(|[term, commit]| HardState { term, commit, commit_term: term })
}

/// A snapshot's place.
pub(super) fn snapshot(data: &[u8]) -> Result<Position, Malformed> {
    numbers(data, [1, 2]).map(|[index, term]| Position { index, term })
}
