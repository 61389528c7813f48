//! The same directory, of a cluster of one version or another.

use super::*;
use crate::snap;

const VERSIONS: [&str; 5] = ["3.4.0", "3.5.0", "3.6.0", "3.7.0", "3.8.0"];

/// What is said of a directory after a change, by the cluster's version.
fn judged_by_version(consistent_index: u64, change: impl Fn(&mut Tree)) -> [(crate::Verdict, String); VERSIONS.len()] {
    VERSIONS.map(|version| {
        let mut tree = directory(consistent_index);
        tree.0.insert(DB.to_owned(), DbFile::etcd_of(version, 7, consistent_index).bytes());
        change(&mut tree);
        let of = |depth| {
            let examined = judged(&tree, depth);
            (examined.verdict, examined.reason.unwrap_or_default())
        };
        assert_eq!(of(Depth::Shallow), of(Depth::Deep), "{version}");
        of(Depth::Shallow)
    })
}

/// Holds the verdicts against what is expected, and what all the reasons have in common.
fn expect_by_version(
    consistent_index: u64,
    change: impl Fn(&mut Tree),
    verdicts: [crate::Verdict; VERSIONS.len()],
    words: &str,
) {
    for ((found, verdict), version) in
        judged_by_version(consistent_index, change).into_iter().zip(verdicts).zip(VERSIONS)
    {
        assert_eq!(found.0, verdict, "{version}: {}", found.1);
        assert!(verdict == Sound || found.1.contains(words), "{version}: {}", found.1);
    }
}

/// The damage of the volumes' tests that takes whole files, which those cannot.
#[test]
fn what_is_damaged_is_so_in_every_version() {
    let all = [Corrupt; VERSIONS.len()];
    expect_by_version(8, |tree| remove(tree, DB), all, "member/snap/db is missing");
    expect_by_version(8, |tree| tree.0.get_mut(DB).expect("there").truncate(3 * PAGE), all, "shorter than its");
    expect_by_version(8, |tree| tree.0.get_mut(DB).expect("there").clear(), all, "both meta pages are bad");
    expect_by_version(8, |tree| flip(tree, DB, 40), [Degraded; VERSIONS.len()], "meta page 0");
    // The chain of checksums, or the place where etcd starts.
    expect_by_version(8, |tree| remove(tree, SECOND), all, "/member/wal");
    expect_by_version(8, |tree| flip(tree, THIRD, 60), all, "wrong checksum");
    expect_by_version(8, |tree| remove(tree, THIRD), all, "rule ");
    expect_by_version(9, |tree| tree.0.retain(|path, _| !path.contains("/wal/")), all, "");
}

fn without_snaps(tree: &mut Tree) {
    remove(tree, SNAP);
    remove(tree, OLDER);
}

#[test]
fn what_is_whole_is_so_in_every_version() {
    expect_by_version(8, |_| {}, [Sound; 5], "");
    expect_by_version(8, without_snaps, [Sound; 5], "");
}

#[test]
fn since_3_7_the_newest_record_is_where_etcd_starts_whatever_snap_files_there_are() {
    expect_by_version(8, |tree| remove(tree, SNAP), [Sound; 5], "");
    // The db has reached the older snapshot, and not the newest one that the log records.
    let verdicts = [Sound, Sound, Degraded, Corrupt, Corrupt];
    expect_by_version(3, |tree| remove(tree, SNAP), verdicts, "rule 2: the db is at index 3, the newest snapshot at 4");
    let of_3_6 = &judged_by_version(3, |tree| remove(tree, SNAP))[2].1;
    assert!(of_3_6.starts_with("etcd 3.7 would not start from it: rule 2"), "{of_3_6}");
}

#[test]
fn where_the_log_was_purged_only_etcd_to_3_6_needs_a_snap_file() {
    let purged = |tree: &mut Tree| {
        without_snaps(tree);
        remove(tree, FIRST);
    };
    let verdicts = [Corrupt, Corrupt, Degraded, Degraded, Sound];
    expect_by_version(8, purged, verdicts, "rule 3: no WAL segment covers index 0");
    let of_3_7 = &judged_by_version(8, purged)[3].1;
    assert!(of_3_7.starts_with("after a downgrade etcd 3.6 would not start from it: "), "{of_3_7}");
}

#[test]
fn a_broken_snap_file_is_nothing_to_an_etcd_that_knows_none() {
    let verdicts = [Degraded, Degraded, Degraded, Degraded, Sound];
    expect_by_version(8, |tree| flip(tree, SNAP, 12), verdicts, "etcd would set it aside");
}

