//! Events as people and AWS send them.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lambda::FunctionError;

/// Reads an event. The error names the field that is wrong and says what is `accepted`.
pub fn read<T: DeserializeOwned>(event: Value, accepted: &str) -> Result<T, FunctionError> {
    if !event.is_object() {
        return Err(invalid("the event is not a JSON object", accepted));
    }
    serde_path_to_error::deserialize(event).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner();
        let why = if path == "." { why.to_string() } else { format!("{path}: {why}") };
        invalid(why, accepted)
    })
}

/// The event cannot be meant: why, and what is accepted.
#[must_use]
pub fn invalid(why: impl Display, accepted: &str) -> FunctionError {
    FunctionError { error_type: "InvalidRequest", message: format!("{why}. Nothing was done; {accepted}") }
}
