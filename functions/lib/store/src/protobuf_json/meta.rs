//! What stands beside a backup's data.

use serde::Serialize;

use super::cluster_spec::{ClusterSpec, Written};
use super::malformed::Malformed;
use super::message::Message;

/// A backup's meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The version to restore it with: see [`label`](crate::label).
    pub etcd_version: String,
    /// When it was made, in whole seconds since 1970.
    pub timestamp: i64,
    /// The spec that the etcd cluster had.
    pub spec: Option<ClusterSpec>,
}

impl Meta {
    /// Reads `_etcd_backup.meta`. Without a version etcd-manager restores nothing.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut message = Message::read(bytes)?;
        let etcd_version = message.take("etcdVersion", "etcd_version")?.text("etcdVersion")?;
        let timestamp = message.take("timestamp", "timestamp")?.number("timestamp")?;
        let spec = message.take("clusterSpec", "cluster_spec")?.message("clusterSpec")?;
        message.end()?;
        if etcd_version.is_empty() {
            return Err(Malformed::Missing("etcdVersion"));
        }
        Ok(Self { etcd_version, timestamp, spec: spec.map(ClusterSpec::of).transpose()? })
    }

    /// As etcd-manager writes it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let timestamp = (self.timestamp != 0).then(|| self.timestamp.to_string());
        let cluster_spec = self.spec.as_ref().map(ClusterSpec::written);
        // Texts and numbers: nothing that JSON could not have.
        serde_json::to_vec_pretty(&WrittenMeta { etcd_version: &self.etcd_version, timestamp, cluster_spec })
            .unwrap_or_default()
    }
}

/// The fields in the order of their numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMeta<'a> {
    etcd_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_spec: Option<Written<'a>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protobuf_json::malformed::MOST;

    /// As etcd-manager v3.0.20260707 wrote it.
    const META: &str = "{\n  \"etcdVersion\": \"3.6.12\",\n  \"timestamp\": \"1795686089\",\n  \"clusterSpec\": {\n    \
                        \"memberCount\": 3,\n    \"etcdVersion\": \"3.6.12\"\n  }\n}";

    fn meta() -> Meta {
        let spec = ClusterSpec { members: 3, etcd_version: "3.6.12".to_owned() };
        Meta { etcd_version: "3.6.12".to_owned(), timestamp: 1_795_686_089, spec: Some(spec) }
    }

    #[test]
    fn a_meta_is_etcd_managers_to_the_byte() {
        assert_eq!(meta().bytes(), META.as_bytes());
        assert_eq!(META.len(), 132);
        assert_eq!(Meta::read(META.as_bytes()), Ok(meta()));
        let spaced = META.replace(": ", ":  ");
        assert_eq!(Meta::read(spaced.as_bytes()), Ok(meta()), "another build of etcd-manager");
    }

    #[test]
    fn what_etcd_manager_takes_is_taken() {
        let spec = r#"{"memberCount": 3, "etcdVersion": "3.6.12"}"#;
        for (accepted, timestamp, has_spec) in [
            (r#"{"etcdVersion": "3.6.12"}"#.to_owned(), 0, false),
            (r#"{"etcd_version": "3.6.12", "timestamp": 1795686089}"#.to_owned(), 1_795_686_089, false),
            (r#"{"etcdVersion": "3.6.12", "timestamp": 1795686089.0}"#.to_owned(), 1_795_686_089, false),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "1e3"}"#.to_owned(), 1000, false),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "-5", "clusterSpec": null}"#.to_owned(), -5, false),
            (format!(r#"{{"etcdVersion": "3.6.12", "timestamp": null, "cluster_spec": {spec}}}"#), 0, true),
        ] {
            let read = Meta::read(accepted.as_bytes()).expect(&accepted);
            let found = (read.etcd_version.as_str(), read.timestamp, read.spec == meta().spec);
            assert_eq!(found, ("3.6.12", timestamp, has_spec), "{accepted}");
        }
        let bare = r#"{"etcdVersion": "3.6.12", "clusterSpec": {}}"#;
        let read = Meta::read(bare.as_bytes()).expect("nobody looks at the spec");
        let written = "{\n  \"etcdVersion\": \"3.6.12\",\n  \"clusterSpec\": {}\n}";
        assert_eq!(read.bytes(), written.as_bytes(), "what is empty or 0 is left away");
    }

    #[test]
    fn what_etcd_manager_refuses_is_refused() {
        for (refused, why) in [
            ("", "no JSON"),
            ("{}", "etcdVersion: is missing"),
            (r#"{"etcdVersion": "", "timestamp": "1"}"#, "etcdVersion: is missing"),
            (r#"{"etcdVersion": null}"#, "etcdVersion: is missing"),
            (r#"{"etcdVersion": 3}"#, "etcdVersion: not a text"),
            (r#"{"etcdVersion": "3.6.12"} {}"#, "no JSON"),
            (r#"{"etcdVersion": "3.6.12", "revision": 4}"#, "`revision`, which etcd-manager does not know"),
            (r#"{"etcdVersion": "3.6.12", "ETCDVERSION": null}"#, "`ETCDVERSION`, which etcd-manager does not know"),
            (r#"{"etcdVersion": "3.6.12", "clusterSpec": {"x": 4}}"#, "`x`, which etcd-manager does not know"),
            (r#"{"etcdVersion": "3.6.12", "clusterSpec": [3, "3.6.12"]}"#, "clusterSpec: not an object"),
            (r#"{"etcdVersion": "3.6.12", "etcdVersion": "3.6.12"}"#, "etcdVersion: is there twice"),
            (r#"{"etcd_version": null, "etcdVersion": "3.6.12"}"#, "etcdVersion: is there twice"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": 1, "timestamp": 1}"#, "timestamp: is there twice"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "2026-11-23T02:00:00Z"}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": ""}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "+1"}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "01"}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": " 1"}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": "\"1\""}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": 1.5}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": true}"#, "timestamp: not a whole number"),
            (r#"{"etcdVersion": "3.6.12", "timestamp": 9223372036854775808}"#, "timestamp: not a whole number"),
            ("[1]", "not a JSON object"),
            ("\"3.6.12\"", "not a JSON object"),
        ] {
            let error = Meta::read(refused.as_bytes()).expect_err(refused).to_string();
            assert!(error.contains(why), "{refused}: {error}");
        }
        assert_eq!(Meta::read(&vec![b' '; MOST + 1]), Err(Malformed::TooLarge(MOST + 1)));
        assert!(Meta::read(&vec![b'['; MOST]).is_err(), "deep, and no overflow of the stack");
        let long = format!(r#"{{"{}": 1}}"#, "a\u{202e}".repeat(1000));
        let told = Meta::read(long.as_bytes()).expect_err("a field").to_string();
        assert!(told.is_ascii() && told.len() < 500, "{told}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(version in "\\PC{1,20}", timestamp: i64, members: Option<i32>) {
            let spec = members.map(|members| ClusterSpec { members, etcd_version: version.clone() });
            let meta = Meta { etcd_version: version, timestamp, spec };
            prop_assert_eq!(Meta::read(&meta.bytes()), Ok(meta));
        }

        #[test]
        fn whatever_is_there_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Meta::read(&bytes);
        }

        #[test]
        fn whatever_stands_in_a_meta_is_read_or_refused(at in 0..META.len(), text in "[\\[\\]{}\":,0-9a-zA-Z\\\\ ]{0,9}") {
            let changed = format!("{}{text}{}", &META[..at], &META[at..]);
            let _ = Meta::read(changed.as_bytes());
        }
    }
}
