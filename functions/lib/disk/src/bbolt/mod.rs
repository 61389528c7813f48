//! bbolt, etcd's store: a file of pages, a B+tree for each bucket.
//!
//! The format is bbolt's `internal/common` (before 1.4: `page.go`, `bucket.go`, `db.go`), little-endian. Pages have no
//! checksum, only the two metas do: a changed byte inside a value cannot be seen by anybody.

mod deep;
mod level;
mod meta;
mod node;
mod stream;
#[cfg(test)]
pub(crate) mod testing;

use crate::fault::{Fault, broken, index};
use crate::files::File;
use meta::Meta;
use node::{Content, Node};
pub(crate) use stream::Stream;

/// The largest db that is read, in bytes. etcd itself suggests at most 8 GiB.
const LARGEST: u64 = 256 << 30;
/// The longest page with its overflow, in bytes. A value of etcd fits one request: 1.5 MiB, unless told otherwise
/// (`--max-request-bytes`), and etcd warns of more than 10. The list of free pages may be longer, and is not read.
const LONGEST_PAGE: u64 = 32 << 20;
/// The deepest tree. Each level has some dozens of times more pages than the one above.
const DEEPEST: usize = 32;
/// The longest value that is read, in bytes, and the most of a bucket that is read whole: numbers, a version, a few members.
const LONGEST_VALUE: usize = 64 << 10;
const MOST_OF_A_BUCKET: usize = 512 << 10;

/// An open db.
pub(crate) struct Db<'a> {
    file: &'a dyn File,
    meta: Meta,
    /// What is wrong with the meta that is not used.
    pub(crate) weakness: Option<String>,
}

/// A bucket, by where its root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// A page.
    Paged(u64),
    /// Small enough to lie within its parent's value.
    Inline(Vec<u8>),
}

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

impl<'a> Db<'a> {
    /// Opens a db by the newest valid meta, as bbolt does (`db.meta`).
    pub(crate) fn open(file: &'a dyn File) -> Result<Self, Fault> {
        if file.size() > LARGEST {
            return Err(Fault::Unsupported(format!("{} bytes, larger than are read", file.size())));
        }
        let (meta, weakness) = meta::newest(file)?;
        let needed = meta.high_water.checked_mul(meta.page_size);
        if needed.is_none_or(|needed| needed > file.size()) {
            let (pages, size) = (meta.high_water, file.size());
            return Err(broken(format!("{size} bytes, shorter than its {pages} pages of {}", meta.page_size)));
        }
        Ok(Self { file, meta, weakness })
    }

    /// The length of its pages in bytes, up to the last one that was ever used.
    pub(crate) fn bytes(&self) -> u64 {
        self.meta.high_water * self.meta.page_size
    }

    /// A bucket by its name, at the top.
    pub(crate) fn bucket(&self, name: &str) -> Result<Option<Bucket>, Fault> {
        self.find(&self.root(), name.as_bytes(), |found| match found {
            Content::Bucket(bucket) => Ok(bucket),
            Content::Value(_) => Err(broken(format!("{name} is a value, not a bucket"))),
        })
    }

    /// A value by its key.
    pub(crate) fn get(&self, bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.find(bucket, key.as_bytes(), |found| match found {
            Content::Value(value) if value.len() > LONGEST_VALUE => {
                Err(Fault::Unsupported(format!("{key}: {} bytes, longer than are read", value.len())))
            }
            Content::Value(value) => Ok(value.to_vec()),
            Content::Bucket(_) => Err(broken(format!("{key} is a bucket, not a value"))),
        })
    }

    /// A bucket's last key.
    pub(crate) fn last_key(&self, bucket: &Bucket) -> Result<Option<Vec<u8>>, Fault> {
        let leaf = self.descend(bucket, |branch| branch.len() - 1)?;
        Ok(leaf.len().checked_sub(1).map(|last| leaf.key(last).to_vec()))
    }

