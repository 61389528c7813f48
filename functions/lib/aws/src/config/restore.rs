//! The configuration of `restore`.

use etcd_backup_core::restore::Settings;

use super::{InvalidConfiguration, Reader, Shared, from_env};

/// The configuration of `restore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
    /// `CLUSTERS`, `MAX_SKEW`.
    pub settings: Settings,
}

impl RestoreConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        match (read.shared(), read.max_skew()) {
            (Some(shared), Some(max_skew)) => {
                let settings = Settings { clusters: shared.clusters.clone(), max_skew };
                Ok(Self { shared, settings })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}

impl AsRef<Shared> for RestoreConfig {
    fn as_ref(&self) -> &Shared {
        &self.shared
    }
}
