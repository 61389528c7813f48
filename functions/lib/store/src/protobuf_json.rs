//! The files that are JSON of protobuf messages, as etcd-manager writes and reads them.
//!
//! It writes with two spaces of indentation and no newline at the end, leaves away what is empty or 0, and 64-bit numbers are
//! strings. It reads names in either spelling, and refuses a message with a field that it does not know: also within others.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::name::Name;

/// The most bytes that are read of a file: such messages have some hundred.
const MOST: usize = 64 << 10;

/// The spec of an etcd cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    /// How many members it is to have.
    pub members: i32,
    /// Its version, e.g. `3.6.12`.
    pub etcd_version: String,
}

/// What stands beside a backup's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The version to restore it with.
    pub etcd_version: String,
    /// When it was made, in whole seconds since 1970.
    pub timestamp: i64,
    /// The spec of the etcd cluster.
    pub spec: Option<ClusterSpec>,
}

/// Why etcd-manager would not read a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

fn malformed(what: impl Into<String>) -> Malformed {
    Malformed(what.into())
}

impl ClusterSpec {
    /// Reads `control/etcd-cluster-spec`.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::of(&message(bytes)?)
    }

    fn of(message: &Map<String, Value>) -> Result<Self, Malformed> {
        let (mut members, mut etcd_version) = (0, String::new());
        for (field, value) in message {
            match field.as_str() {
                "memberCount" | "member_count" => {
                    let number = i32::try_from(number(field, value)?);
                    members = number.map_err(|_| malformed("memberCount: beyond 32 bits"))?;
                }
                "etcdVersion" | "etcd_version" => etcd_version = text(field, value)?,
                _ => return Err(unknown(field)),
            }
        }
        Ok(Self { members, etcd_version })
    }
}

impl Meta {
    /// Reads `_etcd_backup.meta`. Without a version etcd-manager restores nothing.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (mut etcd_version, mut timestamp, mut spec) = (String::new(), 0, None);
        for (field, value) in &message(bytes)? {
            match field.as_str() {
                "etcdVersion" | "etcd_version" => etcd_version = text(field, value)?,
                "timestamp" => timestamp = number(field, value)?,
                "clusterSpec" | "cluster_spec" if value.is_null() => {}
                "clusterSpec" | "cluster_spec" => {
                    let message = value.as_object().ok_or_else(|| malformed("clusterSpec: not an object"))?;
                    spec = Some(ClusterSpec::of(message)?);
                }
                _ => return Err(unknown(field)),
            }
        }
        if etcd_version.is_empty() {
            return Err(malformed("etcdVersion: is missing"));
        }
        Ok(Self { etcd_version, timestamp, spec })
    }

    /// As etcd-manager writes it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let timestamp = (self.timestamp != 0).then(|| self.timestamp.to_string());
        let spec = self.spec.as_ref().map(ClusterSpec::message);
        pretty(&MetaMessage { etcd_version: &self.etcd_version, timestamp, cluster_spec: spec })
    }
}

/// The command that has etcd-manager restore a backup, given at that time, as etcd-manager-ctl writes it.
#[must_use]
pub fn restore_command(spec: &ClusterSpec, backup: &Name, now: Timestamp) -> Vec<u8> {
    let restore_backup = RestoreMessage { cluster_spec: spec.message(), backup: backup.as_str() };
    pretty(&CommandMessage { timestamp: now.as_nanosecond().to_string(), restore_backup })
}

/// The fields in the order of their numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetaMessage<'a> {
    etcd_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_spec: Option<SpecMessage<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<i32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    etcd_version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CommandMessage<'a> {
    timestamp: String,
    restore_backup: RestoreMessage<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RestoreMessage<'a> {
    cluster_spec: SpecMessage<'a>,
    backup: &'a str,
}

impl ClusterSpec {
    fn message(&self) -> SpecMessage<'_> {
        SpecMessage { member_count: (self.members != 0).then_some(self.members), etcd_version: &self.etcd_version }
    }
}

fn pretty(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(message).unwrap_or_default()
}

fn message(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    if bytes.len() > MOST {
        return Err(malformed(format!("{} bytes, more than any such file has", bytes.len())));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(message)) => Ok(message),
        Ok(_) => Err(malformed("not a JSON object")),
        Err(error) => Err(malformed(format!("no JSON: {error}"))),
    }
}

