//! The rules between db, log and snapshots, each broken by itself.

use super::*;

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
