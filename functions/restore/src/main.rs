//! Lambda function: makes volumes of etcd snapshots, cuts kops clusters over to them, and takes that back.

mod answer;
mod execute;
mod handler;
mod log;
mod observe;

use std::sync::Arc;

use aws_config::retry::RetryMode;
use etcd_backup_aws::clients;
use etcd_backup_aws::config::RestoreConfig;
use handler::Restore;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = RestoreConfig::from_env();
    if let Err(invalid) = &config {
        tracing::error!("The configuration cannot be used, every invocation will be refused: {invalid}");
    }
    let restore = Arc::new(Restore::new(&clients::load(RetryMode::Standard).await, config));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let restore = Arc::clone(&restore);
        async move { restore.handle(event).await }
    }))
    .await
}
