//! The configuration of `restore`, and of `plan`, which is the same binary.

use etcd_backup_core::restore::Settings;

use super::{InvalidConfiguration, Reader, Shared, from_env};

/// Which modes the function knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// All: it is `restore`.
    All,
    /// Those that change nothing: it is `plan`.
    Look,
}

/// The configuration of `restore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
    /// `CLUSTERS`, `MAX_SKEW`.
    pub settings: Settings,
    /// `MODES`.
    pub modes: Modes,
}

impl RestoreConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        match (read.shared(), read.max_skew(), read.value("MODES", "all", modes)) {
            (Some(shared), Some(max_skew), Some(modes)) => {
                let settings = Settings { clusters: shared.clusters.clone(), max_skew };
                Ok(Self { shared, settings, modes })
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

fn modes(text: &str) -> Result<Modes, String> {
    match text {
        "all" => Ok(Modes::All),
        "look" => Ok(Modes::Look),
        _ => Err(format!("`{text}` is neither `all` nor `look`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Option<&str>) -> Result<Modes, String> {
        let find = |name: &str| value.filter(|_| name == "MODES").map(str::to_owned);
        RestoreConfig::read(find).map(|config| config.modes).map_err(|error| error.to_string())
    }

    #[test]
    fn it_knows_all_modes_unless_it_is_to_look_alone() {
        assert_eq!(read(None), Ok(Modes::All));
        assert_eq!(read(Some("all")), Ok(Modes::All));
        assert_eq!(read(Some("look")), Ok(Modes::Look));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for value in ["", "plan", "Look"] {
            assert!(read(Some(value)).unwrap_err().starts_with("MODES: "), "{value}");
        }
    }
}
