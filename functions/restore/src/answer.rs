//! The answer: the result as JSON, or the error that stopped the run.

use etcd_backup_aws::failure::Failure;
use etcd_backup_aws::fit::fit;
use etcd_backup_aws::lambda::{FunctionError, MOST_ANSWER};
use etcd_backup_core::restore::{Refusal, RestoreResult};
use serde::Serialize;
use serde_json::{Value, json};

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something stands in the way. Nothing was changed.
    Refused(Refusal),
    /// EC2 could not be asked. Nothing was changed.
    Unobserved(String),
    /// It stopped on the way.
    Interrupted(String, Box<RestoreResult>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Unobserved(failure.message)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Stop> for FunctionError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => {
                Self { error_type: refusal.kind.name(), message: format!("{}. Nothing was changed", refusal.message) }
            }
            Stop::Unobserved(why) => {
                let sentence = format!("nothing was changed: {why}; send the same event again");
                let nothing = json!({"outcome": "interrupted", "steps": [], "warnings": []});
                Self::with_result("RestoreInterrupted", &sentence, |_| nothing.to_string())
            }
            Stop::Interrupted(why, result) => Self::with_result("RestoreInterrupted", &why, |most| fit(&*result, most)),
        }
    }
}

/// A result as it leaves.
pub(crate) fn answer(result: &impl Serialize) -> Value {
    serde_json::from_str(&fit(result, MOST_ANSWER)).unwrap_or_default()
}
