//! The answer: the result as JSON, or the error that stopped the run.

use etcd_backup_aws::failure::Failure;
use etcd_backup_aws::fit::fit;
use etcd_backup_aws::lambda::{FunctionError, MOST_ANSWER};
use etcd_backup_core::restore::Refusal;
use serde::Serialize;
use serde_json::{Value, json};

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something stands in the way. Nothing was written.
    Refused(Refusal),
    /// It failed. Nothing that etcd-manager would take for a backup or a command was written.
    Failed(String),
    /// The db was found broken while it was copied. Nothing that etcd-manager would take for a backup was written.
    Unsound(String),
    /// The last answer was lost: the backup or the command may be there.
    Unknown(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.message)
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
                Self { error_type: refusal.kind.name(), message: format!("{}. Nothing was written", refusal.message) }
            }
            Stop::Failed(why) => {
                failed(&format!("{why}; no backup and no command was written. Send the same event again"))
            }
            Stop::Unsound(why) => failed(&format!(
                "{why}; no backup was written, and trying again cannot help. Name another `member` or `recovery_point`, and have \
                 verify read this snapshot with `deep`"
            )),
            Stop::Unknown(why) => {
                failed(&format!("{why}; whether it was written is not known. Send the same event again: that tells"))
            }
        }
    }
}

fn failed(sentence: &str) -> FunctionError {
    let nothing = json!({"outcome": "incomplete", "warnings": []});
    FunctionError::with_result("ExportIncomplete", sentence, |_| nothing.to_string())
}

/// A result as it leaves.
pub(crate) fn answer(result: &impl Serialize) -> Value {
    serde_json::from_str(&fit(result, MOST_ANSWER)).unwrap_or_default()
}

/// What was done of what could be, and why not all.
pub(crate) fn incomplete(result: &impl Serialize, why: &str) -> FunctionError {
    FunctionError::with_result("ExportIncomplete", why, |most| fit(result, most))
}
