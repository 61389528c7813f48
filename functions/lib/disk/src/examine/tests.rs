//! Data directories in memory: sound, and with one thing changed.

mod raft;
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

#[test]
fn a_sound_directory_is_structurally_restorable() {
    for depth in [Depth::Shallow, Depth::Deep] {
        let examined = judged(&directory(8), depth);
        assert_eq!((examined.verdict, &examined.reason), (Sound, &None));
        assert_eq!((examined.revision, examined.consistent_index, examined.commit), (Some(7), Some(8), Some(8)));
        assert_eq!((examined.wal_last_index, examined.term), (Some(9), Some(2)));
        assert_eq!((examined.member_id, examined.cluster_id), (Some(0xa), Some(0xc)));
        assert_eq!(examined.data_dir.as_deref(), Some("data/t"));
    }
}

#[test]
fn rule_1_the_db_may_not_be_ahead_of_the_log() {
    assert_eq!(judged(&directory(9), Depth::Shallow).verdict, Sound, "ahead of the commit only");
    let ahead = judged(&directory(10), Depth::Shallow);
    assert_eq!(ahead.reason.as_deref(), Some("rule 1: the db is at index 10, the WAL ends at 9"));
    expect(|tree| remove(tree, THIRD), Corrupt, "rule 1");
    expect(|tree| tree.0.get_mut(THIRD).expect("there").fill(0), Corrupt, "rule 1");
}

#[test]
fn rule_2_the_db_must_have_reached_the_snapshot() {
    let behind = judged(&directory(3), Depth::Shallow);
    assert_eq!(behind.reason.as_deref(), Some("rule 2: the db is at index 3, the newest snapshot at 4"));
    assert_eq!(judged(&directory(4), Depth::Shallow).verdict, Sound);
}

#[test]
fn rule_2_or_the_leader_has_sent_one_that_has() {
    let sent = |own: u64, bytes: Vec<u8>| {
        let mut tree = directory(own);
        tree.0.insert(SENT.to_owned(), bytes);
        let examined = judged(&tree, Depth::Shallow);
        (examined.verdict, examined.reason.unwrap_or_default())
    };
    let (verdict, reason) = sent(3, DbFile::etcd_at(7, 4).bytes());
    assert_eq!(verdict, Degraded, "it takes its place: {reason}");
    let cut = DbFile::etcd_at(7, 4).bytes()[..3 * PAGE].to_vec();
    let older = DbFile::etcd_at(7, 3).bytes();
    let mut rootless = DbFile::etcd_at(7, 4).bytes();
    rootless[2 * PAGE..3 * PAGE].fill(0);
    for (bytes, words) in [
        (Vec::new(), "both meta pages are bad"),
        (cut, "shorter than its"),
        (older, "at index 3, before its snapshot"),
        (rootless, "page 2: calls itself 0"),
    ] {
        let (verdict, reason) = sent(3, bytes.clone());
        assert_eq!(verdict, Corrupt, "{reason}");
        assert!(reason.contains(words) && reason.contains("snap.db: ") && reason.contains("rule 2"), "{reason}");
        assert_eq!(sent(4, bytes), (Sound, String::new()), "not looked at where it is not needed");
    }
    let (verdict, reason) = sent(3, DbFile::of_many_members(4).bytes());
    assert_eq!(verdict, Unsupported, "larger than is read: {reason}");
    let mut directory = directory(3);
    directory.0.insert(format!("{SENT}/x"), Vec::new());
    assert_eq!(judged(&directory, Depth::Shallow).verdict, Corrupt, "a directory");
}

#[test]
fn rule_3_the_log_must_begin_where_the_snapshot_ends() {
    expect(
        |tree| {
            remove(tree, SNAP);
            remove(tree, OLDER);
        },
        Sound,
        "",
    );
    let purged = |tree: &mut Tree| {
        remove(tree, FIRST);
        remove(tree, OLDER);
    };
    expect(purged, Sound, "");
    expect(
        |tree| {
            purged(tree);
            remove(tree, SNAP);
        },
        Corrupt,
        "rule 3: no WAL segment covers index 0",
    );
    let mut wal = Wal::new();
    entries(&mut wal, 3..=9);
    let mut headless = directory(8);
    headless.0.retain(|path, _| path == DB);
    headless.0.insert(FIRST.to_owned(), wal.bytes());
    let reason = judged(&headless, Depth::Shallow).reason.expect("corrupt");
    assert_eq!(reason, "rule 3: the WAL's first entry is 3, but there is no snapshot and the log ends at 0");
}

#[test]
fn rule_3_the_log_must_record_what_it_is_read_from() {
    let mut wal = Wal::without_a_snapshot();
    entries(&mut wal, 1..=9);
    let tree = Tree::new([(DB, DbFile::etcd_at(4, 9).bytes()), (FIRST, wal.bytes())]);
    let reason = judged(&tree, Depth::Shallow).reason.expect("corrupt");
    assert_eq!(reason, "rule 3: the WAL records neither a snapshot that is there nor its own beginning");
}

