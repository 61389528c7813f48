//! The configuration of `export`.

use etcd_backup_core::export::{Exports, Settings};
use etcd_backup_store::Template;

use super::{InvalidConfiguration, Reader, Shared, from_env};

/// The configuration of `export`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
    /// `CLUSTERS`, `EXPORT`.
    pub settings: Settings,
    /// `STORE`.
    pub store: Template,
    /// `STORE_REGION`; the function's own where there is none.
    pub region: Option<String>,
    /// `STORE_KMS_KEY`; the bucket's own encryption where there is none.
    pub kms_key: Option<String>,
}

impl ExportConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        let store = Template::parse(&read.text("STORE", "")).map_err(|error| error.to_string());
        let (store, exports) = (read.check("STORE", store), read.value("EXPORT", "off", exports));
        let region = read.optional("STORE_REGION", |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let kms_key = read.optional("STORE_KMS_KEY", |c| c.is_ascii_alphanumeric() || "-_:/".contains(c));
        match (read.shared(), store, exports) {
            (Some(shared), Some(store), Some(exports)) if read.invalid.is_empty() => {
                let settings = Settings { clusters: shared.clusters.clone(), exports };
                Ok(Self { shared, settings, store, region, kms_key })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}

fn exports(text: &str) -> Result<Exports, String> {
    match text {
        "off" => Ok(Exports::Off),
        "daily" => Ok(Exports::Daily),
        "all" => Ok(Exports::All),
        _ => Err(format!("`{text}` is none of `off`, `daily` and `all`")),
    }
}

impl AsRef<Shared> for ExportConfig {
    fn as_ref(&self) -> &Shared {
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = "s3://state-store/{cluster}/backups/etcd/{etcd_cluster}";

    fn read(variable: &str, value: &str) -> Result<ExportConfig, String> {
        let find = |name: &str| match name {
            _ if name == variable => Some(value.to_owned()),
            "STORE" => Some(STORE.to_owned()),
            _ => None,
        };
        ExportConfig::read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn a_store_is_all_it_needs() {
        let config = read("STORE", STORE).expect("a configuration");
        assert_eq!((config.settings.exports, config.region, config.kms_key), (Exports::Off, None, None));
        assert_eq!(read("EXPORT", "daily").map(|config| config.settings.exports), Ok(Exports::Daily));
        assert_eq!(read("STORE_REGION", "eu-west-1").map(|config| config.region), Ok(Some("eu-west-1".to_owned())));
        assert_eq!(read("STORE_REGION", "").map(|config| config.region), Ok(None), "a parameter that is not given");
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name() {
        for (variable, value) in [
            ("STORE", ""),
            ("STORE", "s3://b"),
            ("EXPORT", "weekly"),
            ("STORE_REGION", "Frankfurt"),
            ("STORE_KMS_KEY", "a b"),
        ] {
            let why = read(variable, value).expect_err(value);
            assert!(why.starts_with(&format!("{variable}: ")), "{why}");
        }
    }
}
