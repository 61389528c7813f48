//! Lambda function: snapshots the etcd volumes of kops clusters, and prunes old recovery points.

mod answer;
mod execute;
mod handler;
mod log;
mod request;

use std::sync::Arc;

use aws_config::retry::RetryMode;
use etcd_backup_aws::clients;
use etcd_backup_aws::config::BackupConfig;
use handler::Backup;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = BackupConfig::from_env();
    if let Err(invalid) = &config {
        tracing::error!("The configuration cannot be used, every invocation will be refused: {invalid}");
    }
    let backup = Arc::new(Backup::new(&clients::load(RetryMode::Adaptive).await, config));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let backup = Arc::clone(&backup);
        async move { backup.handle(event).await }
    }))
    .await
}
