//! Which object is what.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::location::Place;
use crate::name::{Name, seconds};

const DATA: &str = "etcd.backup.gz";
const META: &str = "_etcd_backup.meta";
const CONTROL: &str = "control";
const SPEC: &str = "control/etcd-cluster-spec";
const CREATED: &str = "control/etcd-cluster-created";
const COMMAND: &str = "_command.json";

impl Place {
    /// The key of a backup's data: a gzip of an etcd snapshot file.
    #[must_use]
    pub fn data(&self, name: &Name) -> String {
        self.key(&format!("{name}/{DATA}"))
    }

    /// The key of a backup's meta. etcd-manager writes it last: a folder without it is no backup.
    #[must_use]
    pub fn meta(&self, name: &Name) -> String {
        self.key(&format!("{name}/{META}"))
    }

    /// The key of the etcd cluster's spec, which etcd-manager keeps there.
    #[must_use]
    pub fn spec(&self) -> String {
        self.key(SPEC)
    }

    /// The key of a command that is given at that time.
    #[must_use]
    pub fn command(&self, now: Timestamp) -> String {
        self.key(&format!("{CONTROL}/{}-000000/{COMMAND}", seconds(now)))
    }

    /// What all keys of this store begin with.
    #[must_use]
    pub fn keys(&self) -> String {
        format!("{}/", self.prefix)
    }

    fn key(&self, rest: &str) -> String {
        format!("{}/{rest}", self.prefix)
    }
}

/// What is in a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The folders of backups.
    pub backups: Vec<Object>,
    /// Whether the etcd cluster's spec is there.
    pub has_spec: bool,
    /// Whether the marker that an etcd cluster was made is there: an empty one does not help.
    pub has_created: bool,
    /// The keys of commands that wait.
    pub commands: Vec<String>,
}

/// A backup's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: Name,
    /// The size of its data in bytes.
    pub bytes: u64,
    /// Whether its data and its meta are there.
    pub is_whole: bool,
}

impl Listing {
    /// Reads a listing of all keys of a store, each with its object's size. What is none of etcd-manager's is passed over.
    #[must_use]
    pub fn of<'k>(place: &Place, objects: impl IntoIterator<Item = (&'k str, u64)>) -> Self {
        let mut listing = Self::default();
        let mut folders: BTreeMap<Name, (Option<u64>, bool)> = BTreeMap::new();
        for (key, bytes) in objects {
            let Some(rest) = key.strip_prefix(&place.keys()) else { continue };
            match rest {
                SPEC => listing.has_spec = bytes > 0,
                CREATED => listing.has_created = bytes > 0,
                _ => {}
            }
            let Some((folder, file)) = rest.split_once('/') else { continue };
            if folder == CONTROL && file.ends_with(&format!("/{COMMAND}")) {
                listing.commands.push(key.to_owned());
            }
            let Ok(name) = Name::parse(folder) else { continue };
            match file {
                DATA => folders.entry(name).or_default().0 = Some(bytes),
                META => folders.entry(name).or_default().1 = true,
                _ => {}
            }
        }
        let object = |(name, (bytes, has_meta)): (Name, (Option<u64>, bool))| Object {
            name,
            bytes: bytes.unwrap_or_default(),
            is_whole: bytes.is_some() && has_meta,
        };
        listing.backups = folders.into_iter().map(object).collect();
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Template;

    fn place() -> Place {
        Template::parse("s3://bucket/{cluster}/{etcd_cluster}").expect("a template").of("k8s.example.com", "main")
    }

    #[test]
    fn keys_are_those_of_etcd_manager() {
        let name = Name::parse("2026-11-23T02:00:00Z-000001").expect("a name");
        assert_eq!(place().data(&name), "k8s.example.com/main/2026-11-23T02:00:00Z-000001/etcd.backup.gz");
        assert_eq!(place().meta(&name), "k8s.example.com/main/2026-11-23T02:00:00Z-000001/_etcd_backup.meta");
        assert_eq!(place().spec(), "k8s.example.com/main/control/etcd-cluster-spec");
        let now = "2026-11-23T03:00:00.9Z".parse().expect("a time");
        assert_eq!(place().command(now), "k8s.example.com/main/control/2026-11-23T03:00:00Z-000000/_command.json");
    }

    #[test]
    fn a_folder_is_a_backup_when_its_data_and_its_meta_are_there() {
        let keys = [
            ("a/etcd.backup.gz", 10),
            ("a/_etcd_backup.meta", 132),
            ("half/etcd.backup.gz", 10),
            ("empty/_etcd_backup.meta", 132),
            ("control/etcd-cluster-spec", 40),
            ("control/etcd-cluster-created", 0),
            ("control/2026-11-23T03:00:00Z-000000/_command.json", 200),
            ("a/other", 1),
            ("file", 1),
            ("b c/etcd.backup.gz", 1),
        ];
        let keys = keys.map(|(key, bytes)| (format!("k8s.example.com/main/{key}"), bytes));
        let elsewhere = [("k8s.example.com/main-2/a/etcd.backup.gz", 5)];
        let listing = Listing::of(&place(), keys.iter().map(|(key, bytes)| (key.as_str(), *bytes)).chain(elsewhere));
        let found: Vec<_> = listing.backups.iter().map(|one| (one.name.as_str(), one.bytes, one.is_whole)).collect();
        assert_eq!(found, [("a", 10, true), ("empty", 0, false), ("half", 10, false)]);
        assert_eq!((listing.has_spec, listing.has_created, listing.commands.len()), (true, false, 1));
    }
}
