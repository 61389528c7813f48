//! A function's answer where it is not a result.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// What Lambda would give to the caller, the retry and the failure destination.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// E.g. `BackupIncomplete`.
    pub error_type: String,
    /// A sentence; after a newline, where there is one, a result as JSON.
    pub error_message: String,
}

impl FunctionError {
    pub(super) fn exited(request: &str, status: &str) -> Self {
        Self {
            error_type: "Runtime.ExitError".to_owned(),
            error_message: format!("RequestId: {request} Error: Runtime exited: {status}"),
        }
    }

    /// The first line.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.error_message.lines().next().unwrap_or_default()
    }

    /// The result that follows the first line.
    #[must_use]
    pub fn result(&self) -> Value {
        let (_, result) = self.error_message.split_once('\n').unwrap_or_else(|| panic!("no result in {self}"));
        serde_json::from_str(result).unwrap_or_else(|error| panic!("no JSON ({error}) in {self}"))
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.error_message)
    }
}

impl std::error::Error for FunctionError {}
