//! What the functions answer, as far as it is read here.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Prove;

/// A result of `backup`.
#[derive(Debug, Deserialize)]
pub(crate) struct BackedUp {
    pub(crate) slot: String,
    pub(crate) recovery_points: Vec<BackedUpPoint>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BackedUpPoint {
    pub(crate) members: Vec<BackedUpMember>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct BackedUpMember {
    pub(crate) member: String,
    pub(crate) snapshot: String,
}

/// A result of `verify`.
#[derive(Debug, Deserialize)]
pub(crate) struct Verified {
    pub(crate) members: Vec<VerifiedMember>,
    /// Nothing where it is not known.
    pub(crate) set: Option<Startable>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct VerifiedMember {
    pub(crate) member: String,
    pub(crate) verdict: String,
    pub(crate) reason: Option<String>,
    pub(crate) revision: Option<i64>,
}

/// In which order the members of a set can be started.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Startable {
    pub(crate) order: Vec<Vec<String>>,
    pub(crate) any_order: bool,
    pub(crate) why: String,
}

/// A result of `restore`.
#[derive(Debug, Deserialize)]
pub(crate) struct Restored {
    pub(crate) outcome: String,
    pub(crate) skew_ms: Option<i64>,
    pub(crate) set: Option<Startable>,
    /// Of a plan.
    #[serde(default)]
    pub(crate) stages: Vec<Vec<String>>,
    pub(crate) members: Vec<RestoredMember>,
    #[serde(default)]
    pub(crate) refusals: Vec<Value>,
    /// The event that applies a plan.
    #[serde(default)]
    pub(crate) apply: Value,
    /// The event of the next stage.
    pub(crate) then: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RestoredMember {
    pub(crate) member: String,
    pub(crate) new_volume: Option<String>,
    pub(crate) stage: Option<usize>,
}

/// Reads a function's result.
pub(crate) fn read<T: DeserializeOwned>(result: Value) -> Prove<T> {
    let shown = result.to_string();
    serde_json::from_value(result).map_err(|error| format!("an unexpected answer ({error}): {shown}").into())
}
