//! Lambda function: reads finished snapshots and says whether a restorable etcd is in them.

mod answer;
mod examine;
mod handler;
mod log;
mod marks;
mod request;

use aws_config::retry::RetryMode;
use etcd_backup_aws::config::VerifyConfig;
use etcd_backup_aws::function::{self, Function};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    function::run(VerifyConfig::from_env(), RetryMode::Standard, Function::new, handler::handle).await
}
