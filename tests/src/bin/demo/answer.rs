//! What `backup` answers, as far as the demo reads it.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Demo;

/// A result of `backup`.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) outcome: String,
    recovery_points: Vec<Point>,
    pub(crate) pruned: Vec<Pruned>,
    pub(crate) kept: usize,
    #[serde(default)]
    pub(crate) kept_points: Vec<Kept>,
    pub(crate) warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Point {
    members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
struct Member {
    action: String,
}

/// A deleted snapshot.
#[derive(Debug, Deserialize)]
pub(crate) struct Pruned {
    pub(crate) recovery_point: Timestamp,
    pub(crate) etcd_cluster: String,
    pub(crate) member: String,
    pub(crate) reason: String,
}

/// A recovery point that stays.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    pub(crate) recovery_point: Timestamp,
    pub(crate) etcd_cluster: String,
    pub(crate) reasons: Vec<String>,
}

/// Reads a function's result.
pub(crate) fn read<T: DeserializeOwned>(result: Value) -> Demo<T> {
    let shown = result.to_string();
    serde_json::from_value(result).map_err(|error| format!("an unexpected answer ({error}): {shown}").into())
}

impl Answer {
    /// How many members there are.
    pub(crate) fn members(&self) -> usize {
        self.recovery_points.iter().map(|point| point.members.len()).sum()
    }

    /// For how many members this was done: `created`, `existing`, `failed`.
    pub(crate) fn count(&self, action: &str) -> usize {
        let members = self.recovery_points.iter().flat_map(|point| &point.members);
        members.filter(|member| member.action == action).count()
    }
}
