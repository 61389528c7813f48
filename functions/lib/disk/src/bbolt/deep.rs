//! Every page of a bucket, level by level, and of each level in the order of the file.
//!
//! In the order of its keys a db that is much rewritten would be read to and fro, and over a network each block of it many
//! times. So each level's pages are listed first, then read as they lie: each block once a level.

use std::ops::Range;

use super::level::Level;
use super::node::{Content, Node};
use super::{Bucket, DEEPEST, Db};
use crate::fault::{Fault, broken, index};

/// What is called with each key of a bucket and what is under it: a page's in their order, the pages as they lie.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&[u8], Content<'_>) -> Result<(), Fault>;

/// What is called with the name of a bucket, each of its keys, and the value.
pub(crate) type VisitKey<'v> = &'v mut dyn FnMut(&str, &[u8], &[u8]) -> Result<(), Fault>;

/// The most buckets at the top. etcd has a dozen.
pub(super) const MOST_BUCKETS: usize = 64;
/// The most that the lists of pages yet to visit may take in memory, in bytes; and how much is enough to visit a level's
/// pages listed so far before the rest of them are. An entry takes some 40 bytes: that is enough for two million pages, those
/// of a db of 8 GB.
const MOST_PENDING: usize = 96 << 20;
const ENOUGH: usize = 72 << 20;
/// How much of the file is hinted at once, in bytes, and how much between two pages is not worth a hint of its own.
const WINDOW: u64 = 16 << 20;
const GAP: u64 = 64 << 10;

impl Db<'_> {
    /// Visits every key of a bucket, and so reads each of its pages.
    pub(super) fn walk(&self, bucket: &Bucket, visit: Visit<'_>) -> Result<(), Fault> {
        self.walk_once(bucket, &mut Seen::default(), visit)
    }

    /// Visits every key of every bucket at the top, by the bucket's name. A page that belongs to two trees, or twice to
    /// one, is broken: bbolt's own `Check` says so too.
    pub(crate) fn every_key(&self, visit: VisitKey<'_>) -> Result<(), Fault> {
        let mut seen = Seen::default();
        let mut buckets = Vec::new();
        self.walk_once(&self.root(), &mut seen, &mut |name, content| {
            if let Content::Bucket(bucket) = content {
                buckets.push((String::from_utf8_lossy(name).into_owned(), bucket));
            }
            if buckets.len() > MOST_BUCKETS {
                return Err(Fault::Unsupported(format!("more than {MOST_BUCKETS} buckets")));
            }
            Ok(())
        })?;
        for (name, bucket) in buckets {
            let walked = self.walk_once(&bucket, &mut seen, &mut |key, content| match content {
                Content::Value(value) => visit(&name, key, value),
                Content::Bucket(_) => Err(Fault::Unsupported("a bucket within a bucket: etcd has none".to_owned())),
            });
            walked.map_err(|fault| fault.within(&format!("bucket {name}")))?;
        }
        Ok(())
    }

    fn walk_once(&self, bucket: &Bucket, seen: &mut Seen, visit: Visit<'_>) -> Result<(), Fault> {
        match bucket {
            Bucket::Paged(root) => self.level(Level::root(*root), 0, 0, seen, visit),
            Bucket::Inline(_) => leaf(&self.load(bucket)?, visit),
        }
    }

    /// Visits the pages of a level, and all that is under them. `held` is what the levels above take in memory.
    fn level(
        &self,
        mut level: Level,
        depth: usize,
        held: usize,
        seen: &mut Seen,
        visit: Visit<'_>,
    ) -> Result<(), Fault> {
        if depth > DEEPEST {
            return Err(broken(format!("a tree deeper than {DEEPEST} pages")));
        }
        level.sort();
        let held = held + level.weight();
        let (mut next, mut ahead) = (Level::default(), Ahead::default());
        for at in 0..level.len() {
            self.hint(&level, at, &mut ahead);
            let place = level.place(at);
            seen.mark(place.page)?;
            let node = self.page(place.page)?;
            let within = |fault: Fault| fault.within(&format!("page {}", place.page));
            if !place.has(&node) {
                return Err(within(broken("keys that belong elsewhere in the tree")));
            }
            if node.is_leaf {
                leaf(&node, visit).map_err(within)?;
                continue;
            }
            next.add(&node, place.below);
            let weight = held + next.weight();
            if weight > MOST_PENDING {
                return Err(within(Fault::Unsupported("branches of more keys than are kept in memory".to_owned())));
            }
            if weight > ENOUGH {
                self.level(std::mem::take(&mut next), depth + 1, held, seen, visit)?;
            }
        }
        if next.len() > 0 { self.level(next, depth + 1, held, seen, visit) } else { Ok(()) }
    }

    /// Hints at the pages that lie a window ahead.
    fn hint(&self, level: &Level, at: usize, ahead: &mut Ahead) {
        let size = self.meta.page_size;
        let from = level.page(at).saturating_mul(size);
        if at < ahead.hinted && from.saturating_add(WINDOW / 2) < ahead.until {
            return;
        }
        ahead.until = from.saturating_add(WINDOW);
        let (mut end, mut ranges) = (ahead.hinted.max(at), Vec::<Range<u64>>::new());
        while end < level.len() && level.page(end) < (ahead.until / size).min(self.meta.high_water) {
            let page = level.page(end) * size..(level.page(end) + 1) * size;
            match ranges.last_mut() {
                Some(last) if last.end + GAP >= page.start => last.end = page.end,
                _ => ranges.push(page),
            }
            end += 1;
        }
        ahead.hinted = end;
        if !ranges.is_empty() {
            self.file.prefetch(&ranges);
        }
    }
}

/// How far was hinted: which pages of a level, and up to where in the file, in bytes.
#[derive(Default)]
struct Ahead {
    hinted: usize,
    until: u64,
}

fn leaf(leaf: &Node, visit: Visit<'_>) -> Result<(), Fault> {
    (0..leaf.len()).try_for_each(|at| visit(leaf.key(at), leaf.content(at)?))
}

/// The pages met so far, a bit each.
#[derive(Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    /// Pages past the last one are met here too, and refused when they are read.
    pub(super) fn mark(&mut self, page: u64) -> Result<(), Fault> {
        if page > super::LARGEST / 1024 {
            return Err(broken(format!("page {page}: past any db")));
        }
        let (word, bit) = (index(page / 64)?, 1 << (page % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if self.0[word] & bit != 0 {
            return Err(broken(format!("page {page}: reached twice")));
        }
        self.0[word] |= bit;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
