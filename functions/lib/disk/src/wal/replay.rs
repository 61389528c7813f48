//! Reading a WAL from a snapshot on, as etcd's `ReadAll` (`wal.go`) does when it starts.

use super::decoder::{self, Decoder, Next};
use super::head;
use super::names::{self, Segment};
use super::record::{self, CRC, ENTRY, METADATA, Record, SNAPSHOT, STATE};
use super::{HardState, Position};
use crate::fault::{Fault, broken};
use crate::files::File;
use crate::protobuf::Malformed;

/// What a WAL says, read from a snapshot on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Replay {
    /// The snapshot it was read from; index 0 without one.
    pub(crate) start: Position,
    /// The member's id and the cluster's.
    pub(crate) identity: Option<(u64, u64)>,
    pub(crate) state: HardState,
    /// The last entry after the start, or the start: what a torn end cut off is not in the log.
    pub(crate) last: Position,
    /// Whether the log itself records the snapshot, by index and term: etcd starts only from one that it does
    /// (`LoadNewestAvailable`; without a snapshot, `ErrSnapshotNotFound`).
    pub(crate) has_start: bool,
    /// Where an entry does not follow the one before it: those two indexes.
    pub(crate) gap: Option<(u64, u64)>,
    /// The first entry after the start that is a request to etcd's v2 store.
    pub(crate) v2_request: Option<u64>,
    /// The metadata record as it is: all must be the same.
    metadata: Option<Vec<u8>>,
    /// The snapshots that the log records: the newest one that is committed, and those that are not yet.
    snapshots: Vec<Position>,
}

/// The most segments that are hinted at besides the one that is read first. etcd keeps five.
const MOST_HINTED: usize = 16;
/// The most snapshots that are kept in mind that the log records before it says that they are committed. There is hardly
/// ever one.
const MOST_PENDING: usize = 64;

/// The segments that are read: those that etcd would open to start from a snapshot, or all of them.
fn chosen(segments: &[Segment], start: Position, all: bool) -> Result<&[Segment], Fault> {
    let needed = names::from(segments, start)?;
    Ok(if all { segments } else { needed })
}

/// Hints at where [`replay`] will begin. What is wrong there, it will say.
pub(crate) fn hint(
    segments: &[Segment],
    start: Position,
    all: bool,
    open: impl Fn(&str) -> Result<Box<dyn File>, Fault>,
) {
    let Ok(chosen) = chosen(segments, start, all) else { return };
    if let Ok(first) = open(&chosen[0].name) {
        decoder::hint(first.as_ref());
    }
    for before in segments[..segments.len() - chosen.len()].iter().rev().take(MOST_HINTED) {
        if let Ok(segment) = open(&before.name) {
            head::hint(segment.as_ref());
        }
    }
}

/// Reads the segments that etcd would open to start from a snapshot, or all of them, in order.
///
/// `most` bounds the bytes of all segments together: files can claim more than the volume holds.
pub(crate) fn replay(
    segments: &[Segment],
    start: Position,
    all: bool,
    most: u64,
    open: impl Fn(&str) -> Result<Box<dyn File>, Fault>,
) -> Result<Replay, Fault> {
    let read = chosen(segments, start, all)?;
    let mut replay = Replay { start, last: start, ..Replay::default() };
    // Of those before it, whether they are this log's: etcd reads through them (`ValidSnapshotEntries`).
    for segment in &segments[..segments.len() - read.len()] {
        let metadata = head::metadata(open(&segment.name)?.as_ref());
        let taken = metadata.and_then(|data| replay.take(Record { kind: METADATA, crc: 0, data: &data }));
        taken.map_err(|fault| fault.within(&segment.name))?;
    }
    let (mut crc, mut total) = (0, 0_u64);
    // Two are open at a time: however many there are, their extents are not all held in memory.
    let mut next = read.first().map(|first| open(&first.name)).transpose()?;
    for (at, segment) in read.iter().enumerate() {
        let Some(file) = next.take() else { break };
        next = read.get(at + 1).map(|after| open(&after.name)).transpose()?;
        total = total.saturating_add(file.size());
        if total > most {
            return Err(broken(format!("{}: the WAL claims more bytes than the volume has", segment.name)));
        }
        let mut decoder = Decoder::new(file.as_ref(), crc, next.as_deref());
        replay.segment(&mut decoder).map_err(|fault| fault.within(&segment.name))?;
        crc = decoder.crc();
    }
    Ok(replay)
}

