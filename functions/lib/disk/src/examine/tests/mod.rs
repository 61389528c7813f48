//! Data directories in memory: sound, and with one thing changed.

mod damage;
mod raft;
mod rules;
mod told;
mod versions;

use super::*;
use crate::Verdict::{Corrupt, Degraded, Ok as Sound, Unsupported};
use crate::bbolt::testing::{DbFile, PAGE};
use crate::snap::testing::snap;
use crate::tests::Tree;
use crate::wal::testing::Log as Wal;

const DB: &str = "data/t/member/snap/db";
const SNAP: &str = "data/t/member/snap/0000000000000001-0000000000000004.snap";
const OLDER: &str = "data/t/member/snap/0000000000000001-0000000000000002.snap";
const SENT: &str = "data/t/member/snap/0000000000000004.snap.db";
const FIRST: &str = "data/t/member/wal/0000000000000000-0000000000000000.wal";
const SECOND: &str = "data/t/member/wal/0000000000000001-0000000000000004.wal";
const THIRD: &str = "data/t/member/wal/0000000000000002-0000000000000007.wal";

fn entries(wal: &mut Wal, indexes: std::ops::RangeInclusive<u64>) {
    indexes.for_each(|index| wal.entry(1, index, b"value"));
}

/// A data directory: entries 1 to 9 in three segments, snapshots at 2 and 4, 8 committed, the db at that index.
fn directory(consistent_index: u64) -> Tree {
    let mut wal = Wal::new();
    entries(&mut wal, 1..=3);
    wal.snapshot(2, 1);
    wal.state(1, 3);
    let first = wal.cut();
    entries(&mut wal, 4..=6);
    wal.snapshot(4, 1);
    wal.state(1, 6);
    let second = wal.cut();
    entries(&mut wal, 7..=9);
    wal.state(2, 8);
    let db = DbFile::etcd_at(7, consistent_index).bytes();
    Tree::new([
        (DB, db),
        (SNAP, snap(4, 1)),
        (OLDER, snap(2, 1)),
        (FIRST, first),
        (SECOND, second),
        (THIRD, wal.bytes()),
    ])
}

fn judged(tree: &Tree, depth: Depth) -> Examined {
    survey(tree, depth, 1 << 30).expect("readable")
}

/// Holds the shallow verdict and a part of its reason against what is expected after a change.
fn expect(change: impl FnOnce(&mut Tree), verdict: crate::Verdict, reason: &str) {
    let mut tree = directory(8);
    change(&mut tree);
    let examined = judged(&tree, Depth::Shallow);
    let said = examined.reason.unwrap_or_default();
    assert_eq!(examined.verdict, verdict, "{said}");
    assert!(said.contains(reason), "{said}");
}

fn flip(tree: &mut Tree, path: &str, at: usize) {
    tree.0.get_mut(path).expect("there")[at] ^= 1;
}

fn remove(tree: &mut Tree, path: &str) {
    tree.0.remove(path).expect("there");
}
