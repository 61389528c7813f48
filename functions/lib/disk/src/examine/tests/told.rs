//! What is told of a directory, and of which one.

use super::*;

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
