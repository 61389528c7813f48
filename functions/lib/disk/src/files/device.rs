//! What the ext4 reader reads from: the blocks, counted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fs_ext4::Error;
use fs_ext4::block_io::BlockDevice;

use super::read_ahead::ReadAhead;
use crate::blocks::{Blocks, Unreadable};
use crate::fault::Fault;

/// The blocks as the ext4 reader sees them: read-only, within their size, and no more of them than was allowed.
///
/// The reader is mounted without a cache of its own, so that each of its loops passes here and ends.
pub(super) struct Device {
    pub(super) blocks: Arc<dyn Blocks>,
    /// One step at a time: the allowance and the failure are its own.
    turn: Mutex<()>,
    /// Bytes that may still be read.
    allowance: AtomicU64,
    /// The reader's error type cannot carry ours: the source's failure is kept here.
    failure: Mutex<Option<Unreadable>>,
    /// A block that the reader is to see otherwise than it is, and where it is, in bytes.
    instead: Mutex<Option<(u64, Vec<u8>)>>,
    /// Hints at the journal as it is read.
    pub(super) journal: OnceLock<ReadAhead>,
}

/// What the reader's error says when the allowance is used up.
const EXHAUSTED: &str = "more reads than an honest file system needs";

impl Device {
    pub(super) fn new(blocks: Arc<dyn Blocks>) -> Self {
        let (turn, failure, instead) = (Mutex::new(()), Mutex::new(None), Mutex::new(None));
        Self { instead, blocks, turn, allowance: AtomicU64::new(0), failure, journal: OnceLock::new() }
    }

    /// Shows the reader a block otherwise than it is, from now on.
    pub(super) fn see_instead(&self, block: Option<(u64, Vec<u8>)>) {
        *self.instead.lock().unwrap_or_else(PoisonError::into_inner) = block;
    }

    /// Lets the ext4 reader do one thing, within `allowance` bytes of reads.
    ///
    /// The panic guard is the last defence, not the first: the reader multiplies block numbers unchecked in places.
    pub(super) fn guard<T>(&self, allowance: u64, step: impl FnOnce() -> fs_ext4::Result<T>) -> Result<T, Fault> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.allowance.store(allowance, Relaxed);
        let result = catch_unwind(AssertUnwindSafe(step));
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Fault::Unreadable(failure));
        }
        match result {
            Ok(result) => result.map_err(|error| fault(&error)),
            Err(_) => Err(Fault::Unsupported("the ext4 reader gave up on it".to_owned())),
        }
    }
}

impl BlockDevice for Device {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> fs_ext4::Result<()> {
        let length = buf.len() as u64;
        if offset.checked_add(length).is_none_or(|end| end > self.blocks.size()) {
            return Err(Error::OutOfBounds);
        }
        let spend = |left: u64| left.checked_sub(length);
        if self.allowance.fetch_update(Relaxed, Relaxed, spend).is_err() {
            return Err(Error::Unsupported(EXHAUSTED));
        }
        if let Some(journal) = self.journal.get() {
            journal.passes(offset, self.blocks.as_ref());
        }
        let instead = self.instead.lock().unwrap_or_else(PoisonError::into_inner);
        let instead = instead.as_ref().filter(|(at, bytes)| *at == offset && bytes.len() == buf.len());
        let read = self.blocks.go_on().and_then(|()| match instead {
            Some((_, bytes)) => {
                buf.copy_from_slice(bytes);
                Ok(())
            }
            None => self.blocks.read_at(offset, buf),
        });
        read.map_err(|failure| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            Error::Corrupt("the source failed")
        })
    }

    fn size_bytes(&self) -> u64 {
        self.blocks.size()
    }
}

/// What the reader's error says of the disk.
fn fault(error: &Error) -> Fault {
    match error {
        Error::UnsupportedIncompat(_) | Error::UnsupportedRoCompat(_) | Error::Unsupported(_) => {
            Fault::Unsupported(format!("ext4: {error}"))
        }
        _ => Fault::Broken(format!("ext4: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing;

    impl Blocks for Failing {
        fn size(&self) -> u64 {
            1 << 20
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
            into.fill(0);
            if offset < 4096 { Ok(()) } else { Err(Unreadable("throttled".to_owned())) }
        }
    }

    #[test]
    fn a_failing_source_is_never_a_broken_disk() {
        let device = Device::new(Arc::new(Failing));
        let read = |at| device.guard(1 << 20, || device.read_at(at, &mut [0; 512]));
        assert_eq!(read(0), Ok(()));
        assert_eq!(read(8192), Err(Fault::Unreadable(Unreadable("throttled".to_owned()))));
        assert_eq!(read(0), Ok(()), "the failure belongs to one step");
        assert!(matches!(read(1 << 20), Err(Fault::Broken(_))), "beyond the volume");
    }

    #[test]
    fn a_loop_of_reads_ends() {
        let device = Device::new(Arc::new(Failing));
        let endless = device.guard(1 << 20, || -> fs_ext4::Result<()> {
            loop {
                device.read_at(0, &mut [0; 512])?;
            }
        });
        assert!(matches!(endless, Err(Fault::Unsupported(_))), "{endless:?}");
    }

    #[test]
    fn a_panic_of_the_reader_is_not_the_disks_fault() {
        let device = Device::new(Arc::new(Failing));
        let gone = device.guard(0, || -> fs_ext4::Result<()> { panic!("expected by this test") });
        assert!(matches!(gone, Err(Fault::Unsupported(_))));
    }
}
