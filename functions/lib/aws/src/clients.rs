//! One client set-up for all functions.

use std::time::Duration;

use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// How long one attempt of any call may take. EC2 answers within a second or two; a lost connection must not eat the
/// invocation.
const ATTEMPT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(3);

/// Region, credentials and endpoint from the environment, so that `AWS_ENDPOINT_URL` points everything at a local
/// AWS. What must not be repeated blindly switches retries off for itself.
///
/// With [`RetryMode::Adaptive`] a throttled client slows all its calls down to what EC2 takes, half a call a second at
/// first: right for the many calls of a fleet. A restore makes some thirty and must not wait a minute: it takes
/// [`RetryMode::Standard`], which backs off call by call.
pub async fn load(retry: RetryMode) -> SdkConfig {
    let retry = match retry {
        RetryMode::Adaptive => RetryConfig::adaptive(),
        _ => RetryConfig::standard(),
    };
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retry.with_max_attempts(5))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build())
        .load()
        .await
}
