//! Lambda function: snapshots the etcd volumes of kops clusters, and prunes old recovery points.

mod answer;
mod execute;
mod handler;
mod log;
mod request;

use aws_config::retry::RetryMode;
use etcd_backup_aws::config::BackupConfig;
use etcd_backup_aws::function::{self, Function};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    function::run(BackupConfig::from_env(), RetryMode::Adaptive, Function::new, handler::handle).await
}
