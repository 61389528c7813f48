//! Errors as Lambda reports them.

use std::time::{Duration, SystemTime};

use lambda_runtime::Diagnostic;
use tokio::time::Instant;

/// Most bytes of an answer: Lambda takes 6 MB.
pub const MOST_ANSWER: usize = 6_000_000;

/// Most bytes of an error's message.
pub const MOST_ERROR: usize = 64_000;

/// An invocation's error. Its type is part of the public contract; alarms and callers match on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// The stable type.
    pub error_type: &'static str,
    /// What happened and what to do.
    pub message: String,
}

impl FunctionError {
    /// An error that carries a result: one sentence, a newline, the result as JSON, all cut to [`MOST_ERROR`].
    #[must_use]
    pub fn with_result(error_type: &'static str, sentence: &str, result: impl FnOnce(usize) -> String) -> Self {
        let sentence: String = sentence.chars().take(MOST_ERROR / 8).collect();
        let result = result(MOST_ERROR - sentence.len() - 1);
        Self { error_type, message: format!("{sentence}\n{result}") }
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.error_type.to_owned(), error_message: error.message }
    }
}

/// How long an invocation may go on.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// From then on nothing new is started.
    pub stop_starting: Instant,
    /// From then on no answer is waited for.
    pub stop_waiting: Instant,
    /// Then the invocation must have answered.
    pub end: Instant,
}

impl Deadline {
    /// What is left to answer in: at least a moment.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.end.duration_since(Instant::now()).max(Duration::from_millis(50))
    }

    /// Leaves a fifth of the time, at most ten seconds, to finish and report.
    #[must_use]
    pub fn new(lambda_deadline: SystemTime) -> Self {
        let left = lambda_deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let margin = (left / 5).min(Duration::from_secs(10));
        let end = Instant::now() + left;
        Self { stop_starting: end - margin, stop_waiting: end - margin / 2, end: end - margin / 8 }
    }
}
