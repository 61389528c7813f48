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
fn the_voters_are_of_a_list_that_names_the_member() {
    // The log is member 10's; the db's `members` knows another one alone.
    let voters = |conf_state: &str| {
        let mut tree = directory(8);
        tree.0.insert(DB.to_owned(), DbFile::etcd_3_5(8, conf_state, &1_u64.to_be_bytes()).bytes());
        judged(&tree, Depth::Shallow).voters
    };
    assert_eq!(voters(r#"{"voters":[10,11]}"#), Some(vec![10, 11]));
    assert_eq!(voters(r#"{"voters":[11,12],"learners":[10]}"#), None);
    let store = |is_learner: bool| Store {
        voters: Some(vec![7, 8]),
        members: [10, 11, 12]
            .map(|id| crate::EtcdMember {
                id,
                name: String::new(),
                peer_urls: Vec::new(),
                is_learner: is_learner && id > 11,
            })
            .to_vec(),
        ..Store::default()
    };
    assert_eq!(super::voters(&store(false), 10), Some(vec![10, 11, 12]), "what etcdutl restored keeps old voters");
    assert_eq!(super::voters(&store(true), 10), Some(vec![10, 11]));
    assert_eq!(super::voters(&store(true), 12), None, "it has no vote itself");
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
