//! The configuration of `backup`.

use etcd_backup_core::backup::Settings;
use etcd_backup_core::retention::Policy;

use super::{InvalidConfiguration, Reader, Shared, from_env, on_off, period, whole};

/// The default of `RETENTION`.
pub const RETENTION: &str = "keep-last=3,keep-hourly=24,keep-daily=7,keep-weekly=4,keep-monthly=12";

/// The configuration of `backup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// `CLUSTERS`, `CONCURRENCY`, `EVENT_BUS`.
    pub shared: Shared,
    /// `RETENTION`, `PRUNE`, `SLOT`, `MAX_PRUNE`, `MAX_SKEW`.
    pub settings: Settings,
}

impl BackupConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(from_env)
    }

    /// Reads these variables; `None` is an absent one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        let shared = read.shared();
        let policy = read.value("RETENTION", RETENTION, |text| Policy::parse(text).map_err(|error| error.to_string()));
        let prune = read.value("PRUNE", "on", on_off);
        let period = read.value("SLOT", "1h", period);
        let max_prune = read.value("MAX_PRUNE", "30", |text| whole(text, 1_000_000));
        let max_skew = read.max_skew();
        match (shared, policy, prune, period, max_prune, max_skew) {
            (Some(shared), Some(policy), Some(prune), Some(period), Some(max_prune), Some(max_skew)) => {
                let max_prune = max_prune as usize;
                Ok(Self { shared, settings: Settings { policy, prune, period, max_prune, max_skew } })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}

impl AsRef<Shared> for BackupConfig {
    fn as_ref(&self) -> &Shared {
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use etcd_backup_core::ids::Cluster;
    use etcd_backup_core::scope::ClusterSet;
    use etcd_backup_core::slot::Period;
    use jiff::SignedDuration;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BackupConfig, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        BackupConfig::read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_is_the_documented_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.shared.clusters, ClusterSet::All);
        assert_eq!(config.settings.policy, Policy::parse(RETENTION).unwrap());
        assert_eq!(config.settings.max_prune, 30);
        assert_eq!(config.settings.max_skew, SignedDuration::from_secs(5));
        assert_eq!((config.settings.prune, config.shared.concurrency), (true, 16));
        assert_eq!(config.shared.event_bus.as_deref(), Some("default"));
    }

    #[test]
    fn an_empty_bus_sends_no_events_and_any_other_empty_value_is_an_error() {
        assert_eq!(read(&[("EVENT_BUS", "")]).unwrap().shared.event_bus, None);
        for name in ["CLUSTERS", "RETENTION", "PRUNE", "SLOT", "MAX_PRUNE", "MAX_SKEW", "CONCURRENCY"] {
            let error = read(&[(name, "")]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: is empty; leave it away for its default `")), "{error}");
        }
    }

    #[test]
    fn every_bad_value_is_in_one_message() {
        let error = read(&[
            ("CLUSTERS", "k8s.example.com,,"),
            ("RETENTION", "keep-last=0"),
            ("PRUNE", "yes"),
            ("SLOT", "7h"),
            ("MAX_PRUNE", "0"),
            ("MAX_SKEW", "-1s"),
            ("CONCURRENCY", "many"),
            ("EVENT_BUS", "a bus"),
        ])
        .unwrap_err();
        let names: Vec<&str> =
            error.split("; ").filter_map(|part| part.split_once(": ")).map(|(name, _)| name).collect();
        let all = ["CLUSTERS", "CONCURRENCY", "EVENT_BUS", "RETENTION", "PRUNE", "SLOT", "MAX_PRUNE", "MAX_SKEW"];
        assert_eq!(names, all, "{error}");
    }

    #[test]
    fn good_values_are_taken() {
        let arn = "arn:aws:events:eu-central-1:123456789012:event-bus/ops";
        let config =
            read(&[("CLUSTERS", "a.example.com, b.example.com"), ("SLOT", "30m"), ("EVENT_BUS", arn)]).unwrap();
        let names = ["a.example.com", "b.example.com"].map(|name| Cluster::parse(name).unwrap());
        assert_eq!(config.shared.clusters, ClusterSet::Named(names.into()));
        assert_eq!(Some(config.settings.period), Period::new(SignedDuration::from_mins(30)));
        assert_eq!(config.shared.event_bus.as_deref(), Some(arn));
    }
}
