//! Small dbs, read.

use super::*;
use crate::bbolt::testing::{DbFile, revision as revision_key, value};
use crate::protobuf::testing::{bytes, number};
use crate::tests::Held;

#[test]
fn a_store_tells_what_it_is() {
    let held = Held(DbFile::etcd_at(7, 12).bytes());
    let db = Db::open(&held).expect("sound");
    let peer_urls = vec!["http://localhost:2380".to_owned()];
    let member = EtcdMember { id: 0x91bc_3c39_8fb3_c146, name: "a".to_owned(), peer_urls, is_learner: false };
    let expected = Store {
        revision: 7,
        consistent_index: 12,
        version: Some(Version::known("3.4").expect("known")),
        etcd_version: Some("3.4".to_owned()),
        members: vec![member],
        ..Store::default()
    };
    assert_eq!(read(&db), Ok(expected));
    assert_eq!(read_all(&db), Ok(()));
}

/// Term, and whom raft counts.
type RaftState = (Option<u64>, Option<Result<(Vec<u64>, Vec<u64>), String>>);

fn raft_state(file: &DbFile) -> Result<RaftState, Fault> {
    let held = Held(file.bytes());
    let store = read(&Db::open(&held)?)?;
    let raft = store.conf_state.map(|raft| raft.map(|raft| (raft.voters().to_vec(), raft.learners().to_vec())));
    Ok((store.term, raft))
}

const TERM: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 3];

#[test]
fn since_3_5_a_store_tells_its_term_and_members_of_raft() {
    let conf_state = r#"{"voters":[1,18446744073709551615],"learners":[7],"auto_leave":false}"#;
    let told = Ok((Some(3), Some(Ok((vec![1, u64::MAX], vec![7])))));
    assert_eq!(raft_state(&DbFile::etcd_3_5(12, conf_state, &TERM)), told);
    let migrated = DbFile::etcd_3_5(12, r#"{"auto_leave":false}"#, &TERM);
    assert_eq!(raft_state(&migrated), Ok((Some(3), Some(Ok((Vec::new(), Vec::new()))))));
    let stale = DbFile::etcd_3_4_after_3_5(12, conf_state, &TERM);
    assert_eq!(raft_state(&stale), Ok((None, None)));
}

#[test]
fn what_etcd_panics_on_is_broken_what_it_does_not_read_is_told() {
    assert_eq!(raft_state(&DbFile::etcd_3_5(12, "{}", &TERM[1..])), Err(broken("`term` in `meta` is no number")));
    let longer = [&TERM[..], b"x"].concat();
    assert_eq!(raft_state(&DbFile::etcd_3_5(12, "{}", &longer)), Ok((Some(3), Some(Ok((Vec::new(), Vec::new()))))));
    let (term, raft) = raft_state(&DbFile::etcd_3_5(12, "{", &TERM)).expect("readable");
    assert_eq!(term, Some(3));
    assert!(raft.expect("there").expect_err("none").starts_with("EOF"));
}

#[test]
fn a_revision_that_was_compacted_away_counts() {
    for (scheduled, finished, expected) in [(9, 8, 9), (8, 9, 9), (5, 5, 7)] {
        let held = Held(DbFile::compacted(scheduled, finished).bytes());
        assert_eq!(read(&Db::open(&held).expect("sound")).expect("sound").revision, expected);
    }
}

#[test]
fn a_revision_has_its_form() {
    let key = |length: usize, end: u8| {
        let mut key = [&5_u64.to_be_bytes()[..], b"_", &[0; 8]].concat();
        key.resize(length, end);
        key
    };
    assert_eq!(revision(&key(17, 0)), Ok(5));
    assert_eq!(revision(&key(18, b't')), Ok(5));
    for bad in [key(18, b'x'), key(16, 0), key(9, 0), Vec::new(), vec![0xff; 17]] {
        assert!(revision(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_version_that_is_not_known_ends_the_reading() {
    let unknown = |version: &str, of_db: Option<&str>| {
        let held = Held(DbFile::of_versions(version, of_db).bytes());
        let store = read(&Db::open(&held).expect("sound")).expect("readable");
        (store.unknown, store.consistent_index)
    };
    assert_eq!(unknown("3.6.0", Some("3.6.0")), (None, 8));
    assert_eq!(unknown("3.5.0", None), (None, 8));
    for (version, of_db, words) in [
        ("3.9.0", None, "the cluster is of version `3.9.0`"),
        ("3.8.0", Some("3.9.0"), "the db is of version `3.9.0`"),
        ("4.0.0", Some("4.0.0"), "the cluster is of version `4.0.0`"),
        ("2.3.0", None, "the cluster is of version `2.3.0`"),
    ] {
        let (what, index) = unknown(version, of_db);
        assert!(what.expect("told").starts_with(words));
        assert_eq!(index, 0, "nothing else is read");
    }
}

#[test]
fn a_key_of_revision_0_no_etcd_reads() {
    assert_eq!(
        revision(&[&[0; 8][..], b"_", &[0; 8]].concat()),
        Err(broken("a key in `key` of revision 0, which no etcd reads"))
    );
}

#[test]
fn what_etcd_cannot_take_apart_it_does_not_start_from() {
    let key_value = [bytes(1, b"k"), number(2, 7), number(3, 7), number(4, 1), bytes(5, b"v"), number(6, 9)].concat();
    assert!(is_key_value(&key_value) && is_key_value(b""));
    assert!(is_key_value(&[&key_value[..], &bytes(9, b"a field of later")].concat()));
    let read_all_of = |key: &[u8], held: &[u8]| {
        let held = Held(DbFile::etcd().with_bucket("key", vec![value(key, held)]).bytes());
        read_all(&Db::open(&held).expect("sound"))
    };
    let key = revision_key(7, 0);
    assert_eq!(read_all_of(&key, &key_value), Ok(()));
    let told = broken("bucket key: revision 7 in `key` holds no key and value");
    assert_eq!(read_all_of(&key, b"kv"), Err(told));
    assert_eq!(read_all_of(&[&key[..], b"t"].concat(), b"kv"), Ok(()), "of a deletion it is not read");
    for bad in [&key_value[..key_value.len() - 1], &bytes(2, b"7"), &number(1, 7), b"kv"] {
        assert!(!is_key_value(bad), "{bad:?}");
    }
}
