//! What is broken, or out of place, in one file.

use super::*;

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