fn unknown(field: &str) -> Malformed {
    let field: String = field.chars().take(64).collect();
    malformed(format!("the field `{}`, which etcd-manager does not know", field.escape_default()))
}

fn text(field: &str, value: &Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        _ => Err(malformed(format!("{field}: not a text"))),
    }
}

/// A number, or the text of one.
fn number(field: &str, value: &Value) -> Result<i64, Malformed> {
    let number = match value {
        Value::Null => Some(0),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| malformed(format!("{field}: not a whole number")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As etcd-manager v3.0.20260707 wrote it.
    const META: &str = "{\n  \"etcdVersion\": \"3.6.12\",\n  \"timestamp\": \"1795686089\",\n  \"clusterSpec\": {\n    \
                        \"memberCount\": 3,\n    \"etcdVersion\": \"3.6.12\"\n  }\n}";

    fn spec() -> ClusterSpec {
        ClusterSpec { members: 3, etcd_version: "3.6.12".to_owned() }
    }

    #[test]
    fn a_meta_is_etcd_managers_to_the_byte() {
        let meta = Meta { etcd_version: "3.6.12".to_owned(), timestamp: 1_795_686_089, spec: Some(spec()) };
        assert_eq!(meta.bytes(), META.as_bytes());
        assert_eq!(META.len(), 132);
        assert_eq!(Meta::read(META.as_bytes()), Ok(meta));
    }

    #[test]
    fn a_command_is_etcd_manager_ctls() {
        let backup = Name::parse("2026-11-23T02:00:00Z-000001").expect("a name");
        let command = restore_command(&spec(), &backup, "2026-11-23T03:00:00.000000007Z".parse().expect("a time"));
        let expected = "{\n  \"timestamp\": \"1795402800000000007\",\n  \"restoreBackup\": {\n    \"clusterSpec\": {\n      \
                        \"memberCount\": 3,\n      \"etcdVersion\": \"3.6.12\"\n    },\n    \
                        \"backup\": \"2026-11-23T02:00:00Z-000001\"\n  }\n}";
        assert_eq!(String::from_utf8(command).expect("text"), expected);
    }

    #[test]
    fn a_meta_is_read_as_etcd_manager_reads_it() {
        for accepted in [
            r#"{"etcdVersion": "3.6.12"}"#,
            r#"{"etcd_version": "3.6.12", "timestamp": 1795686089}"#,
            r#"{"etcdVersion": "3.6.12", "cluster_spec": {"member_count": 3}}"#,
            r#"{"etcdVersion": "3.6.12", "clusterSpec": null}"#,
        ] {
            assert_eq!(Meta::read(accepted.as_bytes()).expect(accepted).etcd_version, "3.6.12");
        }
        for (refused, why) in [
            ("", "no JSON"),
            ("{}", "etcdVersion: is missing"),
            (r#"{"etcdVersion": "", "timestamp": "1"}"#, "etcdVersion: is missing"),
            (r#"{"etcdVersion": 3}"#, "etcdVersion: not a text"),
            (r#"{"etcdVersion": "3.6.12", "revision": 4}"#, "`revision`, which etcd-manager does not know"),
            (r#"{"etcdVersion": "3.6.12", "clusterSpec": {"x": 4}}"#, "`x`, which etcd-manager does not know"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "2026-11-23T02:00:00Z"}"#, "timestamp: not a whole number"),
            ("[1]", "not a JSON object"),
        ] {
            let error = Meta::read(refused.as_bytes()).expect_err(refused).to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(Meta::read(&vec![b' '; MOST + 1]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(version in "3\\.[0-9]\\.[0-9]{1,2}", timestamp in any::<i64>(), members in any::<i32>()) {
            let spec = ClusterSpec { members, etcd_version: version.clone() };
            prop_assert_eq!(ClusterSpec::read(&pretty(&spec.message())), Ok(spec.clone()));
            let meta = Meta { etcd_version: version, timestamp, spec: Some(spec) };
            prop_assert_eq!(Meta::read(&meta.bytes()), Ok(meta));
        }

        #[test]
        fn whatever_is_there_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Meta::read(&bytes), ClusterSpec::read(&bytes));
        }
    }
}
