//! What is compressed, cut into the parts of an upload.

use std::io::{self, Write};

use tokio::sync::mpsc::Sender;

/// Bytes of a part: S3 takes no smaller ones than 5 MiB but the last, and 10,000 of them.
const PART: usize = 8 << 20;
/// Parts that are sent at once.
pub(crate) const AT_ONCE: usize = 4;

/// Collects parts, and hands over each that is full. It waits while as many as fit are on their way.
pub(crate) struct Parts {
    part: Vec<u8>,
    into: Sender<Vec<u8>>,
}

impl Parts {
    pub(crate) fn new(into: Sender<Vec<u8>>) -> Self {
        Self { part: Vec::with_capacity(PART), into }
    }

    /// Hands over the last part.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.hand_over()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        self.into.blocking_send(part).map_err(|_| io::Error::other("nobody takes the parts any more"))
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() == PART {
            self.hand_over()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
