//! Configuration from the environment.
//!
//! | variable | default | accepted |
//! |---|---|---|
//! | `CLUSTERS` | `*` | `*`, or kops cluster names, comma-separated |
//! | `RETENTION` | see [`RETENTION`] | restic's `forget` words, see [`Policy`] |
//! | `PRUNE` | `on` | `on`, `off` |
//! | `SLOT` | `1h` | a duration that divides 24 hours |
//! | `MAX_PRUNE` | `100` | a whole number from 1 |
//! | `MAX_SKEW` | `5s` | a duration |
//! | `CONCURRENCY` | `16` | a whole number from 1 to 256 |
//! | `EVENT_BUS` | `default` | a bus name or ARN; empty sends no events |
//!
//! An absent variable takes its default, an empty one is an error except for `EVENT_BUS`.

use std::collections::BTreeSet;

use etcd_backup_core::backup::{ClusterSet, Settings};
use etcd_backup_core::ids::Cluster;
use etcd_backup_core::retention::Policy;
use etcd_backup_core::slot::Period;
use jiff::SignedDuration;

use crate::lambda::FunctionError;

/// The default of `RETENTION`.
pub const RETENTION: &str = "keep-last=3,keep-hourly=24,keep-daily=7,keep-weekly=4,keep-monthly=12";

/// The configuration of `backup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// `CLUSTERS`.
    pub clusters: ClusterSet,
    /// `RETENTION`, `PRUNE`, `SLOT`, `MAX_PRUNE`, `MAX_SKEW`.
    pub settings: Settings,
    /// `CONCURRENCY`.
    pub concurrency: u32,
    /// `EVENT_BUS`; `None` sends no events.
    pub event_bus: Option<String>,
}

/// Every bad value of the environment, in one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidConfiguration(Vec<String>);

impl From<InvalidConfiguration> for FunctionError {
    fn from(invalid: InvalidConfiguration) -> Self {
        Self { error_type: "InvalidConfiguration", message: invalid.to_string() }
    }
}

impl BackupConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, InvalidConfiguration> {
        Self::read(|name| match std::env::var(name) {
            Ok(value) => Some(value),
            Err(std::env::VarError::NotPresent) => None,
            // Not accepted anywhere, so that the variable is reported as bad.
            Err(std::env::VarError::NotUnicode(_)) => Some("\u{fffd}".to_owned()),
        })
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidConfiguration> {
        let mut read = Reader { variable, invalid: Vec::new() };
        let clusters = read.value("CLUSTERS", "*", clusters);
        let policy = read.value("RETENTION", RETENTION, |text| Policy::parse(text).map_err(|error| error.to_string()));
        let prune = read.value("PRUNE", "on", on_off);
        let period = read.value("SLOT", "1h", period);
        let max_prune = read.value("MAX_PRUNE", "100", |text| whole(text, 1_000_000));
        let max_skew = read.value("MAX_SKEW", "5s", max_skew);
        let concurrency = read.value("CONCURRENCY", "16", |text| whole(text, 256));
        let event_bus = event_bus(read.text("EVENT_BUS", "default"));
        let event_bus = read.check("EVENT_BUS", event_bus);
        match (clusters, policy, prune, period, max_prune, max_skew, concurrency, event_bus) {
            (
                Some(clusters),
                Some(policy),
                Some(prune),
                Some(period),
                Some(max_prune),
                Some(max_skew),
                Some(concurrency),
                Some(event_bus),
            ) => {
                let max_prune = max_prune as usize;
                let settings = Settings { policy, prune, period, max_prune, max_skew };
                Ok(Self { clusters, settings, concurrency, event_bus })
            }
            _ => Err(InvalidConfiguration(read.invalid)),
        }
    }
}

/// Reads variables, and collects what is wrong with them.
struct Reader<F> {
    variable: F,
    invalid: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn text(&self, name: &str, default: &str) -> String {
        (self.variable)(name).unwrap_or_else(|| default.to_owned())
    }

    fn check<T>(&mut self, name: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|why| self.invalid.push(format!("{name}: {why}"))).ok()
    }

    fn value<T>(&mut self, name: &str, default: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name, default);
        let empty = || format!("is empty; leave it away for its default `{default}`");
        self.check(name, if text.is_empty() { Err(empty()) } else { parse(&text) })
    }
}

fn clusters(text: &str) -> Result<ClusterSet, String> {
    if text == "*" {
        return Ok(ClusterSet::All);
    }
    let names = text.split(',').map(|name| Cluster::parse(name.trim()));
    let names: Result<BTreeSet<Cluster>, _> = names.collect();
    names.map(ClusterSet::Named).map_err(|error| format!("{error}; give `*` or names separated by commas"))
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither `on` nor `off`")),
    }
}

fn whole(text: &str, most: u32) -> Result<u32, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && (1..=most).contains(number));
    number.ok_or_else(|| format!("`{text}` is not a whole number from 1 to {most}"))
}

fn duration(text: &str) -> Option<SignedDuration> {
    text.parse().ok()
}

fn period(text: &str) -> Result<Period, String> {
    let period = duration(text).and_then(Period::new);
    period.ok_or_else(|| format!("`{text}` is not a duration that divides 24 hours, such as 30m, 1h or 6h"))
}

fn max_skew(text: &str) -> Result<SignedDuration, String> {
    let skew = duration(text).filter(|skew| !skew.is_negative());
    skew.ok_or_else(|| format!("`{text}` is not a duration such as 500ms, 5s or 1m"))
}

/// A bus's name, or its ARN; empty is none. What a name may hold: EventBridge's `EventBusName`.
fn event_bus(text: String) -> Result<Option<String>, String> {
    let is_arn = text.starts_with("arn:") && text.contains(":event-bus/");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/.-_".contains(c) || (is_arn && c == ':');
    if text.is_empty() {
        Ok(None)
    } else if text.len() <= 1600 && text.chars().all(allowed) {
        Ok(Some(text))
    } else {
        Err(format!("`{text}` is not an event bus's name or ARN; an empty value sends no events"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BackupConfig, String> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        BackupConfig::read(find).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_is_the_documented_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.clusters, ClusterSet::All);
        assert_eq!(config.settings.policy, Policy::parse(RETENTION).unwrap());
        assert_eq!(config.settings.max_prune, 100);
        assert_eq!(config.settings.max_skew, SignedDuration::from_secs(5));
        assert_eq!((config.settings.prune, config.concurrency), (true, 16));
        assert_eq!(config.event_bus.as_deref(), Some("default"));
    }

    #[test]
    fn an_empty_bus_sends_no_events_and_any_other_empty_value_is_an_error() {
        assert_eq!(read(&[("EVENT_BUS", "")]).unwrap().event_bus, None);
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
        let all = ["CLUSTERS", "RETENTION", "PRUNE", "SLOT", "MAX_PRUNE", "MAX_SKEW", "CONCURRENCY", "EVENT_BUS"];
        assert_eq!(names, all, "{error}");
    }

    #[test]
    fn good_values_are_taken() {
        let arn = "arn:aws:events:eu-central-1:123456789012:event-bus/ops";
        let config =
            read(&[("CLUSTERS", "a.example.com, b.example.com"), ("SLOT", "30m"), ("EVENT_BUS", arn)]).unwrap();
        let names = ["a.example.com", "b.example.com"].map(|name| Cluster::parse(name).unwrap());
        assert_eq!(config.clusters, ClusterSet::Named(names.into()));
        assert_eq!(Some(config.settings.period), Period::new(SignedDuration::from_mins(30)));
        assert_eq!(config.event_bus.as_deref(), Some(arn));
    }
}
