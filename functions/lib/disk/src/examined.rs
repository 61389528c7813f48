//! What is said of a volume.

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Of the db the pages that lead to what is reported, of the WAL what covers the newest `.snap`: what etcd replays.
    Shallow,
    /// Besides, every page of every bucket and every record of the WAL: etcd reads through all of it when it starts
    /// (`ValidSnapshotEntries`).
    Deep,
}

/// Whether an etcd can be restored from the volume, as far as its structure says. A changed byte inside a value cannot
/// be seen by anybody: bbolt's pages have no checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Structurally restorable.
    Ok,
    /// Structurally restorable, but something is not as etcd left it.
    Degraded,
    /// etcd would not start from it, or not with what it had.
    Corrupt,
    /// Another file system or feature: nothing is known.
    Unsupported,
}

/// What was found. What could not be read is absent, whatever the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not [`Verdict::Ok`]: which rule broke, and where.
    pub reason: Option<String>,
    /// The cluster's version, e.g. `3.5`: the lowest of its members', without the patch level.
    pub etcd_version: Option<String>,
    /// The cluster's id, by the WAL.
    pub cluster_id: Option<u64>,
    /// The member's id, by the WAL.
    pub member_id: Option<u64>,
    /// The revision of the db. A lower bound: etcd replays the WAL on top.
    pub revision: Option<i64>,
    /// The last raft index that is in the db.
    pub consistent_index: Option<u64>,
    /// The last raft index in the WAL.
    pub wal_last_index: Option<u64>,
    /// The term of the WAL's last entry: of the one that etcd would find there, not of one that a torn end cut off.
    pub wal_last_term: Option<u64>,
    /// The raft term, by the WAL's last HardState; where the WAL could not be read, that of the db's last entry (since
    /// 3.5).
    pub term: Option<u64>,
    /// The last raft index known to be committed, by the WAL's last HardState. In a crash image it may lag.
    pub commit: Option<u64>,
    /// The raft term in which the member learned of that, as far back as the WAL was read.
    pub commit_term: Option<u64>,
    /// Bytes of the db.
    pub db_bytes: Option<u64>,
    /// The members that the db knows.
    pub members: Vec<EtcdMember>,
    /// The ids of the members that have a vote, this one among them; `None` where no list names it.
    pub voters: Option<Vec<u64>>,
    /// The data directory, from the volume's root.
    pub data_dir: Option<String>,
}

/// A member of the etcd cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdMember {
    /// Its id.
    pub id: u64,
    /// Its name; empty until it has first started.
    pub name: String,
    /// Where the others reach it.
    pub peer_urls: Vec<String>,
    /// Whether it only follows, without a vote.
    pub is_learner: bool,
}
