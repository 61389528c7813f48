//! One client set-up for all functions.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// How long one attempt of any call may take. EC2 answers within a second or two; a lost connection must not eat the
/// invocation.
const ATTEMPT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(3);

/// Region, credentials and endpoint from the environment, so that `AWS_ENDPOINT_URL` points everything at a local
/// AWS. Throttled calls back off adaptively; what must not be repeated blindly switches that off for itself.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::adaptive().with_max_attempts(5))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build())
        .load()
        .await
}
