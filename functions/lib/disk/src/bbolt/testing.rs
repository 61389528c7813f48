//! Builds small dbs, byte by byte.

use super::meta::fnv;
use crate::protobuf::testing::{bytes, number};

/// Bytes of a page here.
pub(crate) const PAGE: usize = 4096;

/// A page's elements.
#[derive(Clone)]
pub(crate) enum Page {
    /// Keys and the pages under them.
    Branch(Vec<(Vec<u8>, u64)>),
    Leaf(Vec<Element>),
}

/// A leaf's element: flags, key, value.
pub(crate) type Element = (u32, Vec<u8>, Vec<u8>);

pub(crate) fn value(key: &[u8], value: &[u8]) -> Element {
    (0, key.to_vec(), value.to_vec())
}

pub(crate) fn bucket(name: &str, root: u64) -> Element {
    (1, name.as_bytes().to_vec(), [root.to_le_bytes(), [0; 8]].concat())
}

/// A bucket that lies within its parent.
pub(crate) fn inline(name: &str, elements: Vec<Element>) -> Element {
    let page = Page::Leaf(elements).bytes(0);
    (1, name.as_bytes().to_vec(), [vec![0; 16], page].concat())
}

/// A revision's key, as etcd's `mvcc` writes it.
pub(crate) fn revision(main: u64, sub: u64) -> Vec<u8> {
    [&main.to_be_bytes()[..], b"_", &sub.to_be_bytes()].concat()
}

/// A key and its value, as `mvcc` writes them.
fn key_value() -> Vec<u8> {
    [bytes(1, b"k"), number(2, 1), number(3, 1), number(4, 1), bytes(5, b"v")].concat()
}

impl Page {
    pub(super) fn bytes(&self, id: u64) -> Vec<u8> {
        let elements: Vec<Element> = match self {
            Self::Leaf(elements) => elements.clone(),
            Self::Branch(children) => children.iter().map(|(key, _)| (0, key.clone(), Vec::new())).collect(),
        };
        let number = |n: usize| u32::try_from(n).expect("small").to_le_bytes();
        let (mut heads, mut data) = (Vec::new(), Vec::new());
        for (at, (flags, key, value)) in elements.iter().enumerate() {
            let position = number((elements.len() - at) * 16 + data.len());
            match self {
                Self::Leaf(_) => {
                    heads.extend([flags.to_le_bytes(), position, number(key.len()), number(value.len())].concat());
                }
                Self::Branch(children) => {
                    heads.extend([position, number(key.len())].concat());
                    heads.extend(children[at].1.to_le_bytes());
                }
            }
            data.extend([&key[..], value].concat());
        }
        let flags: u16 = if matches!(self, Self::Leaf(_)) { 2 } else { 1 };
        let mut page = id.to_le_bytes().to_vec();
        page.extend(flags.to_le_bytes());
        page.extend(u16::try_from(elements.len()).expect("few").to_le_bytes());
        page.extend([0; 4]);
        page.extend([heads, data].concat());
        page
    }
}

/// A db: two metas, then the pages given.
#[derive(Clone)]
pub(crate) struct DbFile {
    pages: Vec<Page>,
    /// Root and transaction of each meta.
    metas: [(u64, u64); 2],
}

impl DbFile {
    /// Pages from 2 on. Meta 0 is the newer one.
    pub(crate) fn new(pages: &[Page], root: u64) -> Self {
        Self { pages: pages.to_vec(), metas: [(root, 10), (root, 9)] }
    }

    /// What etcd 3.4 writes, with one member, revision 4 and index 9.
    pub(crate) fn etcd() -> Self {
        Self::etcd_at(4, 9)
    }

    pub(crate) fn etcd_at(main: u64, consistent_index: u64) -> Self {
        Self::etcd_with("3.4.0", main, vec![value(b"consistent_index", &consistent_index.to_be_bytes())])
    }

    /// What etcd 3.5 writes, with that in `meta` besides.
    pub(crate) fn etcd_3_5(consistent_index: u64, conf_state: &str, term: &[u8]) -> Self {
        Self::etcd_with("3.5.0", 7, Self::raft(consistent_index, conf_state, term))
    }

    /// What a 3.4 writes to a db that was a 3.5's: the new keys stay as they were.
    pub(crate) fn etcd_3_4_after_3_5(consistent_index: u64, conf_state: &str, term: &[u8]) -> Self {
        Self::etcd_with("3.4.0", 7, Self::raft(consistent_index, conf_state, term))
    }

    /// What an etcd of that version writes, at that revision.
    pub(crate) fn etcd_of(version: &str, main: u64, consistent_index: u64) -> Self {
        Self::etcd_with(version, main, vec![value(b"consistent_index", &consistent_index.to_be_bytes())])
    }

