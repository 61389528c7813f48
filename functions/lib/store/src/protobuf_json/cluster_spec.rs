//! What an etcd cluster is to be.

use serde::Serialize;

use super::malformed::Malformed;
use super::message::Message;

/// The spec of an etcd cluster. It has all fields that etcd-manager knows, so that nothing is lost between the file and a
/// command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSpec {
    /// How many members it is to have.
    pub members: i32,
    /// Its version, e.g. `3.6.12`.
    pub etcd_version: String,
}

impl ClusterSpec {
    /// Reads `control/etcd-cluster-spec`. One without members or version is refused: told to restore a backup into such an
    /// etcd cluster, etcd-manager would stop etcd on every peer, and could start none.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let spec = Self::of(Message::read(bytes)?)?;
        if spec.members < 1 {
            return Err(Malformed::Missing("memberCount"));
        }
        if spec.etcd_version.is_empty() {
            return Err(Malformed::Missing("etcdVersion"));
        }
        Ok(spec)
    }

    /// One within another message, where etcd-manager does not look at it.
    pub(super) fn of(mut message: Message) -> Result<Self, Malformed> {
        let members = message.take("memberCount", "member_count")?.number("memberCount")?;
        let etcd_version = message.take("etcdVersion", "etcd_version")?.text("etcdVersion")?;
        message.end()?;
        Ok(Self { members, etcd_version })
    }

    pub(super) fn written(&self) -> Written<'_> {
        Written { member_count: (self.members != 0).then_some(self.members), etcd_version: &self.etcd_version }
    }
}

/// As it is written; the fields in the order of their numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<i32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    etcd_version: &'a str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_spec_is_read_as_etcd_manager_reads_it() {
        let spec = ClusterSpec { members: 3, etcd_version: "3.6.12".to_owned() };
        for accepted in [
            "{\n  \"memberCount\": 3,\n  \"etcdVersion\": \"3.6.12\"\n}",
            r#"{"member_count":"3","etcd_version":"3.6.12"}"#,
            r#"{"memberCount":  3.0,  "etcdVersion":  "3.6.12"}"#,
        ] {
            assert_eq!(ClusterSpec::read(accepted.as_bytes()).as_ref(), Ok(&spec), "{accepted}");
        }
        for (refused, why) in [
            ("{}", "memberCount: is missing"),
            (r#"{"memberCount": 0, "etcdVersion": "3.6.12"}"#, "memberCount: is missing"),
            (r#"{"memberCount": -1, "etcdVersion": "3.6.12"}"#, "memberCount: is missing"),
            (r#"{"memberCount": 3}"#, "etcdVersion: is missing"),
            (r#"{"memberCount": 2147483648, "etcdVersion": "3.6.12"}"#, "memberCount: not a whole number"),
            (r#"{"memberCount": 3, "member_count": 3, "etcdVersion": "3.6.12"}"#, "memberCount: is there twice"),
            (r#"{"memberCount": 3, "etcdVersion": "3.6.12", "size": 3}"#, "`size`, which etcd-manager does not know"),
        ] {
            let error = ClusterSpec::read(refused.as_bytes()).expect_err(refused).to_string();
            assert!(error.contains(why), "{refused}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(members in 1.., version in "3\\.[0-9]\\.[0-9]{1,2}") {
            let spec = ClusterSpec { members, etcd_version: version };
            prop_assert_eq!(ClusterSpec::read(&serde_json::to_vec(&spec.written()).expect("JSON")), Ok(spec));
        }

        #[test]
        fn whatever_is_there_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ClusterSpec::read(&bytes);
        }
    }
}
