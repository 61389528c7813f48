//! The configuration of `verify`.

use etcd_backup_core::verify::{Reads, Settings};

use super::{InvalidConfiguration, Reader, Shared, from_env};

/// The configuration of `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
    /// `CLUSTERS`, `VERIFY`.
    pub settings: Settings,
}

impl VerifyConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        match (read.shared(), read.value("VERIFY", "all", reads)) {
            (Some(shared), Some(reads)) => {
                let settings = Settings { clusters: shared.clusters.clone(), reads };
                Ok(Self { shared, settings })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}

fn reads(text: &str) -> Result<Reads, String> {
    match text {
        "all" => Ok(Reads::All),
        "daily" => Ok(Reads::Daily),
        "off" => Ok(Reads::Off),
        _ => Err(format!("`{text}` is none of `all`, `daily` and `off`")),
    }
}

impl AsRef<Shared> for VerifyConfig {
    fn as_ref(&self) -> &Shared {
        &self.shared
    }
}
