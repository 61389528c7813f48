//! Which version a backup is labelled with, and whether etcd-manager runs it.
//!
//! etcd-manager restores a backup with the newest version of the same minor one that it knows. A version that it does not have
//! it only finds out about when the data of the living etcd cluster have been put away.

use std::fmt;

/// The version that etcd-manager (v3.0.20260707) takes for every version of the same minor one.
const MAPPED: [&str; 2] = ["3.5.30", "3.6.11"];

/// Whether etcd-manager can run a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// It can.
    Yes,
    /// Where this is so.
    If(String),
    /// It cannot, and why.
    No(String),
}

/// The version to label a db with: its own minor version, since data of a newer one is not taken by an older etcd; with the
/// patch level of the etcd cluster's spec, where that is of the same minor version, else with that which etcd-manager would
/// take anyway. `None`: no patch level is known.
#[must_use]
pub fn label(db: &str, spec: Option<&str>) -> Option<String> {
    let own = Version::parse(db)?.minor();
    let is_own = |text: &&str| Version::parse(text).is_some_and(|of| of.minor() == own && of.patch.is_some());
    spec.filter(is_own).or_else(|| mapped(own)).map(str::to_owned)
}

/// Whether etcd-manager runs a backup that is labelled so, whose db is of that version.
#[must_use]
pub fn runs(label: &str, db: Option<&str>) -> Runs {
    let Some(version) = Version::parse(label) else {
        return Runs::No(format!("it is labelled with the version `{}`, which is none", told(label)));
    };
    let label = told(label);
    if let Some(db) = db.and_then(Version::parse).filter(|db| db.minor() > version.minor()) {
        return Runs::No(format!(
            "it is labelled {label}, and its data is of etcd {db}, which an older one does not take"
        ));
    }
    if mapped(version.minor()).is_some() {
        return Runs::Yes;
    }
    match (version.minor(), version.patch) {
        // Older versions of etcd-manager take another patch level of 3.4 than the label's.
        ((3, 4), _) => Runs::If("its image has an etcd 3.4, which kops 1.36 dropped".to_owned()),
        ((3, 7..), Some(_)) => {
            let name = label.trim_start_matches('v');
            Runs::If(format!("its image has `/opt/etcd-v{name}`, exactly that version"))
        }
        ((3, 7..), None) => {
            Runs::No(format!("it is labelled {label}, which etcd-manager runs only with a patch level"))
        }
        _ => Runs::No(format!("it is labelled {label}, which no etcd-manager of today runs")),
    }
}

fn mapped(minor: (u32, u32)) -> Option<&'static str> {
    MAPPED.into_iter().find(|text| Version::parse(text).is_some_and(|version| version.minor() == minor))
}

/// Printable, and not longer than a version may be.
fn told(text: &str) -> String {
    text.chars().take(40).collect::<String>().escape_default().to_string()
}

