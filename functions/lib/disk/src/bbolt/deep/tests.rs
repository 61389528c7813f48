//! Small trees, walked.

use std::sync::Mutex;

use super::super::testing::{DbFile, PAGE, Page, bucket, inline, value};
use super::*;
use crate::files::File;
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

/// Notes what is hinted at and read, page by page.
struct Watched(Held, Mutex<Vec<(char, u64)>>);

impl File for Watched {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.1.lock().expect("notes").push(('r', offset / PAGE as u64));
        self.0.read_at(offset, into)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let page = |offset: u64| offset / PAGE as u64;
        let hints = ranges.iter().flat_map(|range| [('h', page(range.start)), ('-', page(range.end - 1))]);
        self.1.lock().expect("notes").extend(hints);
    }
}

#[test]
fn the_pages_of_a_level_are_read_as_they_lie_each_once() {
    let root = Page::Leaf(vec![bucket("b", 3)]);
    let branch =
        |children: &[(u8, u64)]| Page::Branch(children.iter().map(|(key, page)| (vec![*key], *page)).collect());
    let leaf = |key: u8| Page::Leaf(vec![value(&[key], b"v")]);
    // In the order of their keys the leaves are 9, 5, 8, 6.
    let pages =
        [root, branch(&[(1, 7), (5, 4)]), branch(&[(5, 8), (7, 6)]), leaf(3), leaf(7), branch(&[(1, 9), (3, 5)])];
    let pages = [&pages[..], &[leaf(5), leaf(1)]].concat();
    let watched = Watched(Held(DbFile::new(&pages, 2).bytes()), Mutex::default());
    let db = Db::open(&watched).expect("sound");
    watched.1.lock().expect("notes").clear();
    let mut keys = Vec::new();
    db.every_key(&mut |_, key, _| {
        keys.push(key[0]);
        Ok(())
    })
    .expect("sound");
    assert_eq!(keys, [3, 7, 5, 1]);
    let read: Vec<u64> =
        watched.1.lock().expect("notes").iter().filter(|(what, _)| *what == 'r').map(|(_, page)| *page).collect();
    assert_eq!(read, [2, 3, 4, 7, 5, 6, 8, 9]);
    let hints: Vec<(char, u64)> =
        watched.1.lock().expect("notes").iter().filter(|(what, _)| *what != 'r').copied().collect();
    let expected = [('h', 2), ('-', 2), ('h', 3), ('-', 3), ('h', 4), ('-', 7), ('h', 5), ('-', 9)];
    assert_eq!(hints, expected, "a level at once, what lies close together as one");
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
