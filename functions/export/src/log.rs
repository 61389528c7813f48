//! What the log says of a run: every warning in a line of its own, and one wide event at its end.

use std::time::Duration;

use etcd_backup_aws::lambda::FunctionError;
use serde_json::Value;
use tracing::{error, info, warn};

/// Any invocation.
pub(crate) fn end(answer: &Result<Value, FunctionError>, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(answer) => {
            for warning in answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                warn!("{warning}");
            }
            info!(outcome = answer["outcome"].as_str(), backup = answer["backup"].as_str(), took_ms, "Done");
        }
        Err(refused) => error!(error_type = refused.error_type, took_ms, "{refused}"),
    }
}
