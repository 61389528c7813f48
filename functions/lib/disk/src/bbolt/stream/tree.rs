//! The tree over the pages that have passed: each reached once, with the keys that belong there.

use super::kept::{Kept, Met};
use crate::bbolt::deep::{MOST_BUCKETS, Seen};
use crate::bbolt::meta::Meta;
use crate::bbolt::node::{Content, Node};
use crate::bbolt::{Bucket, DEEPEST};
use crate::fault::{Fault, broken};

/// etcd's bucket of keys.
const KEYS: &str = "key";

/// What the walk has found.
#[derive(Default)]
pub(super) struct Tree {
    /// The last key of `key`.
    pub(super) last_revision: Option<Vec<u8>>,
}

/// Where in the tree a page is, and which keys it may have: from the first bound on, below the second.
#[derive(Clone, Copy)]
struct Place<'b> {
    page: u64,
    from: &'b [u8],
    below: Option<&'b [u8]>,
    depth: usize,
}

struct Walk<'k> {
    kept: &'k Kept,
    pages: u64,
    seen: Seen,
}

/// What is done with each leaf.
type Visit<'v> = &'v mut dyn FnMut(&Met) -> Result<(), Fault>;

/// Walks every bucket.
pub(super) fn walk(kept: &Kept, meta: &Meta) -> Result<Tree, Fault> {
    let mut walk = Walk { kept, pages: meta.high_water, seen: Seen::default() };
    let mut buckets = Vec::new();
    walk.bucket(meta.root, &mut |leaf| {
        let Met::Node(node) = leaf else { return Err(broken("keys of etcd's among the names of buckets")) };
        for at in 0..node.len() {
            if let Content::Bucket(bucket) = node.content(at)? {
                buckets.push((String::from_utf8_lossy(node.key(at)).into_owned(), bucket));
            }
        }
        let is_etcd = buckets.len() <= MOST_BUCKETS;
        if is_etcd { Ok(()) } else { Err(Fault::Unsupported(format!("more than {MOST_BUCKETS} buckets"))) }
    })?;
    let mut tree = Tree::default();
    for (name, bucket) in buckets {
        let mut visit = |leaf: &Met| if name == KEYS { tree.keys(leaf) } else { values(leaf) };
        let walked = match bucket {
            Bucket::Paged(root) => walk.bucket(root, &mut visit),
            Bucket::Inline(bytes) => Node::parse(bytes).and_then(|node| visit(&Met::Node(node))),
        };
        walked.map_err(|fault| fault.within(&format!("bucket {name}")))?;
    }
    Ok(tree)
}

impl Tree {
    /// Leaves come in the order of their keys.
    fn keys(&mut self, leaf: &Met) -> Result<(), Fault> {
        match leaf {
            Met::Leaf(leaf) => self.last_revision = Some(leaf.last.key().to_vec()),
            Met::Node(node) => {
                super::kept::keys(node)?;
                self.last_revision =
                    node.len().checked_sub(1).map(|last| node.key(last).to_vec()).or(self.last_revision.take());
            }
        }
        Ok(())
    }
}

fn values(leaf: &Met) -> Result<(), Fault> {
    let Met::Node(node) = leaf else { return Ok(()) };
    (0..node.len()).try_for_each(|at| match node.content(at)? {
        Content::Value(_) => Ok(()),
        Content::Bucket(_) => Err(Fault::Unsupported("a bucket within a bucket: etcd has none".to_owned())),
    })
}

impl Walk<'_> {
    fn bucket(&mut self, root: u64, visit: Visit<'_>) -> Result<(), Fault> {
        self.page(Place { page: root, from: &[], below: None, depth: 0 }, visit)
    }

    fn page(&mut self, place: Place<'_>, visit: Visit<'_>) -> Result<(), Fault> {
        let Place { page, from, below, depth } = place;
        let within = |fault: Fault| fault.within(&format!("page {page}"));
        if depth > DEEPEST {
            return Err(broken(format!("a tree deeper than {DEEPEST} pages")));
        }
        if !(2..self.pages).contains(&page) {
            return Err(within(broken(format!("not one of the {} pages", self.pages))));
        }
        self.seen.mark(page)?;
        let met = self.kept.met(page).map_err(within)?;
        let bounds = match &met {
            Met::Leaf(leaf) => Some((leaf.first.key(), leaf.last.key())),
            Met::Node(node) => node.len().checked_sub(1).map(|last| (node.key(0), node.key(last))),
        };
        if bounds.is_some_and(|(first, last)| first < from || below.is_some_and(|below| last >= below)) {
            return Err(within(broken("keys that belong elsewhere in the tree")));
        }
        let Met::Node(branch) = &met else { return visit(&met).map_err(within) };
        if branch.is_leaf {
            return visit(&met).map_err(within);
        }
        for at in 0..branch.len() {
            let below = if at + 1 < branch.len() { Some(branch.key(at + 1)) } else { below };
            self.page(Place { page: branch.child(at), from: branch.key(at), below, depth: depth + 1 }, visit)?;
        }
        Ok(())
    }
}
