//! What a store has, as far as it matters here.

use jiff::Timestamp;
use serde::Serialize;

/// Who made a backup, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maker {
    /// etcd-manager itself.
    EtcdManager,
    /// This tool.
    EtcdVolumeBackup,
    /// Somebody else: the name has neither form.
    Other,
}

/// A backup in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its folder.
    pub name: String,
    /// Of which moment, by its name.
    pub at: Option<Timestamp>,
    /// Who made it.
    pub maker: Maker,
    /// The compressed db's size in bytes.
    pub bytes: u64,
    /// Whether it is whole: a folder without its meta is no backup to etcd-manager.
    pub is_whole: bool,
}

/// What etcd-manager and its tools keep beside the backups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// Whether the cluster's spec is there: without it a command cannot be written.
    pub has_spec: bool,
    /// Whether the marker of a cluster that was made is there and not empty: without it etcd-manager takes a store for new.
    pub has_created: bool,
    /// Commands that wait, by their keys.
    pub commands: Vec<String>,
}

/// All that was listed of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    /// The backups.
    pub backups: Vec<Backup>,
    /// The rest.
    pub control: Control,
}

impl Store {
    /// The backups that count as such, newest first; those whose names tell no time come last.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&Backup> {
        let mut whole: Vec<&Backup> = self.backups.iter().filter(|backup| backup.is_whole).collect();
        whole.sort_by(|a, b| (b.at, &b.name).cmp(&(a.at, &a.name)));
        whole
    }
}
