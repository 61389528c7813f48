//! What etcd-manager is told to do.

use jiff::Timestamp;
use serde::Serialize;

use super::cluster_spec::{ClusterSpec, Written};
use crate::name::Name;

/// The command that has etcd-manager restore a backup, given at that time, as etcd-manager-ctl writes it: with the spec of
/// `control/etcd-cluster-spec`.
#[must_use]
pub fn restore_command(spec: &ClusterSpec, backup: &Name, now: Timestamp) -> Vec<u8> {
    let restore_backup = RestoreBackup { cluster_spec: spec.written(), backup: backup.as_str() };
    // Texts and numbers: nothing that JSON could not have.
    serde_json::to_vec_pretty(&Command { timestamp: now.as_nanosecond().to_string(), restore_backup })
        .unwrap_or_default()
}

/// The fields in the order of their numbers; the time in nanoseconds since 1970.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Command<'a> {
    timestamp: String,
    restore_backup: RestoreBackup<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RestoreBackup<'a> {
    cluster_spec: Written<'a>,
    backup: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_etcd_manager_ctls() {
        let spec = ClusterSpec { members: 3, etcd_version: "3.6.12".to_owned() };
        let backup = Name::parse("2026-11-23T02:00:00Z-000001").expect("a name");
        let command = restore_command(&spec, &backup, "2026-11-23T03:00:00.000000007Z".parse().expect("a time"));
        let expected = "{\n  \"timestamp\": \"1795402800000000007\",\n  \"restoreBackup\": {\n    \"clusterSpec\": {\n      \
                        \"memberCount\": 3,\n      \"etcdVersion\": \"3.6.12\"\n    },\n    \
                        \"backup\": \"2026-11-23T02:00:00Z-000001\"\n  }\n}";
        assert_eq!(String::from_utf8(command).expect("text"), expected);
    }
}