#[test]
fn rule_4_the_log_has_no_gap_and_reaches_what_is_committed() {
    let log = |indexes: &[u64], commit| {
        let mut wal = Wal::new();
        for index in indexes {
            wal.entry(1, *index, b"value");
        }
        wal.state(1, commit);
        let tree = Tree::new([(DB, DbFile::etcd_at(4, 2).bytes()), (FIRST, wal.bytes())]);
        judged(&tree, Depth::Shallow).reason.unwrap_or_default()
    };
    assert_eq!(log(&[1, 2, 3], 3), "");
    assert_eq!(log(&[1, 2, 4], 3), "rule 4: WAL entry 4 follows 2");
    assert_eq!(log(&[1, 2, 3], 5), "rule 4: the WAL's last entry is 3, but 5 are committed");
}

#[test]
fn rule_5_a_torn_end_is_allowed_in_the_last_segment_only() {
    let cut = |path: &'static str| {
        move |tree: &mut Tree| {
            let bytes = tree.0.get_mut(path).expect("there");
            bytes.truncate(bytes.len() - 4);
        }
    };
    expect(cut(THIRD), Sound, "");
    expect(cut(SECOND), Corrupt, "past the end of the file");
}

#[test]
fn a_damaged_log_is_corrupt() {
    expect(|tree| flip(tree, THIRD, 60), Corrupt, "wrong checksum");
    expect(|tree| remove(tree, SECOND), Corrupt, "");
    expect(|tree| tree.0.retain(|path, _| !path.contains("/wal/")), Corrupt, "is missing");
    let mut early = directory(8);
    flip(&mut early, FIRST, 100);
    assert_eq!(judged(&early, Depth::Shallow).verdict, Sound, "before the snapshot: shallow does not look");
    assert_eq!(judged(&early, Depth::Deep).verdict, Corrupt);
}

#[test]
fn a_damaged_db_is_corrupt_or_degraded() {
    expect(|tree| remove(tree, DB), Corrupt, "data/t/member/snap/db is missing");
    expect(|tree| flip(tree, DB, 40), Degraded, "meta page 0: its checksum is wrong");
    expect(|tree| flip(tree, DB, 2 * PAGE), Corrupt, "page 2: calls itself 3");
    expect(|tree| tree.0.get_mut(DB).expect("there").truncate(3 * PAGE), Corrupt, "shorter than its");
    expect(|tree| tree.0.get_mut(DB).expect("there").clear(), Corrupt, "both meta pages are bad");
    let mut leaf = directory(8);
    leaf.0.get_mut(DB).expect("there")[4 * PAGE..5 * PAGE].fill(0);
    assert_eq!(judged(&leaf, Depth::Shallow).verdict, Sound, "no page that leads to what is reported");
    assert_eq!(judged(&leaf, Depth::Deep).verdict, Corrupt);
}

#[test]
fn a_conf_state_that_is_none_is_not_as_etcd_left_it() {
    let db = DbFile::etcd_3_5(8, "[", &2_u64.to_be_bytes()).bytes();
    expect(|tree| drop(tree.0.insert(DB.to_owned(), db)), Degraded, "member/snap/db: confState in `meta`: ");
}

#[test]
fn etcd_sets_a_broken_snapshot_aside() {
    expect(|tree| flip(tree, SNAP, 12), Degraded, "etcd would set it aside");
}

#[test]
fn a_snapshot_that_the_log_does_not_know_yet_is_passed_over() {
    // Neither recorded, the second one not even committed.
    for index in [8, 9] {
        let mut tree = directory(8);
        tree.0.insert(format!("data/t/member/snap/0000000000000001-{index:016x}.snap"), snap(index, 1));
        assert_eq!(judged(&tree, Depth::Shallow).reason, None, "{index}");
    }
}

#[test]
fn a_snapshot_of_another_term_than_the_logs_is_passed_over() {
    let mut tree = directory(8);
    tree.0.insert(SNAP.to_owned(), snap(4, 2));
    assert_eq!(judged(&tree, Depth::Shallow).reason, None, "the one before it is taken");
    remove(&mut tree, OLDER);
    remove(&mut tree, FIRST);
    let reason = judged(&tree, Depth::Shallow).reason.expect("corrupt");
    assert!(reason.contains("no WAL segment covers index 0"), "{reason}");
}

#[test]
fn of_two_directories_the_one_last_written_to_is_judged() {
    let mut tree = directory(8);
    let mut wal = Wal::new();
    entries(&mut wal, 1..=20);
    tree.0.insert("data/u/member/snap/db".to_owned(), DbFile::etcd_at(4, 20).bytes());
    tree.0.insert(FIRST.replace("/t/", "/u/"), wal.bytes());
    let examined = judged(&tree, Depth::Shallow);
    assert_eq!((examined.data_dir.as_deref(), examined.wal_last_index), (Some("data/u"), Some(20)));
    assert_eq!(examined.verdict, Degraded);
    assert_eq!(examined.reason.as_deref(), Some("2 etcd data directories: data/t, data/u"));
}

#[test]
fn without_a_directory_there_is_nothing_to_restore() {
    let examined = judged(&Tree::new([("lost+found/x", Vec::new())]), Depth::Shallow);
    assert_eq!((examined.verdict, examined.data_dir), (Corrupt, None));
    let reason = examined.reason.expect("told");
    assert!(reason.ends_with("; has etcd ever started on this volume?"), "{reason}");
}
