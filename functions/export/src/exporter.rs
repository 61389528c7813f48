//! What every invocation needs.

use aws_config::SdkConfig;
use etcd_backup_aws::config::ExportConfig;
use etcd_backup_aws::function::Function;
use etcd_backup_aws::s3::S3;

/// The function, ready for its events.
pub(crate) struct Exporter {
    pub(crate) function: Function<ExportConfig>,
    pub(crate) s3: S3,
}

impl Exporter {
    pub(crate) fn new(config: ExportConfig, sdk: &SdkConfig) -> Self {
        let s3 = S3::new(sdk, config.region.clone(), config.kms_key.clone());
        Self { function: Function::new(config, sdk), s3 }
    }
}
