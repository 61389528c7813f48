//! Every page of a bucket, in the order of its keys.

use std::ops::Range;

use super::node::{Content, Node};
use super::{Bucket, DEEPEST, Db};
use crate::fault::{Fault, broken, index};

/// What is called with each key of a bucket and what is under it.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&[u8], Content<'_>) -> Result<(), Fault>;

/// What is called with the name of a bucket, each of its keys, and the value.
pub(crate) type VisitKey<'v> = &'v mut dyn FnMut(&str, &[u8], &[u8]) -> Result<(), Fault>;

/// The most buckets at the top. etcd has a dozen.
const MOST_BUCKETS: usize = 64;
/// The most that the pages yet to visit may take in memory, in bytes: those of all branches above one page. etcd's keys
/// have some dozens of bytes, and a branch fills a page, or holds few keys (`split` in `node.go`).
const MOST_PENDING: usize = 32 << 20;

/// A page to visit, and the keys it may have: from the first on, and below the second.
struct Pending {
    page: u64,
    depth: usize,
    from: Vec<u8>,
    below: Option<Vec<u8>>,
}

impl Pending {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.from.len() + self.below.as_ref().map_or(0, Vec::len)
    }
}

/// The pages yet to visit, the next one last.
#[derive(Default)]
struct Stack {
    pages: Vec<Pending>,
    weight: usize,
}

impl Stack {
    fn push(&mut self, page: Pending) -> Result<(), Fault> {
        self.weight += page.weight();
        if self.weight > MOST_PENDING {
            return Err(Fault::Unsupported("branches of more keys than are kept in memory".to_owned()));
        }
        self.pages.push(page);
        Ok(())
    }

    fn pop(&mut self) -> Option<Pending> {
        let page = self.pages.pop()?;
        self.weight -= page.weight();
        Some(page)
    }
}

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
        let mut pending = Stack::default();
        match bucket {
            Bucket::Paged(page) => pending.push(Pending { page: *page, depth: 0, from: Vec::new(), below: None })?,
            Bucket::Inline(_) => leaf(&self.load(bucket)?, visit)?,
        }
        while let Some(next) = pending.pop() {
            seen.mark(next.page)?;
            let node = self.page(next.page)?;
            let place = |fault: Fault| fault.within(&format!("page {}", next.page));
            in_order(&node, &next).map_err(place)?;
            if node.is_leaf {
                leaf(&node, visit).map_err(place)?;
            } else {
                self.children(&node, &next, &mut pending).map_err(place)?;
            }
        }
        Ok(())
    }

    /// The children of a branch, pushed in reverse: the last one pushed is the next one visited.
    fn children(&self, branch: &Node, of: &Pending, pending: &mut Stack) -> Result<(), Fault> {
        if of.depth == DEEPEST {
            return Err(broken(format!("a tree deeper than {DEEPEST} pages")));
        }
        for at in (0..branch.len()).rev() {
            let next = at + 1;
            let below = if next < branch.len() { Some(branch.key(next).to_vec()) } else { of.below.clone() };
            let from = branch.key(at).to_vec();
            pending.push(Pending { page: branch.child(at), depth: of.depth + 1, from, below })?;
        }
        self.file.prefetch(&self.together((0..branch.len()).map(|at| branch.child(at))));
        Ok(())
    }

    /// The bytes of these pages, neighbours joined.
    fn together(&self, pages: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
        let mut pages: Vec<u64> = pages.filter(|page| *page < self.meta.high_water).collect();
        pages.sort_unstable();
        let size = self.meta.page_size;
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for page in pages {
            match ranges.last_mut() {
                Some(last) if last.end >= page * size => last.end = (page + 1) * size,
                _ => ranges.push(page * size..(page + 1) * size),
            }
        }
        ranges
    }
}

fn in_order(node: &Node, place: &Pending) -> Result<(), Fault> {
    let Some(last) = node.len().checked_sub(1) else { return Ok(()) };
    let too_late = place.below.as_ref().is_some_and(|below| node.key(last) >= below.as_slice());
    if node.key(0) < place.from.as_slice() || too_late {
        return Err(broken("keys that belong elsewhere in the tree"));
    }
    Ok(())
}

