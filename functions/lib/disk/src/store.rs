//! What etcd keeps in its db, beside the keys themselves.
//!
//! Buckets and keys are those of etcd's `mvcc` (`key`: revisions), `cindex` (`meta`), `membership` (`members`, `cluster`,
//! `meta`: `confState`) and `v3alarm` (`alarm`).

mod membership;

use crate::bbolt::{Bucket, Db};
use crate::examined::EtcdMember;
use crate::fault::{Fault, broken};
use crate::protobuf::{self, Malformed, Value, fields};
use crate::version::{V3_5, Version};
pub(crate) use membership::ConfState;

/// Bytes of a revision's key: main (8), `_`, sub (8). A deletion has a `t` more.
pub(crate) const SHORTEST_REVISION: usize = 17;

/// What a db says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Store {
    /// A version that the rules do not know: then nothing else is read.
    pub(crate) unknown: Option<String>,
    /// The cluster's version; in the first seconds of a cluster's life none, or that of the db itself.
    pub(crate) version: Option<Version>,
    /// Of the last key; 0 while there is none.
    pub(crate) revision: i64,
    /// The last raft index that is in the db.
    pub(crate) consistent_index: u64,
    /// The raft term of the entry at that index, since 3.5.
    pub(crate) term: Option<u64>,
    /// Whom raft counts, since 3.5; or why that cannot be read.
    pub(crate) conf_state: Option<Result<ConfState, String>>,
    /// The cluster's version, e.g. `3.5`: not yet set in the first seconds of a cluster's life.
    pub(crate) etcd_version: Option<String>,
    pub(crate) members: Vec<EtcdMember>,
    /// The ids of those that were removed.
    pub(crate) removed: Vec<u64>,
    pub(crate) alarms: Vec<Alarm>,
}

/// An alarm that is set, and the member that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// The db has reached its quota.
    NoSpace(u64),
    /// The member's data differ from the others'.
    Corrupt(u64),
    /// Of a kind that is not known here.
    Other(u64),
}

/// Reads a db by the pages that lead there.
pub(crate) fn read(db: &Db<'_>) -> Result<Store, Fault> {
    read_with(db, |keys| db.last_key(keys))
}

/// The same, where the last key is known from elsewhere.
pub(crate) fn read_with(
    db: &Db<'_>,
    last_key: impl FnOnce(&Bucket) -> Result<Option<Vec<u8>>, Fault>,
) -> Result<Store, Fault> {
    let etcd_version = text(db, "cluster", "clusterVersion")?;
    let of_db = text(db, "meta", "storageVersion")?;
    let mut store = Store { etcd_version: etcd_version.as_deref().map(shorter), ..Store::default() };
    for (whose, version) in [("cluster", etcd_version.as_ref()), ("db", of_db.as_ref())] {
        match version.map(|version| Version::known(version)).transpose() {
            Ok(known) => store.version = store.version.or(known),
            Err(unknown) => {
                store.unknown = Some(format!("the {whose} is of version {unknown}"));
                return Ok(store);
            }
        }
    }
    let keys = bucket(db, "key")?;
    let meta = bucket(db, "meta")?;
    let number = |key| db.get(&meta, key)?.map(|value| number(key, &value)).transpose();
    store.revision = last_key(&keys)?.map_or(Ok(0), |key| revision(&key))?.max(compacted(db, &meta)?);
    store.consistent_index = number("consistent_index")?.unwrap_or_default();
    store.members = membership::members(db)?;
    store.removed = membership::removed(db)?;
    store.alarms = alarms(db)?;
    // Before 3.5, what a db has of them is a newer etcd's, and stale.
    if store.version.is_some_and(|version| version >= V3_5) {
        store.term = number("term")?;
        store.conf_state = db.get(&meta, "confState")?.map(|value| membership::conf_state(&value));
    }
    Ok(store)
}

/// Reads every page of every bucket. What is in `key` etcd reads when it starts, and ends where it cannot
/// (`mvcc/kvstore.go`, `restore`).
pub(crate) fn read_all(db: &Db<'_>) -> Result<(), Fault> {
    db.every_key(&mut |bucket, key, value| {
        if bucket == "key" { check_key(key, value) } else { Ok(()) }
    })
}

