//! Small logs, read.

use std::sync::{Arc, Mutex};

use super::super::testing::{self, Log};
use super::*;
use crate::tests::Held;

fn read(files: &[(&str, Vec<u8>)], index: u64, all: bool) -> Result<Replay, Fault> {
    let segments = testing::segments(files);
    let open = |name: &str| -> Result<Box<dyn File>, Fault> {
        let found = files.iter().find(|(named, _)| *named == name).expect("opened as listed");
        Ok(Box::new(Held(found.1.clone())))
    };
    replay(&segments, Position { index, term: u64::from(index > 0) }, all, 1 << 20, open)
}

const FIRST: &str = "0000000000000000-0000000000000000.wal";
const SECOND: &str = "0000000000000001-0000000000000004.wal";

/// Two segments: entries 1 to 3, then 4 to 6 and a snapshot at 4.
fn two() -> [(&'static str, Vec<u8>); 2] {
    let mut log = Log::new();
    for index in 1..=3 {
        log.entry(1, index, b"value");
    }
    log.state(1, 2);
    let first = log.cut();
    for index in 4..=6 {
        log.entry(1, index, b"value");
    }
    log.snapshot(4, 1);
    log.state(2, 5);
    [(FIRST, first), (SECOND, log.bytes())]
}

#[test]
fn a_log_is_read_over_its_segments() {
    let replay = read(&two(), 0, false).expect("sound");
    assert_eq!(replay.identity, Some((0xa, 0xc)));
    assert_eq!(replay.state, HardState { term: 2, commit: 5, commit_term: 2 });
    assert_eq!((replay.last, replay.has_start, replay.gap), (Position { index: 6, term: 1 }, true, None));
}

#[test]
fn from_a_snapshot_only_what_covers_it_is_read() {
    let mut files = two();
    files[0].1[100] ^= 1;
    assert!(read(&files, 0, false).is_err());
    let replay = read(&files, 4, false).expect("the first segment is not needed");
    assert_eq!((replay.last.index, replay.has_start), (6, true));
    assert!(read(&files, 4, true).is_err(), "all are read when asked");
}

#[test]
fn of_segments_before_it_only_whose_they_are_is_read() {
    let mut files = two();
    files[0].1[20] ^= 1;
    let fault = read(&files, 4, false).expect_err("its beginning is broken").to_string();
    assert!(fault.starts_with(FIRST), "{fault}");
    files[0].1.clear();
    assert!(read(&files, 4, false).is_err(), "empty");
    let mut another = Log::without_a_snapshot();
    another.entry(1, 1, b"value");
    files[0].1 = another.cut();
    assert!(read(&files, 4, false).is_ok(), "its chain of checksums is not followed");
    let mut of_another = crate::wal::testing::Log::of(0xb, 0xc);
    of_another.entry(1, 1, b"value");
    files[0].1 = of_another.cut();
    assert_eq!(
        read(&files, 4, false).expect_err("another member's").to_string(),
        format!("{SECOND}: two members' records in one log")
    );
}

/// What is done with files, in order.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Vec<String>>>);

struct WatchedFile(Watched, String, Held);

impl Watched {
    fn note(&self, what: &str, name: &str) {
        let mut seen = self.0.lock().expect("notes");
        seen.push(format!("{what} {}", &name[15..16]));
    }
}

impl File for WatchedFile {
    fn size(&self) -> u64 {
        self.2.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.0.note("read", &self.1);
        self.2.read_at(offset, into)
    }

    fn prefetch(&self, _: &[std::ops::Range<u64>]) {
        self.0.note("hint", &self.1);
    }
}

#[test]
fn the_next_segment_is_hinted_at_before_it_is_needed() {
    let files = two();
    let segments = testing::segments(&files);
    let watched = Watched::default();
    let open = |name: &str| -> Result<Box<dyn File>, Fault> {
        let (_, bytes) = files.iter().find(|(named, _)| *named == name).expect("opened as listed");
        Ok(Box::new(WatchedFile(watched.clone(), name.to_owned(), Held(bytes.clone()))))
    };
    hint(&segments, Position { index: 4, term: 1 }, false, open);
    replay(&segments, Position::default(), false, 1 << 20, open).expect("sound");
    let seen = watched.0.lock().expect("notes").clone();
    let expected = ["hint 1", "hint 0", "hint 0", "hint 1", "read 0", "hint 1", "read 1"];
    assert_eq!(seen, expected, "from the snapshot and how the one before begins; then all");
}

#[test]
fn a_snapshot_that_the_log_does_not_know_is_told() {
    assert!(!read(&two(), 5, false).expect("sound").has_start);
    let segments = testing::segments(&two());
    let [_, second] = two();
    let open = |_: &str| -> Result<Box<dyn File>, Fault> { Ok(Box::new(Held(second.1.clone()))) };
    let of_term = |term| replay(&segments, Position { index: 4, term }, false, 1 << 20, open).expect("sound").has_start;
    assert_eq!([1, 2].map(of_term), [true, false]);
}

#[test]
fn a_changed_first_segment_breaks_the_chain() {
    let [_, second] = two();
    let mut other = Log::new();
    other.entry(1, 1, b"another");
    let fault = read(&[(FIRST, other.cut()), second], 0, false).expect_err("broken").to_string();
    assert!(fault.ends_with("its checksum does not follow the segment's before it"), "{fault}");
}

#[test]
fn an_entry_may_be_rewritten_but_not_skipped() {
    let last = |indexes: &[u64]| {
        let mut log = Log::new();
        for index in indexes {
            log.entry(1, *index, b"value");
        }
        let replay = read(&[(FIRST, log.bytes())], 0, false).expect("framed well");
        (replay.last.index, replay.gap)
    };
    assert_eq!(last(&[1, 2, 3, 2]), (2, None));
    assert_eq!(last(&[1, 2, 4]), (4, Some((2, 4))));
    assert_eq!(last(&[2, 3]), (3, Some((0, 2))));
}

fn of(log: &Log, start: u64) -> Replay {
    read(&[(FIRST, log.bytes())], start, false).expect("sound")
}

#[test]
fn the_last_entry_is_the_one_that_was_written_last() {
    let mut log = Log::new();
    for (term, index) in [(1, 1), (1, 2), (1, 3), (2, 2)] {
        log.entry(term, index, b"value");
    }
    log.state(5, 1);
    assert_eq!(of(&log, 0).last, Position { index: 2, term: 2 }, "3 was overwritten, and a term is no entry's");
    let mut log = Log::new();
    log.entry(1, 1, b"value");
    log.snapshot(7, 1);
    assert_eq!(of(&log, 7).last, Position { index: 7, term: 1 }, "nothing follows the snapshot");
}

#[test]
fn a_torn_entry_is_not_the_last_one() {
    let mut log = Log::new();
    log.entry(1, 1, b"value");
    log.entry(2, 2, &[7; 3000]);
    let mut bytes = log.bytes();
    bytes.truncate(bytes.len() - 1);
    let replay = read(&[(FIRST, bytes)], 0, false).expect("etcd cuts it off");
    assert_eq!(replay.last, Position { index: 1, term: 1 });
}

#[test]
fn the_term_in_which_a_member_learned_of_what_is_committed_is_told() {
    let mut log = Log::new();
    for index in 1..=4 {
        log.entry(3, index, b"value");
    }
    for (term, commit) in [(2, 1), (3, 3), (3, 3), (7, 3)] {
        log.state(term, commit);
    }
    assert_eq!(of(&log, 0).state, HardState { term: 7, commit: 3, commit_term: 3 });
}

#[test]
fn another_members_record_is_refused() {
    let mut log = Log::new();
    log.metadata(0xb, 0xc);
    assert!(read(&[(FIRST, log.bytes())], 0, false).is_err());
}

#[test]
fn more_bytes_than_the_volume_has_are_not_read() {
    let mut log = Log::new().bytes();
    log.resize((1 << 20) + 1, 0);
    assert!(read(&[(FIRST, log)], 0, false).is_err());
}
