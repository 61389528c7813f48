//! Small dbs that pass by, in pieces of any size.

use proptest::prelude::*;

use super::super::testing::{DbFile, PAGE, Page, bucket, inline, revision, value};
use super::*;
use crate::bbolt::Db;
use crate::store;
use crate::tests::Held;

fn passed(file: &[u8], piece: usize) -> Result<Passed, Fault> {
    let mut stream = Stream::default();
    file.chunks(piece).try_for_each(|piece| stream.feed(piece))?;
    stream.finish()
}

/// What a walk through the same db as a file says.
fn walked(file: &[u8]) -> Result<Store, Fault> {
    let held = Held(file.to_vec());
    let db = Db::open(&held)?;
    let store = store::read(&db)?;
    store::read_all(&db)?;
    Ok(store)
}

fn of_keys(pages: Vec<Page>) -> DbFile {
    let meta = inline("meta", vec![value(b"consistent_index", &9_u64.to_be_bytes())]);
    let root = Page::Leaf(vec![bucket("key", 3), meta]);
    DbFile::new(&[vec![root], pages].concat(), 2)
}

fn leaf(revisions: std::ops::Range<u64>) -> Page {
    Page::Leaf(revisions.map(|main| value(&revision(main, 0), &[10, 1, 7])).collect())
}

#[test]
fn it_says_what_a_walk_says() {
    let file = DbFile::etcd().bytes();
    for piece in [1, 7, PAGE - 1, PAGE, 3 * PAGE + 5, file.len()] {
        assert_eq!(passed(&file, piece).expect("sound").store, walked(&file).expect("sound"), "pieces of {piece}");
    }
    let branch = Page::Branch(vec![(revision(1, 0), 5), (revision(30, 0), 4)]);
    let file = of_keys(vec![branch, leaf(30..60), leaf(1..30)]).bytes();
    let found = passed(&file, 1000).expect("sound").store;
    assert_eq!(
        (found.revision, found.consistent_index),
        (59, 9),
        "the leaf that comes last is not that of the last key"
    );
    assert_eq!(found, walked(&file).expect("sound"));
}

#[test]
fn what_the_tree_does_not_reach_may_hold_anything() {
    let file = of_keys(vec![leaf(1..9), leaf(50..60), leaf(3..5)]);
    let mut bytes = file.bytes();
    let stale = |bytes: &mut [u8], page: usize, at: usize, byte: u8| bytes[page * PAGE + at] = byte;
    // A page that calls itself another, and one whose overflow goes past the last page.
    stale(&mut bytes, 4, 0, 77);
    stale(&mut bytes, 5, 12, 77);
    assert_eq!(passed(&bytes, 500).expect("sound").store.revision, 8);
    stale(&mut bytes, 3, 0, 77);
    let fault = passed(&bytes, 500).expect_err("it is the root of `key`").to_string();
    assert_eq!(fault, "bucket key: page 3: no branch or leaf that calls itself so");
}

#[test]
fn a_page_with_overflow_is_judged_when_its_last_page_has_come() {
    let mut long =
        Page::Leaf(vec![value(&revision(1, 0), &[&[10, 1, 7, 42, 0xc0, 0x3e][..], &[7; 8000]].concat())]).bytes(3);
    long[12] = 2;
    long.resize(3 * PAGE, 0);
    let mut file = of_keys(vec![leaf(1..2), leaf(1..2), leaf(1..2)]).bytes();
    file.splice(3 * PAGE..6 * PAGE, long);
    for piece in [100, PAGE, file.len()] {
        assert_eq!(passed(&file, piece).expect("sound").store.revision, 1);
    }
    let cut = &file[..file.len() - 1];
    assert!(passed(cut, 100).expect_err("cut").to_string().contains("shorter than its"));
}

#[test]
fn a_page_in_the_wrong_place_is_found() {
    let two = |first: u64, second: u64, pages: [Page; 2]| {
        let branch = Page::Branch(vec![(revision(1, 0), first), (revision(30, 0), second)]);
        passed(&of_keys([vec![branch], pages.to_vec()].concat()).bytes(), 900).map(|passed| passed.store.revision)
    };
    assert_eq!(two(4, 5, [leaf(1..30), leaf(30..60)]), Ok(59));
    for (found, words) in [
        (two(4, 4, [leaf(1..30), leaf(30..60)]), "reached twice"),
        (two(5, 4, [leaf(1..30), leaf(30..60)]), "belong elsewhere"),
        (two(4, 5, [leaf(1..31), leaf(30..60)]), "belong elsewhere"),
        (two(4, 99, [leaf(1..30), leaf(30..60)]), "not one of the"),
        (two(4, 5, [leaf(1..30), Page::Leaf(vec![value(&revision(40, 0), b"\xff")])]), "holds no key and value"),
        (two(4, 5, [leaf(1..30), Page::Leaf(vec![value(b"zzz", b"")])]), "no revision"),
    ] {
        let fault = found.expect_err(words).to_string();
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn pages_that_seem_to_overlap_are_read_so_often_and_no_more() {
    let (pages, long) = (3000_usize, 200_u8);
    let file = of_keys((0..pages).map(|_| leaf(1..3)).collect()).bytes();
    let mut hostile = file.clone();
    for page in 3..pages - usize::from(long) {
        hostile[page * PAGE + 12] = long;
    }
    assert!(passed(&file, PAGE).is_ok());
    let fault = passed(&hostile, PAGE).expect_err("it would take for ever");
    assert!(matches!(&fault, Fault::Unsupported(why) if why.contains("overlap")), "{fault}");
}

proptest! {
    #[test]
    fn whatever_byte_is_changed_it_says_what_a_walk_says(page in 0..9_usize, at in 0..PAGE, bit in 0..8_u8) {
        let mut file = DbFile::etcd().bytes();
        let at = (page * PAGE + at) % file.len();
        file[at] ^= 1 << bit;
        match (passed(&file, 3000), walked(&file)) {
            (Ok(passed), Ok(walked)) => prop_assert_eq!(passed.store, walked),
            (Err(_), Err(_)) => {}
            // Here every key that is one of etcd's is checked, wherever it is.
            (passed, walked) => prop_assert!(false, "{:?} {:?}", passed, walked),
        }
    }
}
