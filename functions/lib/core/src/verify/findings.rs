//! What the examination of a snapshot gives, and what is written onto it.

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::plan::{Examination, Observed};
use crate::raft::{LogEnd, Position, Voters};
use crate::set::Unplaced;
use crate::verdict::{self, Verdict, Verified};

/// Why a snapshot is not read again. Whoever looks at it by hand is not kept from it.
const DIED: &str = "reading it ended the function twice, out of memory or of time: it is passed over now. `verify` by hand \
                    reads it";

/// What was found in a snapshot, in memory and in the answer. What could not be read is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The verdict.
    pub verdict: Verdict,
    /// What is wrong, unless it is `ok`.
    pub reason: Option<String>,
    /// The version of etcd that wrote it, as far as it can be told: `3.5`.
    pub etcd_version: Option<String>,
    /// The etcd cluster's own id. In the answer in hexadecimal digits, as etcd prints it.
    #[serde(serialize_with = "hexadecimal")]
    pub cluster_id: Option<u64>,
    /// The member's own id. In the answer in hexadecimal digits, as etcd prints it.
    #[serde(serialize_with = "hexadecimal")]
    pub member_id: Option<u64>,
    /// etcd's revision in the database: what the WAL adds to it is not counted.
    pub revision: Option<i64>,
    /// The raft index up to which the database has applied the WAL.
    pub consistent_index: Option<u64>,
    /// The raft index of the WAL's last entry.
    pub wal_last_index: Option<u64>,
    /// The term of that entry.
    pub wal_last_term: Option<u64>,
    /// Raft's term, as the member last knew it.
    pub term: Option<u64>,
    /// The raft index up to which the member knew that entries are committed.
    pub commit: Option<u64>,
    /// The own ids of the members that have a vote, this one among them. In the answer in hexadecimal digits.
    #[serde(serialize_with = "each_hexadecimal")]
    pub voters: Option<Vec<u64>>,
    /// The term in which it learned that.
    pub commit_term: Option<u64>,
    /// Size of the database file.
    pub db_bytes: Option<u64>,
    /// Blocks of the snapshot that were read, 512 KiB each.
    pub blocks_read: u64,
    /// How long it took. In the answer in seconds, to a tenth.
    #[serde(rename = "seconds", serialize_with = "tenths")]
    pub took: SignedDuration,
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn hexadecimal<S: Serializer>(id: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| format!("{id:x}")).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn each_hexadecimal<S: Serializer>(ids: &Option<Vec<u64>>, serializer: S) -> Result<S::Ok, S::Error> {
    ids.as_ref().map(|ids| ids.iter().map(|id| format!("{id:x}")).collect::<Vec<_>>()).serialize(serializer)
}

fn tenths<S: Serializer>(took: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    ((took.as_secs_f64() * 10.0).round() / 10.0).serialize(serializer)
}

impl Findings {
    /// Where the member stood, of an etcd that is restorable; or what it was found to be.
    pub fn position(&self) -> Result<Position, Unplaced> {
        let position = || {
            Some(Position {
                last: LogEnd { term: self.wal_last_term?, index: self.wal_last_index? },
                term: self.term?,
                commit: self.commit?,
                commit_term: self.commit_term?,
                revision: self.revision,
                index: self.consistent_index,
                cluster: self.cluster_id,
                member: self.member_id,
                voters: self.voters.as_ref().map(|ids| Voters::of(ids.iter().copied())),
            })
        };
        let known = position().filter(|_| self.verdict.is_restorable());
        known.ok_or(Unplaced::Found(self.verdict))
    }
}

/// What became of one examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// It was read and judged.
    Found {
        /// What was found.
        findings: Box<Findings>,
        /// Why the tag could not be written, if so. A sweep examines it again.
        unwritten: Option<String>,
    },
    /// It could not be read, and why. That is no verdict: the snapshot may be sound.
    Failed(String),
    /// Not begun: the deadline was near.
    Left,
}

impl Examination {
    /// What stands on the snapshot while it is read, and stays if that ends the function. `None`: the verdict that is there.
    ///
    /// After the first time, that it was tried: it is read once more, since a function can end for other reasons. Then, a
    /// verdict: no sweep reads it again.
    #[must_use]
    pub fn beforehand(&self, now: Timestamp) -> Option<String> {
        let died = || Verified::new(Verdict::Unsupported, now).because(DIED).to_string();
        self.was.is_none().then(|| if self.again { died() } else { verdict::begun(now) })
    }

    /// What takes back [such a verdict](Self::beforehand), where the function went on and can say why it could not read.
    #[must_use]
    pub fn afterwards(&self, now: Timestamp) -> Option<String> {
        (self.again && self.was == Some(Verdict::Unsupported)).then(|| verdict::begun(now))
    }

    /// What is to be written onto the snapshot. `None`: what stands there stays. A look at what a start needs does not
    /// take back `corrupt`, which a deep one may have found where it does not look.
    #[must_use]
    pub fn tag(&self, findings: &Findings, now: Timestamp) -> Option<Verified> {
        if self.keeps_corrupt(findings) {
            return None;
        }
        let verified = Verified { position: findings.position().ok(), ..Verified::new(findings.verdict, now) };
        let reason = findings.reason.as_ref().filter(|_| findings.verdict != Verdict::Ok);
        Some(reason.map_or(verified.clone(), |reason| verified.because(reason)))
    }

    /// Whether what was found gives way to a `corrupt` that stands on the snapshot. Reading takes a while, in which
    /// another run may have found it corrupt: so the tag is [seen again](Self::see_again) before it is written.
    #[must_use]
    pub fn gives_way(&self, findings: &Findings) -> bool {
        findings.verdict != Verdict::Corrupt && !self.deep
    }

    /// Takes over the verdict that the snapshot bears now. An error: it could not be seen, and must not be written over.
    pub fn see_again(&mut self, now: &Observed) -> Result<(), String> {
        let id = &self.snapshot;
        let snapshot = now.snapshots.iter().find(|snapshot| snapshot.id == *id);
        let snapshot = snapshot.ok_or_else(|| format!("{id} is not there any more"))?;
        self.was = snapshot.ours().ok_or_else(|| format!("{id} is not ours any more"))?.verdict();
        Ok(())
    }

    pub(super) fn keeps_corrupt(&self, findings: &Findings) -> bool {
        self.was == Some(Verdict::Corrupt) && self.gives_way(findings)
    }
}
