//! The pages of one level of a tree, and which keys each may have.

use super::node::Node;

/// Pages yet to visit. There can be millions: of each are kept its number, and its keys' bounds in one piece of memory.
#[derive(Default)]
pub(super) struct Level {
    pages: Vec<Page>,
    /// The bounds' bytes, one after the other, and where each ends.
    bounds: Vec<u8>,
    ends: Vec<u32>,
    /// The bound after which there is none: that of the last page of all.
    last: Option<u32>,
}

/// A page has keys from its bound on, and below the one after it.
#[derive(Clone, Copy)]
struct Page {
    id: u64,
    bound: u32,
}

/// A page to visit.
pub(super) struct Place<'l> {
    pub(super) page: u64,
    from: &'l [u8],
    pub(super) below: Option<&'l [u8]>,
}

impl Place<'_> {
    /// Whether a page's keys belong there.
    pub(super) fn has(&self, node: &Node) -> bool {
        let Some(last) = node.len().checked_sub(1) else { return true };
        node.key(0) >= self.from && self.below.is_none_or(|below| node.key(last) < below)
    }
}

impl Level {
    /// The root alone.
    pub(super) fn root(id: u64) -> Self {
        Self { pages: vec![Page { id, bound: 0 }], bounds: Vec::new(), ends: vec![0], last: Some(0) }
    }

    /// Adds a branch's children, all below that key.
    pub(super) fn add(&mut self, branch: &Node, below: Option<&[u8]>) {
        for at in 0..branch.len() {
            let bound = self.bound(branch.key(at));
            self.pages.push(Page { id: branch.child(at), bound });
        }
        match below {
            Some(below) => drop(self.bound(below)),
            None => self.last = self.pages.last().map(|page| page.bound),
        }
    }

    /// Keeps a bound: which one it is.
    fn bound(&mut self, key: &[u8]) -> u32 {
        self.bounds.extend_from_slice(key);
        // Far less than these can count is kept in memory.
        self.ends.push(u32::try_from(self.bounds.len()).unwrap_or(u32::MAX));
        u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX)
    }

    /// In the order of the file.
    pub(super) fn sort(&mut self) {
        self.pages.sort_unstable_by_key(|page| page.id);
    }

    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Bytes that it takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.pages.len() * size_of::<Page>() + self.bounds.len() + self.ends.len() * size_of::<u32>()
    }

    pub(super) fn page(&self, at: usize) -> u64 {
        self.pages[at].id
    }

    pub(super) fn place(&self, at: usize) -> Place<'_> {
        let Page { id, bound } = self.pages[at];
        let below = (self.last != Some(bound)).then(|| self.slice(bound + 1));
        Place { page: id, from: self.slice(bound), below }
    }

    fn slice(&self, bound: u32) -> &[u8] {
        let end = |bound: u32| self.ends[bound as usize] as usize;
        let from = bound.checked_sub(1).map_or(0, end);
        &self.bounds[from..end(bound)]
    }
}
