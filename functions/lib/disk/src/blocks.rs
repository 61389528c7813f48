//! Where the bytes of a volume come from.

use std::ops::Range;

/// What is read from, by offset in bytes. Absent blocks are zeros.
pub trait Blocks: Send + Sync {
    /// The volume's size in bytes.
    fn size(&self) -> u64;

    /// Fills `into` from `offset` on. The readers never ask beyond [`Blocks::size`].
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable>;

    /// Whether to go on. The readers ask before they read anything, what is known to be zeros included; in between they
    /// never do more than one page, record or block can call for. An error ends the examination.
    fn go_on(&self) -> Result<(), Unreadable> {
        Ok(())
    }

    /// A hint: these ranges, in bytes, will be read next. At most a few dozen MiB at a time are hinted, and what is
    /// hinted is not always read.
    fn prefetch(&self, ranges: &[Range<u64>]) {
        let _ = ranges;
    }
}

/// The source could not be read, or not in time: that says nothing of the disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the blocks could not be read: {0}")]
pub struct Unreadable(pub String);
