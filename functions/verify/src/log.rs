//! What the log says of a run: every warning in a line of its own, and one wide event at its end.

use std::time::Duration;

use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::verify::{Answer, VerifyResult};
use serde_json::Value;
use tracing::{error, info, warn};

/// What was found.
pub(crate) fn result(answer: &Answer) {
    let own: &[String] = match answer {
        Answer::Point(_) | Answer::Nothing(_) => &[],
        Answer::Sweep(sweep) => &sweep.warnings,
    };
    let of_points = answer.points().iter().flat_map(|point: &VerifyResult| &point.warnings);
    for warning in own.iter().chain(of_points) {
        warn!("{warning}");
    }
}

/// Any invocation.
pub(crate) fn end(answer: &Result<Value, FunctionError>, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(answer) => info!(outcome = answer["outcome"].as_str(), took_ms, "Done"),
        Err(refused) => error!(error_type = refused.error_type, took_ms, "{refused}"),
    }
}
