//! What the db says of raft, beside the log.

use super::*;
use crate::version::Version;

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
        conf_state: Some(Ok(serde_json::from_str(r#"{"voters":[7,8]}"#).expect("one"))),
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
    let of = |version: &str| Store { version: Version::known(version).ok(), ..store(false) };
    assert_eq!(super::voters(&of("3.6"), 7), Some(vec![7, 8]));
    assert_eq!(super::voters(&of("3.7"), 7), None, "since 3.7 raft's list is made of etcd's own");
}

#[test]
fn rule_1_a_db_of_a_later_term_than_the_log_is_strange() {
    let db = |term: u64| {
        DbFile::etcd_3_5(8, r#"{"voters":[10,10501334649042878790],"auto_leave":false}"#, &term.to_be_bytes()).bytes()
    };
    let with_term = |term: u64| {
        let mut tree = directory(8);
        tree.0.insert(DB.to_owned(), db(term));
        tree
    };
    let same = judged(&with_term(2), Depth::Shallow);
    assert_eq!((same.verdict, same.term, same.voters), (Sound, Some(2), Some(vec![10, 0x91bc_3c39_8fb3_c146])));
    assert_eq!(judged(&with_term(1), Depth::Shallow).term, Some(2), "the WAL's, which may be later");
    let later = judged(&with_term(3), Depth::Shallow);
    assert_eq!(later.verdict, Degraded, "etcd starts from it");
    assert_eq!(later.reason.as_deref(), Some("rule 1: the db is of term 3, the WAL of term 2"));
    let mut stateless = Wal::new();
    entries(&mut stateless, 1..=9);
    let stateless = Tree::new([(DB, db(3)), (FIRST, stateless.bytes())]);
    assert_eq!(judged(&stateless, Depth::Shallow).reason, None, "a log without a HardState");
    let mut alone = with_term(3);
    alone.0.retain(|path, _| path == DB);
    assert_eq!(judged(&alone, Depth::Shallow).term, Some(3), "without a WAL");
}
