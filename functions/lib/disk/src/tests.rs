//! What the unit tests read from.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::fault::{Fault, broken};
use crate::files::{Entry, File, Files, Kind};
use crate::{Blocks, Unreadable};

/// A volume in memory.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Blocks for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let from = usize::try_from(offset).expect("small");
        into.copy_from_slice(&self.0[from..from + into.len()]);
        Ok(())
    }
}

/// A file in memory.
pub(crate) struct Held(pub(crate) Vec<u8>);

impl File for Held {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let from = usize::try_from(offset).expect("small");
        let bytes = self.0.get(from..from + into.len()).ok_or_else(|| broken("past the end"))?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}

/// Files in memory, by their paths; directories are what the paths have.
#[derive(Clone)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, Vec<u8>>);

impl Tree {
    pub(crate) fn new<'p>(files: impl IntoIterator<Item = (&'p str, Vec<u8>)>) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect())
    }
}

impl Files for Tree {
    fn list(&self, path: &str) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        for file in self.0.keys() {
            let Some(rest) = file.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) else { continue };
            let (name, kind) = rest.split_once('/').map_or((rest, Kind::File), |(name, _)| (name, Kind::Directory));
            let entry = Entry { name: name.to_owned(), kind };
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        if entries.is_empty() { Err(Fault::Missing(path.to_owned())) } else { Ok(entries) }
    }

    fn open(&self, path: &str) -> Result<Box<dyn File>, Fault> {
        let bytes = self.0.get(path).ok_or_else(|| Fault::Missing(path.to_owned()))?;
        Ok(Box::new(Held(bytes.clone())))
    }
}
