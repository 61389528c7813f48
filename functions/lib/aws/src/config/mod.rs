//! Configuration from the environment.
//!
//! | variable | default | accepted |
//! |---|---|---|
//! | `CLUSTERS` | `*` | `*`, or kops cluster names, comma-separated |
//! | `RETENTION` | see [`RETENTION`] | restic's `forget` words, see [`Policy`](etcd_backup_core::retention::Policy) |
//! | `PRUNE` | `on` | `on`, `off` |
//! | `SLOT` | `1h` | a duration that divides 24 hours |
//! | `MAX_PRUNE` | `30` | a whole number from 1 |
//! | `MAX_SKEW` | `5s` | a duration |
//! | `MODES` | `all` | `all`, `look` |
//! | `FOREIGN_SNAPSHOTS` | `off` | `off`, `account`, `any` |
//! | `CONCURRENCY` | `16` | a whole number from 1 to 256 |
//! | `VERIFY` | `all` | `all`, `daily`, `off` |
//! | `STORE` | none | `s3://bucket/prefix` with `{cluster}` and `{etcd_cluster}` |
//! | `STORE_REGION` | the function's | a region's name |
//! | `STORE_KMS_KEY` | the bucket's | a key's ARN or id |
//! | `EXPORT` | `off` | `off`, `daily`, `all` |
//! | `EVENT_BUS` | `default` | a bus name or ARN; empty sends no events |
//!
//! An absent variable takes its default, an empty one is an error except for `EVENT_BUS`, `STORE_REGION` and
//! `STORE_KMS_KEY`.

mod backup;
mod export;
mod restore;
mod verify;

use std::collections::BTreeSet;

use etcd_backup_core::ids::Cluster;
use etcd_backup_core::scope::ClusterSet;
use etcd_backup_core::slot::Period;
use jiff::SignedDuration;

pub use backup::{BackupConfig, RETENTION};
pub use export::ExportConfig;
pub use restore::{Modes, RestoreConfig};
pub use verify::VerifyConfig;

use crate::lambda::FunctionError;

/// What every function is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// `CLUSTERS`.
    pub clusters: ClusterSet,
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

/// Reads variables, and collects what is wrong with them.
struct Reader<F> {
    variable: F,
    invalid: Vec<String>,
}

/// A variable of the process's environment.
fn from_env(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(std::env::VarError::NotPresent) => None,
        // Not accepted anywhere, so that the variable is reported as bad.
        Err(std::env::VarError::NotUnicode(_)) => Some("\u{fffd}".to_owned()),
    }
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// `None`: one of them is bad.
    fn shared(&mut self) -> Option<Shared> {
        let clusters = self.value("CLUSTERS", "*", clusters);
        let concurrency = self.value("CONCURRENCY", "16", |text| whole(text, 256));
        let event_bus = event_bus(self.text("EVENT_BUS", "default"));
        let event_bus = self.check("EVENT_BUS", event_bus);
        Some(Shared { clusters: clusters?, concurrency: concurrency?, event_bus: event_bus? })
    }

    fn max_skew(&mut self) -> Option<SignedDuration> {
        self.value("MAX_SKEW", "5s", max_skew)
    }

    fn text(&self, name: &str, default: &str) -> String {
        (self.variable)(name).unwrap_or_else(|| default.to_owned())
    }

    fn check<T>(&mut self, name: &str, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|why| self.invalid.push(format!("{name}: {why}"))).ok()
    }

    /// A value that may be absent or empty, of such characters. What is wrong with it is in `invalid`.
    fn optional(&mut self, name: &str, is_allowed: impl Fn(char) -> bool) -> Option<String> {
        let text = self.text(name, "");
        let checked = if text.chars().all(is_allowed) { Ok(()) } else { Err(format!("`{text}` is none")) };
        self.check(name, checked).map(|()| text).filter(|text| !text.is_empty())
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
