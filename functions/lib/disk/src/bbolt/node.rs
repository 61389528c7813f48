//! A page of a tree: a branch or a leaf, with its elements.

use std::ops::Range;

use super::Bucket;
use crate::fault::{Fault, broken};

/// Bytes before a page's elements: id (8), flags (2), count (2), overflow (4).
pub(super) const HEADER: usize = 16;
/// Bytes of an element, before the keys and values.
const ELEMENT: usize = 16;
/// Bytes of a bucket in its parent's value: root (8), sequence (8). An inline bucket's page follows.
const BUCKET: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
/// A leaf's element that is a bucket.
const IS_BUCKET: u32 = 1;

/// The longest inline bucket, in bytes: a quarter of the largest page (`inlineable` in `bucket.go`).
const LONGEST_INLINE: usize = 16 << 10;
/// The longest key, in bytes: bbolt's `MaxKeySize`.
const LONGEST_KEY: usize = 32 << 10;

/// What a leaf holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content<'n> {
    Value(&'n [u8]),
    Bucket(Bucket),
}

/// A page whose elements lie within it, each in a place of its own, and whose keys ascend.
#[derive(Debug)]
pub(super) struct Node {
    bytes: Vec<u8>,
    pub(super) is_leaf: bool,
    elements: Vec<Element>,
}

#[derive(Debug)]
struct Element {
    key: Range<usize>,
    /// Of a leaf.
    value: Range<usize>,
    is_bucket: bool,
    /// Of a branch.
    child: u64,
}

/// How many further pages belong to the page that begins so, which must call itself `id`.
pub(super) fn overflow(page: &[u8], id: u64) -> Result<u64, Fault> {
    let called = u64_at(page, 0);
    if called != id {
        return Err(broken(format!("calls itself {called}")));
    }
    Ok(u64::from(u32_at(page, 12)))
}

/// Whether the page that begins so says that it is a branch or a leaf.
pub(super) fn is_of_a_tree(page: &[u8]) -> bool {
    matches!(u16::from_le_bytes([page[8], page[9]]), BRANCH | LEAF)
}

impl Node {
    /// Checks and takes a page: bbolt itself would follow whatever it says.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        let (Some(flags), Some(count)) = (bytes.get(8..10), bytes.get(10..12)) else {
            return Err(broken("shorter than a page's header"));
        };
        let is_leaf = match u16::from_le_bytes([flags[0], flags[1]]) {
            LEAF => true,
            BRANCH => false,
            other => return Err(broken(format!("neither a branch nor a leaf but {other:#x}"))),
        };
        let count = usize::from(u16::from_le_bytes([count[0], count[1]]));
        let elements = (0..count).map(|at| element(&bytes, is_leaf, at));
        let elements: Vec<Element> =
            elements.collect::<Option<_>>().ok_or_else(|| broken("an element past the end of the page"))?;
        // bbolt writes them one after the other (`WriteInodeToPage`; before 1.4 `write` in `node.go`). Were they to share
        // bytes, a page could hold far more than its length.
        let length = |element: &Element| ELEMENT + element.value.end - element.key.start;
        if HEADER + elements.iter().map(length).sum::<usize>() > bytes.len() {
            return Err(broken("elements that overlap"));
        }
        if elements.iter().any(|element| element.key.len() > LONGEST_KEY) {
            return Err(broken("a key longer than bbolt takes"));
        }
        if elements.is_empty() && !is_leaf {
            return Err(broken("a branch without children"));
        }
        let node = Self { bytes, is_leaf, elements };
        if (1..node.len()).any(|at| node.key(at - 1) >= node.key(at)) {
            return Err(broken("keys out of order"));
        }
        Ok(node)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn key(&self, at: usize) -> &[u8] {
        &self.bytes[self.elements[at].key.clone()]
    }

    pub(super) fn child(&self, at: usize) -> u64 {
        self.elements[at].child
    }

    /// Of a branch, the child in which a key must be: the last one that does not begin after it.
    pub(super) fn child_for(&self, key: &[u8]) -> usize {
        self.elements.partition_point(|element| &self.bytes[element.key.clone()] <= key).saturating_sub(1)
    }

    /// Of a leaf, where a key is.
    pub(super) fn position(&self, key: &[u8]) -> Option<usize> {
        self.elements.binary_search_by(|element| self.bytes[element.key.clone()].cmp(key)).ok()
    }

    /// Of a leaf, what is under a key.
    pub(super) fn content(&self, at: usize) -> Result<Content<'_>, Fault> {
        let element = &self.elements[at];
        let value = &self.bytes[element.value.clone()];
        if !element.is_bucket {
            return Ok(Content::Value(value));
        }
        if value.len() < BUCKET {
            return Err(broken("a bucket shorter than its header"));
        }
        if value.len() > BUCKET + LONGEST_INLINE {
            return Err(Fault::Unsupported("an inline bucket longer than bbolt makes them".to_owned()));
        }
        Ok(Content::Bucket(match u64_at(value, 0) {
            0 => Bucket::Inline(value[BUCKET..].to_vec()),
            root => Bucket::Paged(root),
        }))
    }
}