/// A version as etcd-manager reads one (`semver.ParseTolerant`): perhaps with a `v` before it, perhaps without a patch level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    major: u32,
    minor: u32,
    patch: Option<u32>,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        // What follows is of a release that is none yet, e.g. `3.7.0-rc.1`.
        let (numbers, extra) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
        let mut parts = numbers.split('.');
        let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let patch = parts.next().map(str::parse).transpose().ok()?;
        let is_extra = |c: char| c.is_ascii_alphanumeric() || "-+.".contains(c);
        let is_version = parts.next().is_none() && extra.chars().all(is_extra) && (extra.is_empty() || patch.is_some());
        is_version.then_some(Self { major, minor, patch })
    }

    fn minor(self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_db_is_labelled_by_its_own_minor_version() {
        for (db, spec, expected) in [
            ("3.6", Some("3.6.12"), Some("3.6.12")),
            ("3.6.0", Some("3.6.12"), Some("3.6.12")),
            ("3.5", Some("3.6.12"), Some("3.5.30")), // an upgrade is under way
            ("3.6", Some("3.5.30"), Some("3.6.11")), // a downgrade
            ("3.6", None, Some("3.6.11")),
            ("3.6", Some("3.6"), Some("3.6.11")),
            ("3.6", Some("3.6.x"), Some("3.6.11")),
            ("3.6", Some(""), Some("3.6.11")),
            ("3.5", None, Some("3.5.30")),
            ("3.7", Some("3.7.1"), Some("3.7.1")),
            ("3.7", Some("3.6.12"), None), // which 3.7 it has is not known
            ("3.7", None, None),
            ("3.4", Some("3.4.13"), Some("3.4.13")),
            ("3.4", None, None),
            ("3.60", None, None),
            ("x", Some("3.6.12"), None),
            ("", Some("3.6.12"), None),
        ] {
            assert_eq!(label(db, spec).as_deref(), expected, "{db} {spec:?}");
        }
    }

    #[test]
    fn what_etcd_manager_runs() {
        for (label, db) in [
            ("3.5.9", Some("3.5")),
            ("3.6.12", Some("3.6")),
            ("3.6.12", Some("3.5")), // data of an older version is taken
            ("3.6.12", None),
            ("3.6", Some("3.6.0")),
            ("v3.6.12", Some("3.6")),
            ("3.6.0-rc.4", Some("3.6")),
        ] {
            assert_eq!(runs(label, db), Runs::Yes, "{label} {db:?}");
        }
    }

    #[test]
    fn what_etcd_manager_runs_where_it_has_it() {
        for (label, db, needs) in [
            ("3.7.1", Some("3.7"), "`/opt/etcd-v3.7.1`"),
            ("v3.7.1", Some("3.6"), "`/opt/etcd-v3.7.1`"),
            ("3.7.0-rc.1", Some("3.7"), "`/opt/etcd-v3.7.0-rc.1`"),
            ("3.8.0", Some("3.8"), "`/opt/etcd-v3.8.0`"),
            ("3.4.13", Some("3.4"), "an etcd 3.4"),
        ] {
            assert!(matches!(runs(label, db), Runs::If(what) if what.contains(needs)), "{label} {db:?}");
        }
    }

    #[test]
    fn what_etcd_manager_does_not_run() {
        for (label, db, why) in [
            ("3.6.12", Some("3.7"), "labelled 3.6.12, and its data is of etcd 3.7"),
            ("3.5.30", Some("3.6"), "labelled 3.5.30, and its data is of etcd 3.6"),
            ("3.7", Some("3.7"), "only with a patch level"),
            ("2.2.1", None, "no etcd-manager of today"),
            ("3.3.10", None, "no etcd-manager of today"),
            ("4.0.0", None, "no etcd-manager of today"),
            ("", None, "which is none"),
            ("3", None, "which is none"),
            ("3.6.x", None, "which is none"),
            ("3.6.+1", None, "which is none"),
            ("3.6.12.1", None, "which is none"),
            ("3.6-rc.1", None, "which is none"),
            ("3.7.1-/../x", None, "which is none"),
            ("3.7.1 ", None, "which is none"),
            ("4294967296.6.1", None, "which is none"),
        ] {
            assert!(matches!(runs(label, db), Runs::No(told) if told.contains(why)), "{label} {db:?}");
        }
    }

    proptest! {
        #[test]
        fn a_label_is_never_older_than_its_db_and_is_run(minor in 0..12_u32, spec in "3\\.[0-9]{1,2}(\\.[0-9]{1,2})?") {
            let db = format!("3.{minor}");
            if let Some(label) = label(&db, Some(&spec)) {
                let is_known = (4..).contains(&minor);
                prop_assert_eq!(matches!(runs(&label, Some(&db)), Runs::No(_)), !is_known, "{}", label);
            }
        }

        #[test]
        fn any_texts_are_judged(label in "\\PC{0,9}|[v0-9.+-]{0,12}", db in "\\PC{0,9}|[v0-9.+-]{0,12}") {
            let _ = (runs(&label, Some(&db)), super::label(&db, Some(&label)));
        }
    }
}
