//! What an operator does with a backup, and what etcd-manager's restore loses.

use super::result::Exported;
use crate::ids::EtcdClusterId;

/// What etcd-manager's restore does not bring back, of any backup.
pub(super) const LOSES: &str = "etcd-manager restores key by key into a new etcd cluster: leases are lost, so that keys with one \
                                stay for ever, and all revisions are new. Replace all nodes afterwards, as after any \
                                roll-back";

/// How a backup that was exported is restored.
pub(super) fn of_export(of: &EtcdClusterId, exported: &Exported, behind: Option<u64>) -> Vec<String> {
    let Exported { backup, store, .. } = exported;
    let mut steps = vec![
        format!(
            "To restore it, send to this function: {}. It answers with the command that it would write; sent as `apply`, it \
             writes it",
            restore_event(of, backup)
        ),
        format!(
            "Or on a master: etcd-manager-ctl --backup-store={store} restore-backup {backup}. It checks nothing: a backup that \
             changed since would destroy a healthy etcd cluster"
        ),
        when(of),
        LOSES.to_owned(),
    ];
    if let Some(behind) = behind.filter(|behind| *behind > 0) {
        steps.push(format!(
            "The member's log has {behind} entries beyond this db; they are not in the backup. A restore of volumes has them"
        ));
    }
    steps
}

/// The event that plans a restore of a backup.
pub(super) fn restore_event(of: &EtcdClusterId, backup: &str) -> String {
    format!(
        "{{\"mode\": \"restore\", \"cluster\": \"{}\", \"etcd_cluster\": \"{}\", \"backup\": \"{backup}\"}}",
        of.cluster, of.etcd_cluster
    )
}

/// When etcd-manager takes a command (measured, v3.0.20260707).
pub(super) fn when(of: &EtcdClusterId) -> String {
    format!(
        "etcd-manager takes a command while {} has no quorum, or when it starts: restart etcd-manager on all masters together \
         (`crictl`, or reboot them). Trials with a small db ended within a minute after that",
        of.etcd_cluster
    )
}