/// An element, if all of it is within the page. Positions count from the element itself.
fn element(bytes: &[u8], is_leaf: bool, at: usize) -> Option<Element> {
    let from = HEADER + at * ELEMENT;
    let element = bytes.get(from..from + ELEMENT)?;
    let field = |at| usize::try_from(u32_at(element, at)).ok();
    let (position, key, value) = if is_leaf { (field(4)?, field(8)?, field(12)?) } else { (field(0)?, field(4)?, 0) };
    let key = from.checked_add(position)?..from.checked_add(position)?.checked_add(key)?;
    let value = key.end..key.end.checked_add(value)?;
    (value.end <= bytes.len()).then(|| Element {
        is_bucket: is_leaf && u32_at(element, 0) & IS_BUCKET != 0,
        child: u64_at(element, 8),
        key,
        value,
    })
}

/// The four bytes there, which the caller knows to be there.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The eight bytes there, likewise.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PAGE, Page, inline, value};
    use super::*;

    fn leaf(elements: Vec<super::super::testing::Element>) -> Vec<u8> {
        Page::Leaf(elements).bytes(3)
    }

    fn said(bytes: Vec<u8>) -> Option<Fault> {
        Node::parse(bytes).err()
    }

    #[test]
    fn elements_that_overlap_are_broken() {
        let mut page = leaf(vec![value(b"a", &[7; 100]), value(b"b", &[7; 100])]);
        assert_eq!(said(page.clone()), None, "full to the last byte");
        // The first value goes on over the second element.
        page[HEADER + 12] += 1;
        assert_eq!(said(page.clone()), Some(broken("elements that overlap")));
        page.resize(PAGE, 0);
        assert_eq!(said(page), None, "as far as the page is not full, nobody can tell");
        let branch = Page::Branch(vec![(b"ab".to_vec(), 4), (b"b".to_vec(), 5)]).bytes(3);
        assert_eq!(said(branch.clone()), None);
        // The second key is the end of the first one, and longer.
        let mut shared = branch;
        shared[HEADER + ELEMENT] -= 1;
        shared[HEADER + ELEMENT + 4] += 1;
        assert_eq!(said(shared), Some(broken("elements that overlap")));
    }

    #[test]
    fn a_key_is_as_long_as_bbolt_takes_it() {
        assert_eq!(said(leaf(vec![value(&[7; LONGEST_KEY], b"")])), None);
        let longer = leaf(vec![value(&[7; LONGEST_KEY + 1], b"")]);
        assert_eq!(said(longer), Some(broken("a key longer than bbolt takes")));
    }

    #[test]
    fn an_inline_bucket_is_as_long_as_bbolt_makes_it() {
        let bucket = |length: usize| {
            let page = leaf(vec![inline("b", vec![value(b"k", &vec![7; length - HEADER - ELEMENT - 1])])]);
            Node::parse(page).expect("sound").content(0).map(|_| ())
        };
        assert_eq!(bucket(LONGEST_INLINE), Ok(()));
        assert!(matches!(bucket(LONGEST_INLINE + 1), Err(Fault::Unsupported(_))));
    }
}
