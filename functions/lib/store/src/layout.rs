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

    /// The key of the marker that an etcd cluster was made from this store: without it etcd-manager makes a new one.
    #[must_use]
    pub fn created(&self) -> String {
        self.key(CREATED)
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
    /// The folders of backups, by name.
    pub backups: Vec<Object>,
    /// Whether the etcd cluster's spec is there, and not empty.
    pub has_spec: bool,
    /// Whether the marker that an etcd cluster was made is there: with an empty one etcd-manager does nothing at all.
    pub has_created: bool,
    /// The keys of commands that wait: as etcd-manager looks for them, at any depth below `control`.
    pub commands: Vec<String>,
}

/// A backup's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: Name,
    /// The size of its data in bytes.
    pub bytes: u64,
    /// Whether its data and its meta are there, and not empty. etcd-manager itself takes it for a backup for its meta alone.
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
            if folder == CONTROL && file.rsplit('/').next() == Some(COMMAND) {
                listing.commands.push(key.to_owned());
            }
            let Ok(name) = Name::parse(folder) else { continue };
            match file {
                DATA => folders.entry(name).or_default().0 = Some(bytes),
                META => folders.entry(name).or_default().1 = bytes > 0,
                _ => {}
            }
        }
        let object = |(name, (bytes, has_meta)): (Name, (Option<u64>, bool))| Object {
            name,
            bytes: bytes.unwrap_or_default(),
            is_whole: bytes > Some(0) && has_meta,
        };
        listing.backups = folders.into_iter().map(object).collect();
        listing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        assert_eq!(place().created(), "k8s.example.com/main/control/etcd-cluster-created");
        let now = "2026-11-23T03:00:00.9Z".parse().expect("a time");
        assert_eq!(place().command(now), "k8s.example.com/main/control/2026-11-23T03:00:00Z-000000/_command.json");
    }

    #[test]
    fn a_folder_is_a_backup_when_its_data_and_its_meta_are_there() {
        let keys = [
            ("a/etcd.backup.gz", 10),
            ("a/_etcd_backup.meta", 132),
            ("half/etcd.backup.gz", 10),
            ("no-data/_etcd_backup.meta", 132),
            ("empty-data/etcd.backup.gz", 0),
            ("empty-data/_etcd_backup.meta", 132),
            ("empty-meta/etcd.backup.gz", 10),
            ("empty-meta/_etcd_backup.meta", 0),
            ("control/etcd-cluster-spec", 40),
            ("control/etcd-cluster-created", 0),
            ("control/2026-11-23T03:00:00Z-000000/_command.json", 200),
            ("control/_command.json", 200),
            ("control/a/b/_command.json", 200),
            ("control/a/not_command.json", 200),
            ("a/_command.json", 200),
            ("a/b/_etcd_backup.meta", 132),
            ("a/", 0),
            ("a/other", 1),
            ("file", 1),
            ("b c/etcd.backup.gz", 1),
        ];
        let keys = keys.map(|(key, bytes)| (format!("k8s.example.com/main/{key}"), bytes));
        let elsewhere = [("k8s.example.com/main-2/a/etcd.backup.gz", 5)];
        let listing = Listing::of(&place(), keys.iter().map(|(key, bytes)| (key.as_str(), *bytes)).chain(elsewhere));
        let found: Vec<_> = listing.backups.iter().map(|one| (one.name.as_str(), one.bytes, one.is_whole)).collect();
        let not_whole =
            [("empty-data", 0, false), ("empty-meta", 10, false), ("half", 10, false), ("no-data", 0, false)];
        assert_eq!(found, [&[("a", 10, true)][..], &not_whole].concat());
        assert_eq!((listing.has_spec, listing.has_created), (true, false));
        let commands = ["2026-11-23T03:00:00Z-000000/_command.json", "_command.json", "a/b/_command.json"];
        assert_eq!(listing.commands, commands.map(|file| format!("k8s.example.com/main/control/{file}")));
    }

    #[test]
    fn what_is_there_and_empty_is_as_good_as_not_there() {
        let place = place();
        let has = |bytes| {
            let keys = [place.spec(), place.created()];
            let listing = Listing::of(&place, keys.iter().map(|key| (key.as_str(), bytes)));
            (listing.has_spec, listing.has_created)
        };
        assert_eq!((has(0), has(1)), ((false, false), (true, true)));
        assert_eq!(Listing::of(&place, []), Listing::default());
    }

    proptest! {
        #[test]
        fn any_keys_are_listed(keys in prop::collection::vec(("(k8s.example.com/main/)?[a-z/_.]{0,12}(/_etcd_backup.meta|/etcd.backup.gz|_command.json)?", any::<u64>()), 0..9)) {
            let listing = Listing::of(&place(), keys.iter().map(|(key, bytes)| (key.as_str(), *bytes)));
            prop_assert!(listing.backups.is_sorted_by(|a, b| a.name < b.name));
        }
    }
}
