//! What a record holds: `walpb.Record`, `raftpb.Entry`, `raftpb.HardState`, `walpb.Snapshot`, `etcdserverpb.Metadata`.

use super::{HardState, Position};
use crate::protobuf::{self, Malformed, Value, fields};

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

/// Whether an entry holds a request to etcd's v2 store, by itself or in an `InternalRaftRequest`: both have a field 2 then,
/// the method or the request. etcd writes them up to 3.5, where a member tells its name and the cluster its version.
pub(super) fn is_v2_request(entry: &[u8]) -> bool {
    let mut request: &[u8] = &[];
    for field in fields(entry) {
        match field {
            // Of another type than a normal one: a change of the members.
            Ok((1, Value::Number(kind))) if kind != 0 => return false,
            Ok((4, Value::Bytes(data))) => request = data,
            Ok(_) => {}
            Err(Malformed) => return false,
        }
    }
    fields(request).any(|field| matches!(field, Ok((2, Value::Bytes(_)))))
}

/// A HardState.
pub(super) fn state(data: &[u8]) -> Result<HardState, Malformed> {
    numbers(data, [1, 3]).map(|[term, commit]| HardState { term, commit, commit_term: term })
}

/// A snapshot's place.
pub(super) fn snapshot(data: &[u8]) -> Result<Position, Malformed> {
    numbers(data, [1, 2]).map(|[index, term]| Position { index, term })
}
