//! What is kept of the pages that have passed.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::bbolt::meta::Meta;
use crate::bbolt::node::{Content, Node};
use crate::fault::{Fault, broken, index};
use crate::files::File;
use crate::store::{self, SHORTEST_REVISION};

/// The most bytes of whole pages. Branches are a hundredth of a db, and what is beside etcd's keys is small.
const MOST_WHOLE: usize = 96 << 20;
/// The most leaves of keys: those of a db of 8 GB.
const MOST_LEAVES: usize = 2 << 20;
/// The most pages that are broken by themselves. Freed ones may be; more than a few are no db of etcd's.
const MOST_BROKEN: usize = 4096;

/// The pages that have passed, as far as the tree's walk needs them.
#[derive(Default)]
pub(super) struct Kept {
    whole: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    /// In ascending order, but for those with overflow.
    leaves: Vec<Leaf>,
    broken: BTreeMap<u64, Fault>,
}

/// A leaf of etcd's keys, which are revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    page: u64,
    pub(super) first: Revision,
    pub(super) last: Revision,
}

/// The bytes of a revision's key: 17, and one more of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revision {
    bytes: [u8; SHORTEST_REVISION + 1],
    is_longer: bool,
}

/// A page as the tree meets it.
pub(super) enum Met {
    Node(Node),
    Leaf(Leaf),
}

impl Revision {
    fn of(key: &[u8]) -> Self {
        let mut bytes = [0; SHORTEST_REVISION + 1];
        let length = key.len().min(bytes.len());
        bytes[..length].copy_from_slice(&key[..length]);
        Self { bytes, is_longer: length > SHORTEST_REVISION }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.bytes[..SHORTEST_REVISION + usize::from(self.is_longer)]
    }
}

impl Kept {
    /// Keeps a page whole.
    pub(super) fn whole(&mut self, page: u64, bytes: Vec<u8>) -> Result<(), Fault> {
        self.bytes += bytes.len();
        if self.bytes > MOST_WHOLE {
            return Err(Fault::Unsupported(format!("more than {MOST_WHOLE} bytes of pages beside etcd's keys")));
        }
        self.whole.insert(page, bytes);
        Ok(())
    }

    /// Keeps what the walk needs of a page whose form is sound.
    pub(super) fn node(&mut self, page: u64, node: Node) -> Result<(), Fault> {
        let last = node.len().checked_sub(1).filter(|_| node.is_leaf);
        let Some(last) = last.filter(|last| store::is_revision(node.key(0)) && store::is_revision(node.key(*last)))
        else {
            return self.whole(page, node.into_bytes());
        };
        if let Err(fault) = keys(&node) {
            return self.broken(page, fault);
        }
        if self.leaves.len() >= MOST_LEAVES {
            return Err(Fault::Unsupported(format!("more than {MOST_LEAVES} pages of keys")));
        }
        self.leaves.push(Leaf { page, first: Revision::of(node.key(0)), last: Revision::of(node.key(last)) });
        Ok(())
    }

    /// Notes that a page is broken: that counts where the tree leads to it.
    pub(super) fn broken(&mut self, page: u64, fault: Fault) -> Result<(), Fault> {
        if self.broken.len() >= MOST_BROKEN {
            return Err(Fault::Unsupported(format!("more than {MOST_BROKEN} pages that are broken")));
        }
        self.broken.insert(page, fault);
        Ok(())
    }

    /// The page that the tree leads to.
    pub(super) fn met(&self, page: u64) -> Result<Met, Fault> {
        if let Some(fault) = self.broken.get(&page) {
            return Err(fault.clone());
        }
        if let Some(bytes) = self.whole.get(&page).filter(|_| page >= 2) {
            return Node::parse(bytes.clone()).map(Met::Node);
        }
        match self.leaves.binary_search_by_key(&page, |leaf| leaf.page) {
            Ok(at) => Ok(Met::Leaf(self.leaves[at])),
            Err(_) => Err(broken("no branch or leaf that calls itself so")),
        }
    }

    /// Before the tree is walked.
    pub(super) fn sort(&mut self) {
        self.leaves.sort_unstable_by_key(|leaf| leaf.page);
    }

    /// What is kept, as a file.
    pub(super) fn file(&self, meta: &Meta) -> KeptFile<'_> {
        KeptFile { kept: self, page_size: meta.page_size, size: meta.page_size * meta.high_water }
    }
}

/// Every key and value of a leaf of etcd's keys.
pub(super) fn keys(leaf: &Node) -> Result<(), Fault> {
    (0..leaf.len()).try_for_each(|at| match leaf.content(at)? {
        Content::Value(value) => store::check_key(leaf.key(at), value),
        Content::Bucket(_) => Err(Fault::Unsupported("a bucket within a bucket: etcd has none".to_owned())),
    })
}

/// The pages that are kept whole, where they were.
pub(super) struct KeptFile<'k> {
    kept: &'k Kept,
    page_size: u64,
    size: u64,
}

impl File for KeptFile<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let page = offset / self.page_size;
        let (head, bytes) = self.kept.whole.range(..=page).next_back().ok_or_else(|| broken("not kept"))?;
        let from = index(offset - head * self.page_size)?;
        let bytes = from.checked_add(into.len()).and_then(|end| bytes.get(from..end));
        into.copy_from_slice(bytes.ok_or_else(|| broken("not kept"))?);
        Ok(())
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}
