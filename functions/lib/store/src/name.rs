//! What backups are called.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// What the names of our backups begin with. etcd-manager's cleanup deletes only what it can read as a time, and lists and
/// restores these all the same.
const OURS: &str = "etcd-volume-backup-";
/// Digits at the end.
const DIGITS: usize = 6;
/// Letters of a time: `2026-11-23T02:00:00Z`.
const TIME: usize = 20;
/// The longest name that is read, in bytes.
const LONGEST: usize = 256;

/// A backup's name: that of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// Who made a backup, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// etcd-manager, or a tool that names backups as it does: its cleanup thins these.
    ByEtcdManager,
    /// This tool.
    ByUs,
    /// Somebody else.
    ByOthers,
}

/// Why a text is no backup's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a backup's name: one has no `/` and only printable ASCII characters, at most {LONGEST}", .0.escape_default())]
pub struct InvalidName(String);

impl Name {
    /// The name of a snapshot's backup. It is the same however often the snapshot is exported, so that nothing is exported
    /// twice.
    #[must_use]
    pub fn of_snapshot(id: &str, started: Timestamp) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) % 1_000_000;
        Self(format!("{OURS}{}-{number:0DIGITS$}", seconds(started)))
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let is_letter = |c: char| c.is_ascii_graphic() && c != '/' && c != '\\';
        let is_folder = text != "control" && !text.trim_matches('.').is_empty();
        let is_name = text.len() <= LONGEST && text.chars().all(is_letter) && is_folder;
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidName(text.chars().take(LONGEST).collect())) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of which moment the backup is.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let rest = self.0.strip_prefix(OURS).unwrap_or(&self.0);
        let (time, rest) = rest.split_at_checked(TIME)?;
        rest.strip_prefix('-')?;
        time.ends_with('Z').then(|| time.parse().ok()).flatten()
    }

    /// Who made it.
    #[must_use]
    pub fn made(&self) -> Made {
        match (self.0.starts_with(OURS), self.time()) {
            (_, None) => Made::ByOthers,
            (true, Some(_)) => Made::ByUs,
            (false, Some(_)) => Made::ByEtcdManager,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 3339 in whole seconds, as Go's `time.RFC3339` has it in UTC.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_snapshots_backup_has_one_name_and_two_snapshots_have_two() {
        let started = "2026-11-23T02:00:01.041Z".parse().expect("a time");
        let name = Name::of_snapshot("snap-0123456789abcdef0", started);
        assert_eq!(name.as_str(), "etcd-volume-backup-2026-11-23T02:00:01Z-730737");
        assert_eq!(name, Name::of_snapshot("snap-0123456789abcdef0", started));
        assert_ne!(name, Name::of_snapshot("snap-0123456789abcdef1", started));
        assert_eq!(name.time(), "2026-11-23T02:00:01Z".parse().ok());
        assert_eq!(Name::parse(name.as_str()), Ok(name));
    }

    #[test]
    fn who_made_it_is_told_by_the_name() {
        let made = |text: &str| Name::parse(text).map(|name| (name.made(), name.time().is_some()));
        assert_eq!(made("2026-11-23T02:00:00Z-000001"), Ok((Made::ByEtcdManager, true)));
        assert_eq!(made("2026-11-23T02:00:00Z-anything"), Ok((Made::ByEtcdManager, true)));
        assert_eq!(made("etcd-volume-backup-2026-11-23T02:00:00Z-000001"), Ok((Made::ByUs, true)));
        assert_eq!(made("etcd-volume-backup-yesterday"), Ok((Made::ByOthers, false)));
        assert_eq!(made("before-the-upgrade"), Ok((Made::ByOthers, false)));
        assert_eq!(made("2026-11-23T02:00:00Z"), Ok((Made::ByOthers, false)));
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        for text in ["", ".", "..", "a/b", "../x", "control", "a b", "ä", "a\nb", "a\\b", &"x".repeat(257)] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_is_refused(text in "\\PC*") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(name.as_str(), text.as_str());
                let _ = (name.time(), name.made());
            }
        }
    }
}