#[test]
fn the_newest_record_is_looked_for_from_the_last_segment_backwards() {
    // Not the one of 9 in the last segment, which is not committed; nor that of the first segment.
    let tree = |tree: &mut Tree| {
        without_snaps(tree);
        let mut wal = Wal::new();
        entries(&mut wal, 1..=3);
        wal.snapshot(2, 1);
        wal.state(1, 3);
        tree.0.insert(FIRST.to_owned(), wal.cut());
        entries(&mut wal, 4..=6);
        wal.snapshot(4, 1);
        wal.state(1, 6);
        tree.0.insert(SECOND.to_owned(), wal.cut());
        entries(&mut wal, 7..=9);
        wal.state(2, 8);
        wal.snapshot(9, 1);
        tree.0.insert(THIRD.to_owned(), wal.bytes());
    };
    expect_by_version(4, tree, [Sound; 5], "");
    expect_by_version(3, tree, [Sound, Sound, Degraded, Corrupt, Corrupt], "the newest snapshot at 4");
}

#[test]
fn a_request_to_the_v2_store_is_too_much_for_3_7() {
    let after = |snapshot: bool| {
        move |tree: &mut Tree| {
            let mut wal = Wal::new();
            entries(&mut wal, 1..=3);
            wal.v2_request(1, 4);
            entries(&mut wal, 5..=9);
            if snapshot {
                wal.snapshot(5, 1);
            }
            wal.state(2, 8);
            without_snaps(tree);
            tree.0.retain(|path, _| !path.contains("/wal/"));
            tree.0.insert(FIRST.to_owned(), wal.bytes());
        }
    };
    let words = "entry 4 of the WAL is a request to the v2 store";
    expect_by_version(8, after(false), [Sound, Sound, Degraded, Corrupt, Corrupt], words);
    expect_by_version(8, after(true), [Sound; 5], "");
    let mut young = directory(8);
    after(false)(&mut young);
    let db = DbFile::etcd_of("3.5.0", 7, 8).with_bucket("cluster", Vec::new());
    young.0.insert(DB.to_owned(), db.bytes());
    assert_eq!(judged(&young, Depth::Shallow).reason, None, "a cluster without a version yet may be one of 3.5");
}

#[test]
fn what_is_not_known_is_never_corrupt() {
    let of_version = |tree: &mut Tree| drop(tree.0.insert(DB.to_owned(), DbFile::etcd_of("3.9.0", 7, 99).bytes()));
    expect(of_version, Unsupported, "the cluster is of version `3.9.0`: what is known here are 3.4 to 3.8");
    let gone = |tree: &mut Tree| {
        of_version(tree);
        tree.0.retain(|path, _| path == DB);
    };
    expect(gone, Unsupported, "`3.9.0`");
    let segment = "data/t/member/wal/0000000000000003-0000000000000009.v2.wal";
    expect(|tree| drop(tree.0.insert(segment.to_owned(), Vec::new())), Unsupported, "9.v2.wal: a segment of a kind");
    let record = |tree: &mut Tree| {
        let mut wal = Wal::new();
        wal.unknown(6);
        tree.0.retain(|path, _| !path.contains("/wal/") && !path.contains(".snap"));
        tree.0.insert(FIRST.to_owned(), wal.bytes());
    };
    expect(record, Unsupported, "a record of kind 6, which is not known here");
}

#[test]
fn a_take_over_that_was_torn_is_seen_by_what_the_leader_sent() {
    let sent = |index: u64, revision: u64| {
        move |tree: &mut Tree| {
            let name = format!("data/t/member/snap/{}", snap::db_name(index));
            tree.0.insert(name, DbFile::etcd_of("3.7.0", revision, index).bytes());
        }
    };
    let words = "the db is at index 8 with revision 7, but 0000000000000008.snap.db, which the leader sent, has revision 9 at 8";
    expect_by_version(8, sent(8, 9), [Corrupt; 5], words);
    expect_by_version(8, sent(8, 7), [Sound; 5], "");
    expect_by_version(8, sent(6, 6), [Sound; 5], "");
    expect_by_version(8, sent(9, 9), [Sound; 5], "");
    expect_by_version(8, |tree| drop(tree.0.insert(SENT.to_owned(), vec![7; 100])), [Sound; 5], "");
}
