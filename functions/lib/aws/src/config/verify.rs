//! The configuration of `verify`.

use super::{InvalidConfiguration, Reader, Shared, from_env};

/// The configuration of `verify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
}

impl VerifyConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        let shared = read.shared();
        shared.map(|shared| Self { shared }).ok_or(InvalidConfiguration(read.invalid))
    }
}

impl AsRef<Shared> for VerifyConfig {
    fn as_ref(&self) -> &Shared {
        &self.shared
    }
}
