//! The beginning of a db, as a file: enough to read its metas.

use std::ops::Range;

use crate::fault::{Fault, broken, index};
use crate::files::File;

/// The bytes that have come so far.
pub(super) struct Head<'b>(pub(super) &'b [u8]);

impl File for Head<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let from = index(offset)?;
        let bytes = from.checked_add(into.len()).and_then(|end| self.0.get(from..end));
        into.copy_from_slice(bytes.ok_or_else(|| broken("past the end of the file"))?);
        Ok(())
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}