    /// A db of the cluster's version, the db's own if it has one, and these keys in buckets.
    pub(crate) fn of_versions(version: &str, of_db: Option<&str>) -> Self {
        let mut meta = vec![value(b"consistent_index", &8_u64.to_be_bytes())];
        meta.extend(of_db.map(|version| value(b"storageVersion", version.as_bytes())));
        Self::etcd_with(version, 7, meta)
    }

    /// Its last key is of revision 7; it was to be compacted up to one revision, and was up to another.
    pub(crate) fn compacted(scheduled: u64, finished: u64) -> Self {
        let meta = vec![
            value(b"consistent_index", &12_u64.to_be_bytes()),
            value(b"finishedCompactRev", &revision(finished, 0)),
            value(b"scheduledCompactRev", &revision(scheduled, 0)),
        ];
        Self::etcd_with("3.4.0", 7, meta)
    }

    /// Sound, and its `members` larger than they are read.
    pub(crate) fn of_many_members(consistent_index: u64) -> Self {
        let meta = inline("meta", vec![value(b"consistent_index", &consistent_index.to_be_bytes())]);
        let root = Page::Leaf(vec![bucket("key", 3), bucket("members", 4), meta]);
        let key = Page::Leaf(vec![value(&revision(7, 0), b"kv")]);
        let branch = Page::Branch((0..200).map(|at| (vec![at], 5 + u64::from(at))).collect());
        let leaves = (0..200).map(|at| Page::Leaf(vec![value(&[at], &[7; 4000])]));
        let pages: Vec<Page> = [root, key, branch].into_iter().chain(leaves).collect();
        Self::new(&pages, 2)
    }

    fn raft(consistent_index: u64, conf_state: &str, term: &[u8]) -> Vec<Element> {
        let consistent_index = value(b"consistent_index", &consistent_index.to_be_bytes());
        vec![value(b"confState", conf_state.as_bytes()), consistent_index, value(b"term", term)]
    }

    /// With this in place of the bucket of that name, at the top.
    pub(crate) fn with_bucket(&self, name: &str, elements: Vec<Element>) -> Self {
        let mut other = self.clone();
        let Page::Leaf(root) = &mut other.pages[0] else { panic!("the root is a leaf") };
        root.retain(|(_, key, _)| key != name.as_bytes());
        root.push(inline(name, elements));
        root.sort_by(|a, b| a.1.cmp(&b.1));
        other
    }

    fn etcd_with(version: &str, main: u64, meta: Vec<Element>) -> Self {
        let member = br#"{"id":10501334649042878790,"peerURLs":["http://localhost:2380"],"name":"a"}"#;
        let root = Page::Leaf(vec![
            inline("cluster", vec![value(b"clusterVersion", version.as_bytes())]),
            bucket("key", 3),
            inline("members", vec![value(b"91bc3c398fb3c146", member)]),
            inline("meta", meta),
        ]);
        let branch = Page::Branch(vec![(revision(1, 0), 4), (revision(3, 0), 5)]);
        let leaf = |keys: [u64; 2]| Page::Leaf(keys.map(|main| value(&revision(main, 0), &key_value())).into());
        let (first, second) = (leaf([1, 2]), leaf([3, main]));
        Self::new(&[root, branch, first, second], 2)
    }

    /// The root's page.
    pub(crate) fn root(&self) -> usize {
        usize::try_from(self.metas[0].0).expect("small")
    }

    /// With another transaction and root in one meta.
    pub(crate) fn with_root_of(&self, meta: usize, root_above: u64, txid: u64) -> Self {
        let mut other = self.clone();
        other.metas[meta] = (self.metas[meta].0 + root_above, txid);
        other
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        for (id, (root, txid)) in self.metas.into_iter().enumerate() {
            let mut meta: Vec<u8> = [0xED0C_DAED_u32, 2, 4096, 0].into_iter().flat_map(u32::to_le_bytes).collect();
            let high_water = 2 + self.pages.len() as u64;
            meta.extend([root, 0, u64::MAX, high_water, txid].into_iter().flat_map(u64::to_le_bytes));
            meta.extend(fnv(&meta).to_le_bytes());
            let header = [&(id as u64).to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 0, 0]].concat();
            file.extend([header, meta].concat());
            file.resize((id + 1) * PAGE, 0);
        }
        for (at, page) in self.pages.iter().enumerate() {
            file.extend(page.bytes(2 + at as u64));
            file.resize((3 + at) * PAGE, 0);
        }
        file
    }
}
