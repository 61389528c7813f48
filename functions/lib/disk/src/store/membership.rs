//! Who is a member: by etcd's own list, and by raft's.

use super::broken;
use crate::bbolt::Db;
use crate::examined::EtcdMember;
use crate::fault::Fault;

/// `raftpb.ConfState`, as JSON: the ids that have a vote, and those of learners. What is missing is empty: `etcdutl migrate`
/// makes one without members.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
pub(crate) struct ConfState {
    #[serde(default)]
    voters: Option<Vec<u64>>,
    #[serde(default)]
    learners: Option<Vec<u64>>,
}

impl ConfState {
    pub(crate) fn voters(&self) -> &[u64] {
        self.voters.as_deref().unwrap_or_default()
    }

    pub(crate) fn learners(&self) -> &[u64] {
        self.learners.as_deref().unwrap_or_default()
    }

    /// Whether it knows a member.
    pub(crate) fn names(&self, member: u64) -> bool {
        self.voters().contains(&member) || self.learners().contains(&member)
    }
}

/// What `confState` holds, or why it cannot be read.
pub(super) fn conf_state(value: &[u8]) -> Result<ConfState, String> {
    serde_json::from_slice(value).map_err(|error| error.to_string())
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

/// The bucket `members`.
pub(super) fn members(db: &Db<'_>) -> Result<Vec<EtcdMember>, Fault> {
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

/// The bucket `members_removed`: their ids in hexadecimal are its keys (`schema/membership.go`).
pub(super) fn removed(db: &Db<'_>) -> Result<Vec<u64>, Fault> {
    let Some(bucket) = db.bucket("members_removed")? else { return Ok(Vec::new()) };
    let id = |(key, _): (Vec<u8>, Vec<u8>)| u64::from_str_radix(std::str::from_utf8(&key).ok()?, 16).ok();
    Ok(db.entries(&bucket)?.into_iter().filter_map(id).collect())
}
