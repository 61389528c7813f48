//! Volumes with arbitrary bytes where the readers look: no panic, no end without one, no more reads than a bound.
//!
//! `PROPTEST_CASES` sets how many are tried: a fifth of it.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use etcd_backup_disk::{Depth, examine};
use proptest::prelude::*;

use crate::image::{Image, fixture};
use crate::journal;

/// The most bytes that may be read of a hostile volume: what mounting may read and, of the fixtures, a few times all
/// that they hold.
const MOST_READ: u64 = 1 << 30;

/// A volume and the ranges that are read of the sound one.
struct Target {
    image: Image,
    looked_at: Vec<Range<u64>>,
}

impl Target {
    fn of(name: &str, depth: Depth) -> Self {
        let image = fixture(name).image();
        examine(Arc::new(image.clone()), depth).expect("it can be read");
        let looked_at = image.ranges_read();
        Self { image: image.unread(), looked_at }
    }

    /// Puts bytes at places where the readers look, and reads that.
    fn survives(&self, changes: &[(prop::sample::Index, u16, Vec<u8>)], depth: Depth) -> Result<(), TestCaseError> {
        let mut hostile = self.image.unread();
        for (place, within, bytes) in changes {
            let range = place.get(&self.looked_at);
            hostile.write_within(range.start + u64::from(*within) % (range.end - range.start), bytes);
        }
        // An error would be the source's, and this one never fails.
        prop_assert!(examine(Arc::new(hostile.clone()), depth).is_ok());
        prop_assert!(hostile.bytes_read() < MOST_READ, "{} bytes read", hostile.bytes_read());
        Ok(())
    }
}

/// Without checksums of its metadata, so that what is changed there is believed.
static UNSUMMED: LazyLock<Target> = LazyLock::new(|| Target::of("clean-3.4", Depth::Shallow));
/// With a journal to replay.
static DIRTY: LazyLock<Target> = LazyLock::new(|| Target::of(journal::FIXTURE, Depth::Shallow));
/// With checksums of everything.
static SUMMED: LazyLock<Target> = LazyLock::new(|| Target::of("wrapped-journal-3.5", Depth::Shallow));

/// A journal's block: its kind, and what follows.
type Block = (u32, Vec<u32>);

/// Blocks that are well framed and say anything: what is written, revoked, committed.
fn log() -> impl Strategy<Value = Vec<Block>> {
    let kind = prop_oneof![4 => Just(1), 4 => Just(2), 8 => Just(5), 1 => any::<u32>()];
    let length = prop_oneof![8 => 16..4097_u32, 1 => any::<u32>()];
    let number = prop_oneof![4 => 0..200_u32, 1 => any::<u32>()];
    let numbers =
        (length, prop::collection::vec(number, 0..200)).prop_map(|(length, numbers)| [vec![length], numbers].concat());
    prop::collection::vec((kind, numbers), 1..60)
}

/// The volume with that in its journal, which has no checksums.
fn with_log(image: &Image, log: &[Block]) -> Image {
    let mut image = image.unread();
    let beginning = journal::beginning(&image);
    let number = |at: u64| u32::from_be_bytes(journal::read(&image, beginning + at));
    let (mut sequence, start) = (number(0x18), u64::from(number(0x1c)));
    for (at, (kind, numbers)) in (start..).zip(log) {
        let words = [&[*kind, sequence][..], numbers].concat();
        let mut block =
            [&journal::MAGIC[..], &words.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<_>>()].concat();
        block.resize(4096, 0);
        image.write(beginning + at * journal::BLOCK, &block);
        sequence = sequence.wrapping_add(u32::from(*kind == 2));
    }
    image
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u16, Vec<u8>)>> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..9),
        Just(vec![0xff; 4]),
        Just(vec![0; 512]),
        prop::collection::vec(0..4u8, 1..5),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), any::<u16>(), bytes), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn a_hostile_ext4(changes in changes()) {
        UNSUMMED.survives(&changes, Depth::Deep)?;
    }

    #[test]
    fn a_hostile_journal(changes in changes()) {
        DIRTY.survives(&changes, Depth::Shallow)?;
    }

    #[test]
    fn a_hostile_ext4_with_checksums(changes in changes()) {
        SUMMED.survives(&changes, Depth::Shallow)?;
    }

    #[test]
    fn a_hostile_log_of_the_journal(log in log()) {
        let hostile = with_log(&DIRTY.image, &log);
        prop_assert!(examine(Arc::new(hostile.clone()), Depth::Shallow).is_ok());
        prop_assert!(hostile.bytes_read() < MOST_READ, "{} bytes read", hostile.bytes_read());
    }

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..8192)) {
        let mut image = Image::of_size(1 << 20);
        image.write_within(0, &bytes);
        prop_assert!(examine(Arc::new(image), Depth::Deep).is_ok());
    }
}

/// A fifth of what proptest would try: each reads a volume.
fn cases() -> u32 {
    ProptestConfig::default().cases / 5
}
