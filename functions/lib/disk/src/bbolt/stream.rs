//! A db that comes once, in the order of the file: judged as it passes, in memory that its size hardly touches.
//!
//! Which pages belong to the tree is only known at the end, and a page that was freed may hold anything. So of each page
//! that could be one its form is checked as it passes, and of it is kept what the tree needs: branches and small buckets
//! whole, of a leaf of etcd's keys its first and its last. At the end the tree is walked from the newest sound meta.

mod head;
mod kept;
mod tree;

use std::collections::BTreeMap;

use super::meta::{self, Meta};
use super::node::{self, Node, u64_at};
use super::{LARGEST, LONGEST_PAGE};
use crate::fault::{Fault, broken, index};
use crate::store::{self, Store};
use head::Head;
use kept::Kept;

/// In so many bytes both metas are, whatever the page size.
const HEAD: usize = 128 << 10;
/// What has been judged is dropped when there is so much of it, in bytes.
const DROPPED_AT: usize = 1 << 20;
/// Pages with overflow may seem to overlap, where some were freed. All together they may be read so many times as long as
/// the db: more is no db of etcd's, and would take for ever.
const MOST_OVERLAP: u64 = 16;

/// A db that comes.
#[derive(Default)]
pub(crate) struct Stream {
    /// What has come and is not yet dropped, from this page on.
    bytes: Vec<u8>,
    first: u64,
    /// The page that is judged next.
    next: u64,
    /// All that has come, in bytes.
    length: u64,
    meta: Option<(Meta, Option<String>)>,
    /// Pages with overflow, by the last page that belongs to them.
    waiting: BTreeMap<u64, Vec<u64>>,
    overlap: u64,
    kept: Kept,
}

/// A db that has come whole, and is sound.
#[derive(Debug)]
pub(crate) struct Passed {
    /// What it says of itself.
    pub(crate) store: Store,
    /// What is wrong with the meta that is not used.
    pub(crate) weakness: Option<String>,
}

impl Stream {
    /// Takes what comes next. An error is of what bounds the reading: what is broken is told at the end.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.length += bytes.len() as u64;
        if self.length > LARGEST {
            return Err(Fault::Unsupported(format!("more than {LARGEST} bytes, larger than are read")));
        }
        self.bytes.extend_from_slice(bytes);
        if self.meta.is_none() && self.bytes.len() >= HEAD {
            self.meta = Some(meta::newest(&Head(&self.bytes))?);
        }
        self.judge_pages()
    }

    /// Walks the tree, once all has come.
    pub(crate) fn finish(mut self) -> Result<Passed, Fault> {
        if self.meta.is_none() {
            self.meta = Some(meta::newest(&Head(&self.bytes))?);
            self.judge_pages()?;
        }
        let Some((meta, weakness)) = self.meta else { return Err(broken("no meta")) };
        let needed = meta.high_water.checked_mul(meta.page_size);
        if needed.is_none_or(|needed| needed > self.length) {
            let (pages, size) = (meta.high_water, self.length);
            return Err(broken(format!("{size} bytes, shorter than its {pages} pages of {}", meta.page_size)));
        }
        self.kept.sort();
        let tree = tree::walk(&self.kept, &meta)?;
        let file = self.kept.file(&meta);
        let db = super::Db { file: &file, meta, weakness: None };
        let store = store::read_with(&db, |_| Ok(tree.last_revision))?;
        Ok(Passed { store, weakness })
    }

    fn judge_pages(&mut self) -> Result<(), Fault> {
        let Some((meta, _)) = &self.meta else { return Ok(()) };
        let (size, pages) = (index(meta.page_size)?, meta.high_water);
        while self.next < pages && (index(self.next - self.first)? + 1) * size <= self.bytes.len() {
            self.meet(self.next, size, pages)?;
            for head in self.waiting.remove(&self.next).unwrap_or_default() {
                self.judge(head, self.next, size)?;
            }
            self.next += 1;
        }
        // Past its last page a file may hold anything.
        let needed = if self.next < pages { self.waiting.values().flatten().min() } else { None };
        let until = needed.copied().unwrap_or(self.next);
        let dropped = (index(until - self.first)? * size).min(self.bytes.len());
        if dropped >= DROPPED_AT {
            self.bytes.drain(..dropped);
            self.first = until;
        }
        if self.next >= pages {
            self.bytes.clear();
            self.first = self.next;
        }
        Ok(())
    }

    /// A page has come: it is judged, or waits for its overflow.
    fn meet(&mut self, page: u64, size: usize, pages: u64) -> Result<(), Fault> {
        let from = index(page - self.first)? * size;
        let bytes = &self.bytes[from..from + size];
        if page < 2 {
            return self.kept.whole(page, bytes.to_vec());
        }
        // A page that bears another number is none of the tree. If the tree leads to it, the walk at the end says so.
        if u64_at(bytes, 0) != page || !node::is_of_a_tree(bytes) {
            return Ok(());
        }
        let overflow = node::overflow(bytes, page)?;
        let length = (1 + overflow).saturating_mul(size as u64);
        if page + overflow >= pages {
            return self.kept.broken(page, broken(format!("{overflow} pages of overflow, past the last page")));
        }
        if length > LONGEST_PAGE {
            let fault = Fault::Unsupported(format!("{length} bytes long, longer than are read"));
            return self.kept.broken(page, fault);
        }
        if overflow == 0 {
            return self.judge(page, page, size);
        }
        self.overlap += overflow;
        if self.overlap > pages.saturating_mul(MOST_OVERLAP) {
            return Err(Fault::Unsupported("pages that overlap one another more than those of any etcd".to_owned()));
        }
        self.waiting.entry(page + overflow).or_default().push(page);
        Ok(())
    }

    /// The whole page is there.
    fn judge(&mut self, page: u64, last: u64, size: usize) -> Result<(), Fault> {
        let (from, end) = (index(page - self.first)? * size, (index(last - self.first)? + 1) * size);
        match Node::parse(self.bytes[from..end].to_vec()) {
            Ok(node) => self.kept.node(page, node),
            Err(fault) => self.kept.broken(page, fault),
        }
    }
}

#[cfg(test)]
mod tests;
