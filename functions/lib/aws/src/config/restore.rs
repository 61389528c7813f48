//! The configuration of `restore`.

use etcd_backup_core::restore::Settings;

use super::{InvalidConfiguration, Reader, event_bus, from_env};

/// The configuration of `restore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreConfig {
    /// `CLUSTERS`, `MAX_SKEW`.
    pub settings: Settings,
    /// `CONCURRENCY`.
    pub concurrency: u32,
    /// `EVENT_BUS`; `None` sends no events.
    pub event_bus: Option<String>,
}

impl RestoreConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable: from_env, invalid: Vec::new() };
        let (clusters, max_skew) = (read.clusters(), read.max_skew());
        let (concurrency, event_bus) = (read.concurrency(), read.any_value("EVENT_BUS", "default", event_bus));
        match (clusters, max_skew, concurrency, event_bus) {
            (Some(clusters), Some(max_skew), Some(concurrency), Some(event_bus)) => {
                Ok(Self { settings: Settings { clusters, max_skew }, concurrency, event_bus })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}
