//! Lambda function: copies the db of a snapshot into etcd-manager's backup store, and looks after that store.

mod answer;
mod backup;
mod command;
mod copy;
mod export;
mod exporter;
mod handler;
mod log;
mod parts;
mod request;
mod store;
mod watch;

use aws_config::retry::RetryMode;
use etcd_backup_aws::config::ExportConfig;
use etcd_backup_aws::function;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    function::run(ExportConfig::from_env(), RetryMode::Standard, exporter::Exporter::new, handler::handle).await
}
