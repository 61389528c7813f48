//! What etcd keeps in its db, beside the keys themselves.
//!
//! Buckets and keys are those of etcd's `mvcc` (`key`: revisions), `cindex` (`meta`) and `membership` (`members`,
//! `cluster`, `meta`: `confState`).

use crate::bbolt::{Bucket, Db};
use crate::examined::EtcdMember;
use crate::fault::{Fault, broken};

/// Bytes of a revision's key: main (8), `_`, sub (8). A deletion has a `t` more.
const REVISION: usize = 17;

/// What a db says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Store {
    /// Of the last key; 0 while there is none.
    pub(crate) revision: i64,
    /// The last raft index that is in the db.
    pub(crate) consistent_index: u64,
    /// The raft term of the entry at that index, since 3.5.
    pub(crate) term: Option<u64>,
    /// The members that raft counts (`confState`), since 3.5; none if `etcdutl migrate` made the key.
    pub(crate) voters: Option<Vec<u64>>,
    /// What is wrong, although etcd would start.
    pub(crate) weakness: Option<String>,
    /// The cluster's version, e.g. `3.5`: not yet set in the first seconds of a cluster's life.
    pub(crate) etcd_version: Option<String>,
    pub(crate) members: Vec<EtcdMember>,
}

/// Reads a db by the pages that lead there.
pub(crate) fn read(db: &Db<'_>) -> Result<Store, Fault> {
    let keys = bucket(db, "key")?;
    let meta = bucket(db, "meta")?;
    let number = |key| db.get(&meta, key)?.map(|value| number(key, &value)).transpose();
    let last = db.last_key(&keys)?.map_or(Ok(0), |key| revision(&key))?;
    let mut store = Store {
        revision: last.max(compacted(db, &meta)?),
        consistent_index: number("consistent_index")?.unwrap_or_default(),
        etcd_version: version(db)?,
        members: members(db)?,
        ..Store::default()
    };
    if store.etcd_version.as_deref().is_some_and(keeps_raft_state) {
        store.term = number("term")?;
        match db.get(&meta, "confState")?.map(|value| serde_json::from_slice::<ConfState>(&value)).transpose() {
            Ok(found) => store.voters = found.map(|found| found.voters.unwrap_or_default()),
            // Up to 3.5 etcd never reads it, 3.6 panics over it when all members have become 3.6
            // (`UnsafeConfStateFromBackend`).
            Err(error) => store.weakness = Some(format!("confState in `meta`: {error}; etcd 3.6 would not take it")),
        }
    }
    Ok(store)
}

/// Since 3.5 etcd writes `term` and `confState`. Before, what a db has of them is a newer etcd's, and stale.
fn keeps_raft_state(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (3, 5))
}

/// Reads every page of every bucket.
pub(crate) fn read_all(db: &Db<'_>) -> Result<(), Fault> {
    db.every_key(&mut |bucket, key| if bucket == "key" { revision(key).map(|_| ()) } else { Ok(()) })
}

fn bucket(db: &Db<'_>, name: &str) -> Result<Bucket, Fault> {
    db.bucket(name)?.ok_or_else(|| broken(format!("no bucket `{name}`")))
}

/// The revision up to which was compacted, or is to be: where the last key was a deletion that went with it, no key tells
/// the revision any more, and etcd takes this one (`mvcc/kvstore.go`, `restore`).
fn compacted(db: &Db<'_>, meta: &Bucket) -> Result<i64, Fault> {
    let mut greatest = 0;
    for key in ["scheduledCompactRev", "finishedCompactRev"] {
        let compacted = db.get(meta, key)?.and_then(|value| revision(&value).ok());
        greatest = greatest.max(compacted.unwrap_or_default());
    }
    Ok(greatest)
}

fn revision(key: &[u8]) -> Result<i64, Fault> {
    let sound = key.get(8) == Some(&b'_') && matches!((key.len(), key.last()), (REVISION, _) | (18, Some(b't')));
    let main = key.first_chunk().map(|main| i64::from_be_bytes(*main));
    main.filter(|main| sound && *main >= 0).ok_or_else(|| broken("a key in `key` that is no revision"))
}

/// As `unsafeReadConsistentIndex` takes it when etcd starts: what follows the number is passed over, and on less than one
/// etcd panics.
fn number(key: &str, value: &[u8]) -> Result<u64, Fault> {
    let number = value.first_chunk().map(|number| u64::from_be_bytes(*number));
    number.ok_or_else(|| broken(format!("`{key}` in `meta` is no number")))
}

