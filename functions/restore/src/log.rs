//! What the log says of a run: every warning and every step in a line of its own, and one wide event at its end.

use std::time::Duration;

use etcd_backup_aws::lambda::FunctionError;
use etcd_backup_core::restore::{RestoreResult, StepState};
use serde_json::Value;
use tracing::{error, info, warn};

/// An apply or an undo.
pub(crate) fn result(result: &RestoreResult) {
    for warning in &result.warnings {
        warn!("{warning}");
    }
    let count = |state| result.steps.iter().filter(|step| step.state == state).count();
    let (done, already, planned) = (count(StepState::Done), count(StepState::Already), count(StepState::Planned));
    info!(
        outcome = ?result.outcome,
        cluster = %result.cluster,
        etcd_cluster = %result.etcd_cluster,
        recovery_point = result.recovery_point.map(|slot| slot.to_string()),
        members = result.members.len(),
        done,
        already,
        left = planned,
        accepted = result.acceptance.as_ref().map(etcd_backup_core::restore::Acceptance::is_ok),
        warnings = result.warnings.len(),
        "{} of {}: {done} steps done, {already} found done, {planned} left",
        result.etcd_cluster,
        result.cluster
    );
}

/// Any invocation.
pub(crate) fn end(answer: &Result<Value, FunctionError>, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match answer {
        Ok(answer) => info!(outcome = answer["outcome"].as_str(), took_ms, "Done"),
        Err(refused) => error!(error_type = refused.error_type, took_ms, "{refused}"),
    }
}
