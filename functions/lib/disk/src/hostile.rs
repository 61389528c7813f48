//! Files with arbitrary bytes: the readers of etcd's formats do not panic, end, and read no more than a bound.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use proptest::prelude::*;

use crate::bbolt::Db;
use crate::bbolt::testing::DbFile;
use crate::fault::Fault;
use crate::files::File;
use crate::tests::Held;
use crate::wal::testing::{self, Log};
use crate::wal::{self, Position};
use crate::{protobuf, snap, store};

/// A file that counts what is read of it.
struct Counted {
    file: Held,
    read: AtomicU64,
}

impl Counted {
    fn new(bytes: Vec<u8>) -> Self {
        Self { file: Held(bytes), read: AtomicU64::new(0) }
    }

    /// Whether no more was read than so many times the file, and some for its smallest reads.
    fn within(&self, times: u64) -> bool {
        self.read.load(Relaxed) <= times * (self.file.size() + 4096)
    }
}

impl File for Counted {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        assert!(offset + into.len() as u64 <= self.size(), "read past the end");
        self.read.fetch_add(into.len() as u64, Relaxed);
        self.file.read_at(offset, into)
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}

/// Bytes to put somewhere.
type Change = (prop::sample::Index, Vec<u8>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..5),
        prop::collection::vec(0..8u8, 1..3),
        Just(vec![0; 512]),
        Just(vec![0xff; 8]),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), bytes), 0..6)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (place, change) in changes {
        let at = place.index(bytes.len());
        let end = bytes.len().min(at + change.len());
        bytes[at..end].copy_from_slice(&change[..end - at]);
    }
    bytes
}

fn read_db(file: &Counted) {
    if let Ok(db) = Db::open(file) {
        let _ = store::read(&db);
        let _ = store::read_all(&db);
    }
}

fn replay(bytes: &[u8], index: u64) -> Result<wal::Replay, Fault> {
    let name = "0000000000000000-0000000000000000.wal";
    let segments = testing::segments(&[(name, Vec::new())]);
    let open = |_: &str| -> Result<Box<dyn File>, Fault> { Ok(Box::new(Counted::new(bytes.to_vec()))) };
    wal::replay(&segments, Position { index, term: 1 }, true, 1 << 30, open)
}

fn log() -> Vec<u8> {
    let mut log = Log::new();
    for index in 1..20 {
        log.entry(1, index, &[7; 100]);
        log.state(1, index);
    }
    log.bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn a_changed_db(changes in changes()) {
        // The metas stay: with them, nothing else would be read.
        let mut bytes = DbFile::etcd().bytes();
        let pages = bytes.split_off(8192);
        bytes.extend(changed(pages, &changes));
        let file = Counted::new(bytes);
        read_db(&file);
        prop_assert!(file.within(20));
    }

    #[test]
    fn changed_metas(changes in changes()) {
        let mut bytes = DbFile::etcd().bytes();
        let pages = bytes.split_off(128);
        bytes = changed(bytes, &changes);
        bytes.extend(pages);
        let file = Counted::new(bytes);
        read_db(&file);
        prop_assert!(file.within(20));
    }

    #[test]
    fn an_arbitrary_db(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        read_db(&Counted::new(bytes));
    }

    #[test]
    fn a_changed_log_never_says_more_than_was_written(changes in changes(), index in 0..25_u64) {
        if let Ok(replay) = replay(&changed(log(), &changes), index) {
            prop_assert!(replay.last.index <= 19.max(index));
            prop_assert!(replay.state.commit <= 19);
        }
    }

    #[test]
    fn an_arbitrary_log(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = replay(&bytes, 0);
    }

    #[test]
    fn an_arbitrary_snapshot(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = snap::read(&Counted::new(bytes));
    }

    #[test]
    fn an_arbitrary_message(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(protobuf::fields(&bytes).count() <= bytes.len());
    }
}