    /// All values of a small bucket, by their keys.
    pub(crate) fn entries(&self, bucket: &Bucket) -> Result<Vec<Pair>, Fault> {
        let (mut entries, mut total) = (Vec::new(), 0);
        self.walk(bucket, &mut |key, content| {
            let Content::Value(value) = content else { return Ok(()) };
            total += size_of::<Pair>() + key.len() + value.len();
            if total > MOST_OF_A_BUCKET {
                return Err(Fault::Unsupported(format!("a bucket of more than {MOST_OF_A_BUCKET} bytes")));
            }
            entries.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        Ok(entries)
    }

    fn root(&self) -> Bucket {
        Bucket::Paged(self.meta.root)
    }

    fn find<T>(
        &self,
        bucket: &Bucket,
        key: &[u8],
        take: impl Fn(Content<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let leaf = self.descend(bucket, |branch| branch.child_for(key))?;
        leaf.position(key).map(|at| take(leaf.content(at)?)).transpose()
    }

    /// Goes from a bucket's root to a leaf, by the child that `choose` takes of each branch.
    fn descend(&self, bucket: &Bucket, choose: impl Fn(&Node) -> usize) -> Result<Node, Fault> {
        let mut node = self.load(bucket)?;
        for _ in 0..DEEPEST {
            if node.is_leaf {
                return Ok(node);
            }
            node = self.page(node.child(choose(&node)))?;
        }
        Err(broken(format!("a tree deeper than {DEEPEST} pages")))
    }

    /// A bucket's root.
    fn load(&self, bucket: &Bucket) -> Result<Node, Fault> {
        match bucket {
            Bucket::Paged(page) => self.page(*page),
            Bucket::Inline(bytes) => Node::parse(bytes.clone()).map_err(|fault| fault.within("an inline bucket")),
        }
    }

    /// A page of a tree, with its overflow, every element checked.
    fn page(&self, id: u64) -> Result<Node, Fault> {
        let place = |fault: Fault| fault.within(&format!("page {id}"));
        let pages = self.meta.high_water;
        if !(2..pages).contains(&id) {
            return Err(broken(format!("page {id}: not one of the {pages} pages")));
        }
        let size = self.meta.page_size;
        let mut bytes = vec![0; index(size)?];
        self.file.read_at(id * size, &mut bytes).map_err(place)?;
        let overflow = node::overflow(&bytes, id).map_err(place)?;
        if id + overflow >= pages {
            return Err(place(broken(format!("{overflow} pages of overflow, past the last page"))));
        }
        let length = (1 + overflow) * size;
        if length > LONGEST_PAGE {
            return Err(place(Fault::Unsupported(format!("{length} bytes long, longer than are read"))));
        }
        if overflow > 0 {
            bytes.resize(index(length)?, 0);
            self.file.read_at((id + 1) * size, &mut bytes[index(size)?..]).map_err(place)?;
        }
        Node::parse(bytes).map_err(place)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{DbFile, PAGE, Page, bucket, value};
    use super::*;
    use crate::tests::Held;

    fn members(file: &[u8]) -> Result<Vec<Pair>, Fault> {
        let held = Held(file.to_vec());
        let db = Db::open(&held)?;
        let bucket = db.bucket("members")?.expect("a bucket");
        db.entries(&bucket)
    }

    #[test]
    fn a_tree_is_walked_to_its_keys() {
        let file = DbFile::etcd().bytes();
        let held = Held(file.clone());
        let db = Db::open(&held).expect("sound");
        assert_eq!(db.weakness, None);
        let keys = db.bucket("key").expect("sound").expect("a bucket");
        assert_eq!(db.last_key(&keys).expect("sound").expect("a key")[..8], 4u64.to_be_bytes());
        let meta = db.bucket("meta").expect("sound").expect("a bucket");
        assert_eq!(db.get(&meta, "consistent_index"), Ok(Some(9u64.to_be_bytes().to_vec())));
        assert_eq!(db.get(&meta, "term"), Ok(None));
        assert_eq!(db.bucket("nothing"), Ok(None));
        assert_eq!(members(&file).expect("sound").len(), 1);
    }

    #[test]
    fn one_bad_meta_is_a_weakness_two_are_the_end() {
        let mut file = DbFile::etcd().bytes();
        file[PAGE + 40] ^= 1;
        let held = Held(file.clone());
        let db = Db::open(&held).expect("the other is used");
        assert_eq!(db.weakness.as_deref(), Some("meta page 1: its checksum is wrong"));
        file[16] ^= 1;
        assert_eq!(members(&file), Err(broken("both meta pages are bad (0: no magic; 1: not found)")));
    }

    #[test]
    fn a_meta_of_another_version_is_not_a_broken_one() {
        let mut file = DbFile::etcd().bytes();
        file[PAGE + 20] = 3;
        let held = Held(file.clone());
        assert!(Db::open(&held).is_ok_and(|db| db.weakness.is_some()), "with a wrong checksum it is a broken one");
        let checksum = meta::fnv(&file[PAGE + 16..PAGE + 72]);
        file[PAGE + 72..PAGE + 80].copy_from_slice(&checksum.to_le_bytes());
        let told = Fault::Unsupported("bbolt's version 3: what is known here is 2".to_owned());
        assert_eq!(members(&file), Err(told));
    }

    #[test]
    fn the_newest_meta_is_taken() {
        let file = DbFile::etcd();
        let older = file.with_root_of(1, 90, 1).bytes();
        assert!(members(&older).is_ok(), "meta 1 is older and its root wrong");
        let newer = file.with_root_of(1, 90, 99).bytes();
        assert!(members(&newer).is_err(), "meta 1 is newer and its root wrong");
    }

    #[test]
    fn a_file_shorter_than_its_pages_is_broken() {
        let mut file = DbFile::etcd().bytes();
        file.truncate(file.len() - 1);
        let fault = members(&file).expect_err("too short").to_string();
        assert!(fault.contains("shorter than its"), "{fault}");
    }

    #[test]
    fn a_page_that_is_not_itself_is_broken() {
        let root = DbFile::etcd().root();
        for (change, words) in [(0, "calls itself"), (8, "neither a branch nor a leaf"), (12, "past the last page")] {
            let mut file = DbFile::etcd().bytes();
            file[root * PAGE + change] ^= 0x40;
            let fault = members(&file).expect_err("broken").to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn keys_out_of_order_are_broken() {
        let leaf = |keys: [&[u8]; 2]| DbFile::new(&[Page::Leaf(keys.map(|key| value(key, b"")).into())], 2).bytes();
        let opened = |file: Vec<u8>| Db::open(&Held(file))?.bucket("none");
        assert_eq!(opened(leaf([b"a", b"b"])), Ok(None));
        for keys in [[&b"b"[..], b"a"], [b"a", b"a"]] {
            assert_eq!(opened(leaf(keys)), Err(broken("page 2: keys out of order")));
        }
    }

    #[test]
    fn a_bucket_larger_than_is_kept_is_not_read_whole() {
        let read = |count: u8| {
            let branch = Page::Branch((0..count).map(|at| (vec![at], 4 + u64::from(at))).collect());
            let leaves = (0..count).map(|at| Page::Leaf(vec![value(&[at], &[7; 4000])]));
            let pages: Vec<Page> = [Page::Leaf(vec![bucket("members", 3)]), branch].into_iter().chain(leaves).collect();
            members(&DbFile::new(&pages, 2).bytes())
        };
        assert_eq!(read(100).expect("small").len(), 100);
        assert!(matches!(read(200), Err(Fault::Unsupported(_))));
    }

    #[test]
    fn a_branch_that_leads_to_itself_ends() {
        let file = DbFile::new(&[Page::Branch(vec![(b"a".to_vec(), 2)])], 2).bytes();
        let held = Held(file);
        let db = Db::open(&held).expect("metas are sound");
        let fault = db.bucket("key").expect_err("endless").to_string();
        assert!(fault.contains("deeper than"), "{fault}");
    }
}
