//! A volume that was written to a file, so that a process that reads it holds none of it.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use etcd_backup_disk::{Blocks, Unreadable};

pub(crate) struct OnDisk {
    file: File,
    size: u64,
    /// When it was last asked whether to go on, and the longest that it was not.
    asked: Mutex<(Instant, Duration)>,
}

impl OnDisk {
    pub(crate) fn new(file: File) -> Self {
        let size = file.metadata().expect("a file").len();
        Self { file, size, asked: Mutex::new((Instant::now(), Duration::ZERO)) }
    }

    pub(crate) fn longest_unasked(&self) -> Duration {
        let (last, longest) = *self.asked.lock().expect("a clock");
        longest.max(last.elapsed())
    }
}

impl Blocks for OnDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        self.file.read_exact_at(into, offset).map_err(|error| Unreadable(error.to_string()))
    }

    fn go_on(&self) -> Result<(), Unreadable> {
        let mut asked = self.asked.lock().expect("a clock");
        *asked = (Instant::now(), asked.1.max(asked.0.elapsed()));
        Ok(())
    }
}
