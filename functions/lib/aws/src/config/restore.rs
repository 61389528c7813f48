//! The configuration of `restore`, and of `plan`, which is the same binary.

use etcd_backup_core::restore::{ForeignSnapshots, Settings};

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
    /// `CLUSTERS`, `MAX_SKEW`, `FOREIGN_SNAPSHOTS`.
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
        let (modes, foreign) =
            (read.value("MODES", "all", modes), read.value("FOREIGN_SNAPSHOTS", "off", foreign_snapshots));
        match (read.shared(), read.max_skew(), modes, foreign) {
            (Some(shared), Some(max_skew), Some(modes), Some(foreign)) => {
                let settings = Settings { clusters: shared.clusters.clone(), max_skew, foreign };
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

fn foreign_snapshots(text: &str) -> Result<ForeignSnapshots, String> {
    let all = [ForeignSnapshots::Off, ForeignSnapshots::Account, ForeignSnapshots::Any];
    let named = all.into_iter().find(|foreign| foreign.word() == text);
    named.ok_or_else(|| format!("`{text}` is none of `off`, `account` and `any`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variable: &str, value: Option<&str>) -> Result<RestoreConfig, String> {
        let find = |name: &str| value.filter(|_| name == variable).map(str::to_owned);
        RestoreConfig::read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn it_knows_all_modes_unless_it_is_to_look_alone() {
        let modes = |value| read("MODES", value).map(|config| config.modes);
        assert_eq!(modes(None), Ok(Modes::All));
        assert_eq!(modes(Some("all")), Ok(Modes::All));
        assert_eq!(modes(Some("look")), Ok(Modes::Look));
    }

    #[test]
    fn no_foreign_snapshots_are_restored_unless_they_are_let_in() {
        let foreign = |value| read("FOREIGN_SNAPSHOTS", value).map(|config| config.settings.foreign);
        assert_eq!(foreign(None), Ok(ForeignSnapshots::Off));
        assert_eq!(foreign(Some("off")), Ok(ForeignSnapshots::Off));
        assert_eq!(foreign(Some("account")), Ok(ForeignSnapshots::Account));
        assert_eq!(foreign(Some("any")), Ok(ForeignSnapshots::Any));
    }

    #[test]
    fn any_other_word_is_refused() {
        for variable in ["MODES", "FOREIGN_SNAPSHOTS"] {
            for value in ["", "plan", "Look", "on"] {
                assert!(read(variable, Some(value)).unwrap_err().starts_with(&format!("{variable}: ")), "{value}");
            }
        }
    }
}
