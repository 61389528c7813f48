//! Hints at the journal while it is replayed.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::blocks::Blocks;

/// How much is hinted at once, in bytes. How far the journal is used is only known when it has been read.
const WINDOW: u64 = 4 << 20;

/// Reads ahead of a replay: the journal's bytes on the volume, in the order in which it is replayed.
pub(super) struct ReadAhead {
    windows: Vec<Range<u64>>,
    hinted: AtomicUsize,
}

impl ReadAhead {
    /// Of these ranges of the volume, in the order of the replay.
    pub(super) fn new(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let cut = |range: Range<u64>| {
            let Range { start, end } = range;
            let windows = std::iter::successors(Some(start), |from| Some(from + WINDOW));
            windows.take_while(move |from| *from < end).map(move |from| from..end.min(from + WINDOW))
        };
        Self { windows: ranges.into_iter().flat_map(cut).collect(), hinted: AtomicUsize::new(0) }
    }

    /// Notes that the volume is read at `offset`: if that is in the journal, hints at what follows.
    pub(super) fn passes(&self, offset: u64, blocks: &dyn Blocks) {
        let Some(at) = self.windows.iter().position(|window| window.contains(&offset)) else { return };
        let wanted = self.windows.len().min(at + 3);
        let hinted = self.hinted.fetch_max(wanted, Relaxed);
        if hinted < wanted {
            blocks.prefetch(&self.windows[hinted..wanted]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::blocks::Unreadable;

    struct Hints(Mutex<Vec<Range<u64>>>);

    impl Blocks for Hints {
        fn size(&self) -> u64 {
            u64::MAX
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<(), Unreadable> {
            Ok(())
        }

        fn prefetch(&self, ranges: &[Range<u64>]) {
            self.0.lock().expect("hints").extend_from_slice(ranges);
        }
    }

    #[test]
    fn each_window_is_hinted_once_and_ahead() {
        let hints = Hints(Mutex::new(Vec::new()));
        let ahead = ReadAhead::new([100 * WINDOW..105 * WINDOW, 0..WINDOW / 2]);
        ahead.passes(7 * WINDOW, &hints);
        assert!(hints.0.lock().expect("hints").is_empty(), "not the journal");
        for offset in [100 * WINDOW, 100 * WINDOW + 4096, 101 * WINDOW, 104 * WINDOW, 0] {
            ahead.passes(offset, &hints);
        }
        let starts: Vec<u64> = hints.0.lock().expect("hints").iter().map(|range| range.start / WINDOW).collect();
        assert_eq!(starts, [100, 101, 102, 103, 104, 0]);
    }
}
