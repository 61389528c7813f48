//! Lambda function: makes volumes of etcd snapshots, cuts kops clusters over to them, and takes that back.
//! With `MODES=look` it is another function, `plan`, which says what there is and what would be done.

mod answer;
mod execute;
mod handler;
mod log;
mod observe;

use aws_config::retry::RetryMode;
use etcd_backup_aws::config::RestoreConfig;
use etcd_backup_aws::function::{self, Function};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    function::run(RestoreConfig::from_env(), RetryMode::Standard, Function::new, handler::handle).await
}