/// etcd writes it as `3.5.0`: the patch level is always 0.
fn version(db: &Db<'_>) -> Result<Option<String>, Fault> {
    let Some(cluster) = db.bucket("cluster")? else { return Ok(None) };
    let version = db.get(&cluster, "clusterVersion")?;
    Ok(version.map(|version| {
        let version = String::from_utf8_lossy(&version).into_owned();
        version.strip_suffix(".0").map_or(version.clone(), str::to_owned)
    }))
}

/// `raftpb.ConfState`, as JSON. What is missing is empty.
#[derive(serde::Deserialize)]
struct ConfState {
    voters: Option<Vec<u64>>,
}

/// A value in `members`: etcd's `membership.Member`.
#[derive(serde::Deserialize)]
struct Member {
    id: u64,
    #[serde(default)]
    name: String,
    #[serde(default, rename = "peerURLs")]
    peer_urls: Option<Vec<String>>,
    #[serde(default, rename = "isLearner")]
    is_learner: bool,
}

fn members(db: &Db<'_>) -> Result<Vec<EtcdMember>, Fault> {
    let Some(bucket) = db.bucket("members")? else { return Ok(Vec::new()) };
    let member = |(key, value): (Vec<u8>, Vec<u8>)| {
        let member: Member = serde_json::from_slice(&value)
            .map_err(|error| broken(format!("member {}: {error}", String::from_utf8_lossy(&key))))?;
        Ok(EtcdMember {
            id: member.id,
            name: member.name,
            peer_urls: member.peer_urls.unwrap_or_default(),
            is_learner: member.is_learner,
        })
    };
    db.entries(&bucket)?.into_iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bbolt::testing::DbFile;
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
            etcd_version: Some("3.4".to_owned()),
            members: vec![member],
            ..Store::default()
        };
        assert_eq!(read(&db), Ok(expected));
        assert_eq!(read_all(&db), Ok(()));
    }

    /// Term, voters and weakness.
    type RaftState = (Option<u64>, Option<Vec<u64>>, Option<String>);

    fn raft_state(file: &DbFile) -> Result<RaftState, Fault> {
        let held = Held(file.bytes());
        read(&Db::open(&held)?).map(|store| (store.term, store.voters, store.weakness))
    }

    const TERM: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 3];

    #[test]
    fn since_3_5_a_store_tells_its_term_and_voters() {
        let conf_state = r#"{"voters":[1,18446744073709551615],"learners":[7],"auto_leave":false}"#;
        let told = Ok((Some(3), Some(vec![1, u64::MAX]), None));
        assert_eq!(raft_state(&DbFile::etcd_3_5(12, conf_state, &TERM)), told);
        let migrated = DbFile::etcd_3_5(12, r#"{"auto_leave":false}"#, &TERM);
        assert_eq!(raft_state(&migrated), Ok((Some(3), Some(Vec::new()), None)));
        let stale = DbFile::etcd_3_4_after_3_5(12, conf_state, &TERM);
        assert_eq!(raft_state(&stale), Ok((None, None, None)));
    }

    #[test]
    fn what_etcd_panics_on_is_broken_what_it_does_not_read_is_a_weakness() {
        assert_eq!(raft_state(&DbFile::etcd_3_5(12, "{}", &TERM[1..])), Err(broken("`term` in `meta` is no number")));
        let longer = [&TERM[..], b"x"].concat();
        assert_eq!(raft_state(&DbFile::etcd_3_5(12, "{}", &longer)), Ok((Some(3), Some(Vec::new()), None)));
        let (term, voters, weakness) = raft_state(&DbFile::etcd_3_5(12, "{", &TERM)).expect("readable");
        assert_eq!((term, voters), (Some(3), None));
        assert!(weakness.expect("told").starts_with("confState in `meta`: EOF"));
    }

    #[test]
    fn a_revision_that_was_compacted_away_counts() {
        for (scheduled, finished, expected) in [(9, 8, 9), (8, 9, 9), (5, 5, 7)] {
            let held = Held(DbFile::compacted(scheduled, finished).bytes());
            assert_eq!(read(&Db::open(&held).expect("sound")).expect("sound").revision, expected);
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let keeping = ["3.3", "3.4", "3.5", "3.10", "4.0", "3", "x"].map(keeps_raft_state);
        assert_eq!(keeping, [false, false, true, true, true, false, false]);
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
}