fn leaf(leaf: &Node, visit: Visit<'_>) -> Result<(), Fault> {
    (0..leaf.len()).try_for_each(|at| visit(leaf.key(at), leaf.content(at)?))
}

/// The pages met so far, a bit each.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// Pages past the last one are met here too, and refused when they are read.
    fn mark(&mut self, page: u64) -> Result<(), Fault> {
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
mod tests {
    use super::super::testing::{DbFile, PAGE, Page, bucket, inline, value};
    use super::*;
    use crate::tests::Held;

    fn keys(file: &DbFile) -> Result<Vec<(String, u8)>, Fault> {
        let held = Held(file.bytes());
        let mut keys = Vec::new();
        Db::open(&held)?.every_key(&mut |bucket, key, _| {
            keys.push((bucket.to_owned(), key[key.len() - 1]));
            Ok(())
        })?;
        Ok(keys)
    }

    /// A bucket `b` whose root, page 3, is a branch of the pages 4 and 5.
    fn two_leaves(branch: [(u8, u64); 2], first: &[u8], second: &[u8]) -> DbFile {
        let leaf = |keys: &[u8]| Page::Leaf(keys.iter().map(|key| value(&[*key], b"v")).collect());
        let root = Page::Leaf(vec![bucket("b", 3)]);
        let branch = Page::Branch(branch.iter().map(|(key, page)| (vec![*key], *page)).collect());
        DbFile::new(&[root, branch, leaf(first), leaf(second)], 2)
    }

    #[test]
    fn every_key_is_met_in_order() {
        let found = keys(&two_leaves([(1, 4), (5, 5)], &[1, 2], &[5, 6])).expect("sound");
        let expected: Vec<(String, u8)> = [1, 2, 5, 6].map(|key| ("b".to_owned(), key)).into();
        assert_eq!(found, expected);
    }

    #[test]
    fn more_buckets_than_any_etcd_has_are_not_read() {
        let read = |count: usize| {
            let names = (0..count).map(|at| inline(&format!("{at:03}"), Vec::new()));
            keys(&DbFile::new(&[Page::Leaf(names.collect())], 2))
        };
        assert_eq!(read(MOST_BUCKETS), Ok(Vec::new()));
        assert!(matches!(read(MOST_BUCKETS + 1), Err(Fault::Unsupported(_))));
    }

    #[test]
    fn a_page_in_the_wrong_place_is_found() {
        for (file, words) in [
            (two_leaves([(1, 4), (5, 4)], &[1, 2], &[5, 6]), "reached twice"),
            (two_leaves([(1, 4), (5, 3)], &[1, 2], &[5, 6]), "reached twice"),
            (two_leaves([(1, 4), (5, 5)], &[1, 5], &[5, 6]), "belong elsewhere"),
            (two_leaves([(1, 4), (5, 5)], &[0, 2], &[5, 6]), "belong elsewhere"),
            (two_leaves([(1, 4), (5, u64::MAX)], &[1], &[5]), "past any db"),
            (two_leaves([(1, 4), (5, 99)], &[1], &[5]), "not one of the"),
        ] {
            let fault = keys(&file).expect_err(words).to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn what_waits_to_be_visited_has_a_bound() {
        let page = |length: usize| Pending { page: 2, depth: 0, from: vec![0; length], below: Some(vec![0; length]) };
        let mut stack = Stack::default();
        for _ in 0..3 {
            stack.push(page(MOST_PENDING / 4)).expect("what was visited makes room again");
            assert!(stack.pop().is_some());
        }
        stack.push(page(MOST_PENDING / 4)).expect("half of it");
        assert!(matches!(stack.push(page(MOST_PENDING / 4)), Err(Fault::Unsupported(_))));
    }

    #[test]
    fn a_zeroed_leaf_is_found() {
        let file = two_leaves([(1, 4), (5, 5)], &[1, 2], &[5, 6]);
        let mut bytes = file.bytes();
        bytes[4 * PAGE..5 * PAGE].fill(0);
        let held = Held(bytes);
        let fault = Db::open(&held).expect("metas").every_key(&mut |_, _, _| Ok(())).expect_err("zeroed");
        assert_eq!(fault.to_string(), "bucket b: page 4: calls itself 0");
    }
}
