//! Whether etcd-manager may be told to restore a backup. A command for a bad backup destroys a healthy etcd cluster:
//! etcd-manager puts the data away before it reads the backup. So the backup is read here first.

use serde::Serialize;

use super::backup::Store;
use super::event::{Event, Mode};
use super::next_steps::{LOSES, when};
use crate::digest::Digest;
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId};
use crate::restore::{Refusal, RefusalKind};
use crate::told;

/// What was found in a backup, read back whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Soundness {
    /// etcd-manager could restore it.
    Sound {
        /// The version that it is labelled with.
        etcd_version: String,
        /// What must be so for etcd-manager to run that version, if anything.
        needs: Option<String>,
        /// The db's revision.
        revision: i64,
        /// The db's length in bytes.
        db_bytes: u64,
        /// The same for two backups with the same contents, and for no others.
        fingerprint: String,
    },
    /// It could not, and why.
    Unsound(String),
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePlan {
    /// Of which etcd cluster.
    pub of: EtcdClusterId,
    /// The backup's name.
    pub backup: String,
    /// What stands in the way.
    pub refusals: Vec<Refusal>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    found: Option<(String, i64, u64)>,
    digest: Option<String>,
}

/// The answer to a plan, or to its apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreAnswer {
    /// `planned`, or `commanded`.
    pub outcome: &'static str,
    /// The kops cluster.
    pub cluster: Cluster,
    /// The etcd cluster.
    pub etcd_cluster: EtcdCluster,
    /// The backup.
    pub backup: String,
    /// The version that it is labelled with.
    pub etcd_version: Option<String>,
    /// The db's revision.
    pub revision: Option<i64>,
    /// The db's length in bytes.
    pub db_bytes: Option<u64>,
    /// Where the command is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What stands in the way.
    pub refusals: Vec<Refusal>,
    /// What the operator does, in order.
    pub next_steps: Vec<String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// The event that writes the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<Event>,
}

/// Decides a restore by etcd-manager. `spec` is what the store keeps as the etcd cluster's spec: it becomes a part of the
/// command. `shown` is the digest that an apply names.
#[must_use]
pub fn plan_restore(
    of: &EtcdClusterId,
    backup: &str,
    (store, spec): (&Store, Option<&[u8]>),
    found: Option<Soundness>,
    shown: Option<&str>,
) -> RestorePlan {
    let mut refusals = Vec::new();
    let mut refuse = |kind, message: String| refusals.push(Refusal::new(kind, message));
    if spec.is_none() {
        refuse(
            RefusalKind::StoreNotEtcdManagers,
            "the store has no `control/etcd-cluster-spec`, from which etcd-manager-ctl too takes the spec of a command: is it \
             the store of this etcd cluster? `kops update cluster --yes` and a start of etcd-manager write it"
                .to_owned(),
        );
    }
    if let Some(command) = store.control.commands.first() {
        refuse(
            RefusalKind::CommandPending,
            format!(
                "{} waits for etcd-manager already: let it be done, or delete it, and plan again",
                told::sentence(command)
            ),
        );
    }
    let (mut warnings, mut facts, mut digest) = (Vec::new(), None, None);
    match found {
        None => refuse(
            RefusalKind::NoSuchBackup,
            format!("backup: the store has no whole backup `{backup}`; the mode `list` shows those that there are"),
        ),
        Some(Soundness::Unsound(why)) => refuse(
            RefusalKind::UnsoundBackup,
            format!(
                "{backup}: {why}. Told to restore it, etcd-manager would put the data of the living etcd cluster away before it \
                 noticed"
            ),
        ),
        Some(Soundness::Sound { etcd_version, needs, revision, db_bytes, fingerprint }) => {
            warnings.push(format!("{of} goes back to revision {revision}: what was written since is lost"));
            warnings.extend(needs.map(|needs| format!("etcd-manager can restore {etcd_version} only where {needs}")));
            let now = digest_of(of, backup, &fingerprint, spec.unwrap_or_default());
            if shown.is_some_and(|shown| shown != now) {
                refuse(
                    RefusalKind::PlanChanged,
                    "the backup or the etcd cluster's spec is no longer what the plan showed: plan again".to_owned(),
                );
            }
            (facts, digest) = (Some((etcd_version, revision, db_bytes)), Some(now));
        }
    }
    if !store.control.has_created {
        warnings.push(
            "the store has no `control/etcd-cluster-created`: to etcd-manager no etcd cluster has been made from it yet. Give the \
             command before its masters start, or they make a new, empty one"
                .to_owned(),
        );
    }
    RestorePlan { of: of.clone(), backup: backup.to_owned(), refusals, warnings, found: facts, digest }
}

fn digest_of(of: &EtcdClusterId, backup: &str, fingerprint: &str, spec: &[u8]) -> String {
    let mut digest = Digest::new();
    for part in [of.to_string().as_bytes(), backup.as_bytes(), fingerprint.as_bytes(), spec] {
        digest.bytes(part);
    }
    digest.finish()
}

impl RestorePlan {
    /// The answer. `command`: where the command was written, if it was.
    #[must_use]
    pub fn answer(self, command: Option<String>) -> RestoreAnswer {
        let EtcdClusterId { cluster, etcd_cluster } = &self.of;
        let is_commanded = command.is_some();
        let apply = Event {
            mode: Some(Mode::Apply),
            cluster: Some(cluster.to_string()),
            etcd_cluster: Some(etcd_cluster.to_string()),
            backup: Some(self.backup.clone()),
            plan: self.digest,
            ..Event::default()
        };
        let mut next_steps = vec![when(&self.of)];
        if let Some(command) = &command {
            next_steps.push(format!("To take the command back before etcd-manager has taken it: aws s3 rm {command}"));
        }
        next_steps.push(LOSES.to_owned());
        let (etcd_version, revision, db_bytes) = self
            .found
            .map_or((None, None, None), |(version, revision, bytes)| (Some(version), Some(revision), Some(bytes)));
        RestoreAnswer {
            outcome: if is_commanded { "commanded" } else { "planned" },
            cluster: cluster.clone(),
            etcd_cluster: etcd_cluster.clone(),
            backup: self.backup,
            etcd_version,
            revision,
            db_bytes,
            command,
            next_steps: if self.refusals.is_empty() { next_steps } else { Vec::new() },
            apply: (self.refusals.is_empty() && !is_commanded).then_some(apply),
            refusals: self.refusals,
            warnings: self.warnings,
        }
    }
}