/// Whether etcd can read what is under a key of `key`.
pub(crate) fn check_key(key: &[u8], value: &[u8]) -> Result<(), Fault> {
    let revision = revision(key)?;
    let is_deletion = key.len() > SHORTEST_REVISION;
    if !is_deletion && !is_key_value(value) {
        return Err(broken(format!("revision {revision} in `key` holds no key and value")));
    }
    Ok(())
}

/// Whether a key has the form of those in `key`.
pub(crate) fn is_revision(key: &[u8]) -> bool {
    main(key).is_some()
}

/// `mvccpb.KeyValue`: key, three revisions, value and lease.
fn is_key_value(value: &[u8]) -> bool {
    fields(value).all(|field| matches!(field, Ok((1 | 5, Value::Bytes(_)) | (2..=4 | 6, Value::Number(_)) | (7.., _))))
}

fn bucket(db: &Db<'_>, name: &str) -> Result<Bucket, Fault> {
    db.bucket(name)?.ok_or_else(|| broken(format!("no bucket `{name}`")))
}

/// A short text, if it is there.
fn text(db: &Db<'_>, bucket: &str, key: &str) -> Result<Option<String>, Fault> {
    let Some(bucket) = db.bucket(bucket)? else { return Ok(None) };
    Ok(db.get(&bucket, key)?.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

/// etcd writes a version as `3.5.0`: the patch level is always 0.
fn shorter(version: &str) -> String {
    version.strip_suffix(".0").unwrap_or(version).to_owned()
}

/// The revision up to which was compacted, or is to be: where the last key was a deletion that went with it, no key tells
/// the revision any more, and etcd takes this one (`mvcc/kvstore.go`, `restore`).
fn compacted(db: &Db<'_>, meta: &Bucket) -> Result<i64, Fault> {
    let mut greatest = 0;
    for key in ["scheduledCompactRev", "finishedCompactRev"] {
        let compacted = db.get(meta, key)?.and_then(|value| main(&value));
        greatest = greatest.max(compacted.unwrap_or_default());
    }
    Ok(greatest)
}

/// A key in `key`. etcd reads those of revision 1 and later (`restore`): of another it would know nothing.
fn revision(key: &[u8]) -> Result<i64, Fault> {
    let main = main(key).ok_or_else(|| broken("a key in `key` that is no revision"))?;
    if main == 0 {
        return Err(broken("a key in `key` of revision 0, which no etcd reads"));
    }
    Ok(main)
}

/// The main number of a revision: of what one transaction changed, all have the same.
fn main(key: &[u8]) -> Option<i64> {
    let sound =
        key.get(8) == Some(&b'_') && matches!((key.len(), key.last()), (SHORTEST_REVISION, _) | (18, Some(b't')));
    let main = key.first_chunk().map(|main| i64::from_be_bytes(*main));
    main.filter(|main| sound && *main >= 0)
}

/// As `unsafeReadConsistentIndex` takes it when etcd starts: what follows the number is passed over, and on less than one
/// etcd panics.
fn number(key: &str, value: &[u8]) -> Result<u64, Fault> {
    let number = value.first_chunk().map(|number| u64::from_be_bytes(*number));
    number.ok_or_else(|| broken(format!("`{key}` in `meta` is no number")))
}

/// The alarms that are set: each an `etcdserverpb.AlarmMember`, and that as the key (`schema/alarm.go`).
fn alarms(db: &Db<'_>) -> Result<Vec<Alarm>, Fault> {
    let Some(bucket) = db.bucket("alarm")? else { return Ok(Vec::new()) };
    let alarm = |(key, _): (Vec<u8>, Vec<u8>)| alarm(&key).map_err(|Malformed| broken("a key in `alarm` that is none"));
    db.entries(&bucket)?.into_iter().map(alarm).collect()
}

fn alarm(key: &[u8]) -> Result<Alarm, Malformed> {
    let (mut member, mut kind) = (0, 0);
    for field in fields(key) {
        match field? {
            (1, value) => member = protobuf::number(value)?,
            (2, value) => kind = protobuf::number(value)?,
            _ => {}
        }
    }
    Ok(match kind {
        1 => Alarm::NoSpace(member),
        2 => Alarm::Corrupt(member),
        _ => Alarm::Other(member),
    })
}

#[cfg(test)]
mod tests;
