//! What a failed call means. The one place where EC2's error codes are matched.

use std::fmt;

use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_types::error::metadata::ErrorMetadata;
use etcd_backup_core::told;

/// What a failed call means for whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// EC2 refused it for now, nothing happened: the whole account or region is at a limit.
    Throttled,
    /// EC2 refused it for now, nothing happened: this volume is at a limit.
    VolumeAtLimit,
    /// The resource does not exist.
    NotFound,
    /// What was to be new is there already.
    Exists,
    /// The answer was lost: it may have happened or not.
    Unknown,
    /// EC2 refused it.
    Refused,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub meaning: Meaning,
    /// The call, EC2's code and its words, for people.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// Reads the SDK's error. Matched by code, not by HTTP status: `RequestLimitExceeded` comes as a 503, like
    /// answers that say nothing of what happened.
    pub(crate) fn of<E, R>(call: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug,
    {
        let SdkError::ServiceError(service) = error else {
            let meaning = match error {
                SdkError::ConstructionFailure(_) => Meaning::Refused,
                _ => Meaning::Unknown,
            };
            return Self { meaning, message: told(call, &DisplayErrorContext(error).to_string()) };
        };
        let metadata: &ErrorMetadata = service.err().meta();
        let code = metadata.code().unwrap_or("no error code");
        let message = metadata.message().unwrap_or("no message");
        Self { meaning: meaning(code), message: told(call, &format!("{code}: {message}")) }
    }

    /// An answer that did not come whole, or not in time.
    #[must_use]
    pub fn late(call: &'static str, what: &str) -> Self {
        Self { meaning: Meaning::Unknown, message: told(call, what) }
    }

    /// An answer that lacks what it always has: as good as none.
    pub(crate) fn unreadable(call: &'static str, what: impl fmt::Display) -> Self {
        Self { meaning: Meaning::Unknown, message: told(call, &format!("unreadable answer: {what}")) }
    }
}

/// EC2 quotes what it was asked for, so also what others wrote into tags.
fn told(call: &str, what: &str) -> String {
    format!("{call}: {}", told::sentence(what))
}

fn meaning(code: &str) -> Meaning {
    match code {
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "RequestThrottled"
        | "SlowDown"
        | "EC2ThrottledException"
        | "PendingSnapshotLimitExceeded" => Meaning::Throttled,
        "SnapshotCreationPerVolumeRateExceeded" | "ConcurrentSnapshotLimitExceeded" => Meaning::VolumeAtLimit,
        "InvalidSnapshot.NotFound" | "InvalidVolume.NotFound" | "NoSuchKey" | "NoSuchUpload" | "NotFound" => {
            Meaning::NotFound
        }
        "PreconditionFailed" => Meaning::Exists,
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Unavailable"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "no error code" => Meaning::Unknown,
        _ => Meaning::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_call_is_not_a_lost_answer_though_both_are_503() {
        assert_eq!(meaning("RequestLimitExceeded"), Meaning::Throttled);
        assert_eq!(meaning("Unavailable"), Meaning::Unknown);
        assert_eq!(meaning("ConcurrentSnapshotLimitExceeded"), Meaning::VolumeAtLimit);
        assert_eq!(meaning("PendingSnapshotLimitExceeded"), Meaning::Throttled, "a limit of the region");
        assert_eq!(meaning("InvalidSnapshot.NotFound"), Meaning::NotFound);
        assert_eq!(meaning("UnauthorizedOperation"), Meaning::Refused);
        assert_eq!(meaning("SnapshotLimitExceeded"), Meaning::Refused);
    }
}
