//! The answer: the result as JSON, or the error that stopped the run.

use etcd_backup_aws::fit::fit;
use etcd_backup_aws::lambda::{FunctionError, MOST_ANSWER};
use etcd_backup_core::restore::Refusal;
use etcd_backup_core::verify::VerifyReport;
use serde_json::{Value, json};

/// What was asked for by hand and cannot be done. Nothing was read.
pub(crate) fn refused(refusal: &Refusal) -> FunctionError {
    FunctionError { error_type: refusal.kind.name(), message: format!("{}. Nothing was read", refusal.message) }
}

/// A run that could not examine what it should have fails, so that retry, alarm and failure destination work. What could
/// be examined has been. That a snapshot is corrupt is a result.
pub(crate) fn answer(report: &VerifyReport) -> Result<Value, FunctionError> {
    match &report.failure {
        None => Ok(serde_json::from_str(&fit(&report.answer, MOST_ANSWER)).unwrap_or_default()),
        Some(failure) => Err(FunctionError::with_result("VerifyIncomplete", failure, |most| fit(&report.answer, most))),
    }
}

/// EC2 could not be asked, or not told.
pub(crate) fn failed(why: &str) -> FunctionError {
    let nothing = json!({"outcome": "incomplete", "recovery_points": [], "left": 0, "warnings": []});
    FunctionError::with_result("VerifyIncomplete", why, |_| nothing.to_string())
}
