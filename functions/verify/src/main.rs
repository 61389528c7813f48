//! Lambda function: reads finished snapshots and says whether a restorable etcd is in them.

mod answer;
mod examine;
mod handler;
mod log;
mod marks;
mod request;
mod source;

use aws_config::retry::RetryMode;
use etcd_backup_aws::config::VerifyConfig;
use etcd_backup_aws::function;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    function::run(VerifyConfig::from_env(), RetryMode::Standard, handler::handle).await
}
