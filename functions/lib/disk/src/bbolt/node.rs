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

/// What a leaf holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Value(Vec<u8>),
    Bucket(Bucket),
}

/// A page whose elements lie within it and whose keys ascend.
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

/// How many further pages belong to the page with this header, which must call itself `id`.
pub(super) fn overflow(header: &[u8; HEADER], id: u64) -> Result<u64, Fault> {
    let called = u64_at(header, 0);
    if called != id {
        return Err(broken(format!("calls itself {called}")));
    }
    Ok(u64::from(u32_at(header, 12)))
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
        if elements.is_empty() && !is_leaf {
            return Err(broken("a branch without children"));
        }
        let node = Self { bytes, is_leaf, elements };
        if (1..node.len()).any(|at| node.key(at - 1) >= node.key(at)) {
            return Err(broken("keys out of order"));
        }
        Ok(node)
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
    pub(super) fn content(&self, at: usize) -> Result<Content, Fault> {
        let element = &self.elements[at];
        let value = &self.bytes[element.value.clone()];
        if !element.is_bucket {
            return Ok(Content::Value(value.to_vec()));
        }
        if value.len() < BUCKET {
            return Err(broken("a bucket shorter than its header"));
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