/// The newest snapshot that the log records and that is committed, or its beginning: from the last segment backwards, as
/// far as needed.
pub(crate) fn newest_snapshot(
    segments: &[Segment],
    open: impl Fn(&str) -> Result<Box<dyn File>, Fault>,
) -> Result<Position, Fault> {
    let (mut commit, mut next) = (0, None);
    for segment in segments.iter().rev() {
        let file = open(&segment.name)?;
        let mut replay = Replay::default();
        let mut decoder = Decoder::new(file.as_ref(), 0, next.as_deref());
        replay.segment(&mut decoder).map_err(|fault| fault.within(&segment.name))?;
        commit = replay.state.commit.max(commit);
        if let Some(newest) = newest(&replay.snapshots, commit) {
            return Ok(newest);
        }
        next = Some(file);
    }
    Ok(Position::default())
}

/// Of these, the newest one that is committed.
fn newest(snapshots: &[Position], commit: u64) -> Option<Position> {
    snapshots.iter().filter(|one| one.index <= commit).max_by_key(|one| one.index).copied()
}

impl Replay {
    /// The newest snapshot that the log records, as far as it was read, and that is committed: where etcd starts since 3.7,
    /// whatever `.snap` files there are (etcd-io/etcd#21107).
    pub(crate) fn newest_snapshot(&self) -> Option<Position> {
        newest(&self.snapshots, self.state.commit)
    }

    fn segment(&mut self, decoder: &mut Decoder<'_>) -> Result<(), Fault> {
        loop {
            let expected = decoder.crc();
            match decoder.next()? {
                Next::End | Next::Torn => return Ok(()),
                Next::Record(record) if record.kind == CRC => {
                    let crc = record.crc;
                    // 0 is a decoder's that has read nothing yet.
                    if expected != 0 && crc != expected {
                        return Err(broken("its checksum does not follow the segment's before it"));
                    }
                    decoder.set_crc(crc);
                }
                Next::Record(record) => self.take(record)?,
            }
        }
    }

    fn take(&mut self, record: Record<'_>) -> Result<(), Fault> {
        let malformed = |Malformed| broken(format!("a record of kind {} that is none", record.kind));
        match record.kind {
            METADATA => {
                if self.metadata.as_ref().is_some_and(|known| known != record.data) {
                    return Err(broken("two members' records in one log"));
                }
                self.metadata = Some(record.data.to_vec());
                self.identity = Some(record::identity(record.data).map_err(malformed)?);
            }
            ENTRY => {
                let entry = record::entry(record.data).map_err(malformed)?;
                self.entry(entry, || record::is_v2_request(record.data));
            }
            STATE => {
                self.state.follow(record::state(record.data).map_err(malformed)?);
                self.forget_older_snapshots();
            }
            SNAPSHOT => {
                let snapshot = record::snapshot(record.data).map_err(malformed)?;
                self.has_start |= snapshot == self.start;
                self.snapshots.push(snapshot);
                self.forget_older_snapshots();
                if self.snapshots.len() > MOST_PENDING {
                    return Err(Fault::Unsupported(format!("more than {MOST_PENDING} snapshots ahead of the log")));
                }
            }
            other => return Err(Fault::Unsupported(format!("a record of kind {other}, which is not known here"))),
        }
        Ok(())
    }

    fn forget_older_snapshots(&mut self) {
        if self.snapshots.len() > 1 {
            let newest = newest(&self.snapshots, self.state.commit);
            self.snapshots.retain(|one| one.index > self.state.commit);
            self.snapshots.extend(newest);
        }
    }

    /// An entry may take the place of a later one that was never committed; it may not leave a gap.
    fn entry(&mut self, entry: Position, is_v2_request: impl Fn() -> bool) {
        if entry.index <= self.start.index {
            return;
        }
        if entry.index - 1 > self.last.index {
            self.gap.get_or_insert((self.last.index, entry.index));
        }
        self.last = entry;
        let before = self.v2_request.filter(|index| *index < entry.index);
        self.v2_request = before.or_else(|| is_v2_request().then_some(entry.index));
    }
}

#[cfg(test)]
mod tests;
