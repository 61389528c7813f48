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
/// Letters of it without the zone.
const SECONDS: usize = 19;
/// The longest name that is read, in bytes.
const LONGEST: usize = 256;

/// A backup's name: that of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// Who made a backup, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// etcd-manager: a time in whole seconds of UTC, and six digits.
    ByEtcdManager,
    /// This tool: the same after `etcd-volume-backup-`.
    ByUs,
    /// Somebody else.
    ByOthers,
}

/// What etcd-manager's cleanup does with a backup, by its name.
///
/// It runs after a backup, at most once an hour, and keeps: all of the last hour; the first of each hour for 7 days; the first
/// of each day for 90 days, as kops sets it (730 where it does not). It deletes the rest, whoever made it, and takes a
/// stranger's for the first one as well as its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Never deletes it: its name begins with no time.
    KeepsForEver,
    /// Keeps it for so long as it is the first of its hour or day.
    Thins,
}

/// Why a text is no backup's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a backup's name: one has no `/` and only printable ASCII characters, at most {LONGEST}", .0.escape_default())]
pub struct InvalidName(String);

impl Name {
    /// The name of a snapshot's backup. It is the same however often the snapshot is exported, so that nothing is exported
    /// twice: the six digits are the first 32 bits of the SHA-256 of its id, as a number, modulo a million.
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
        time_of(self.0.strip_prefix(OURS).unwrap_or(&self.0))
    }

    /// Who made it.
    #[must_use]
    pub fn made(&self) -> Made {
        match self.0.strip_prefix(OURS) {
            Some(rest) if is_time_and_digits(rest) => Made::ByUs,
            None if is_time_and_digits(&self.0) => Made::ByEtcdManager,
            _ => Made::ByOthers,
        }
    }

    /// What etcd-manager's cleanup does with it.
    #[must_use]
    pub fn cleanup(&self) -> Cleanup {
        if time_of(&self.0).is_some() { Cleanup::Thins } else { Cleanup::KeepsForEver }
    }
}

/// `2026-11-23T02:00:00Z-000001`.
fn is_time_and_digits(text: &str) -> bool {
    let parts = text.split_at_checked(TIME).and_then(|(time, rest)| Some((time, rest.strip_prefix('-')?)));
    parts.is_some_and(|(time, digits)| {
        let are_digits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        are_digits && time_of(time).is_some()
    })
}

/// The time that a name begins with, as etcd-manager's cleanup reads it (`pkg/backupcontroller/parse.go`): all before the first
/// `Z-`, or else the whole name, as Go's `time.RFC3339`. Go also takes an hour of one digit, which nobody writes.
fn time_of(name: &str) -> Option<Timestamp> {
    let text = name.find("Z-").map_or(name, |at| &name[..=at]);
    let (seconds, rest) = text.split_at_checked(SECONDS)?;
    let has_form = |form: &[u8], text: &str| {
        let is_it = |(form, byte): (&u8, u8)| if *form == b'0' { byte.is_ascii_digit() } else { *form == byte };
        form.len() == text.len() && form.iter().zip(text.bytes()).all(is_it)
    };
    let zone = match rest.strip_prefix(['.', ',']) {
        Some(fraction) if !fraction.starts_with(|c: char| c.is_ascii_digit()) => return None,
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    // Not all that jiff reads: other forms of ISO 8601, and leap seconds.
    let is_time = has_form(b"0000-00-00T00:00:00", seconds) && !seconds.ends_with("60");
    let is_zone = zone == "Z" || has_form(b"+00:00", zone) || has_form(b"-00:00", zone);
    (is_time && is_zone).then(|| format!("{seconds}{zone}").parse().ok()).flatten()
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
    fn who_made_it_and_what_becomes_of_it_is_told_by_the_name() {
        use Cleanup::{KeepsForEver, Thins};
        use Made::{ByEtcdManager, ByOthers, ByUs};
        for (text, made, cleanup, has_time) in [
            ("2026-11-23T02:00:00Z-000001", ByEtcdManager, Thins, true),
            ("2026-11-23T02:00:00Z-anything", ByOthers, Thins, true),
            ("2026-11-23T02:00:00Z-0000001", ByOthers, Thins, true),
            ("2026-11-23T02:00:00Z-", ByOthers, Thins, true),
            ("2026-11-23T02:00:00Z", ByOthers, Thins, true),
            ("2026-11-23T02:00:00.5Z-000001", ByOthers, Thins, true),
            ("2026-11-23T02:00:00.0123456789Z", ByOthers, Thins, true),
            ("2026-11-23T03:00:00+01:00", ByOthers, Thins, true),
            ("2026-11-23T03:00:00+01:00-000001", ByOthers, KeepsForEver, false),
            ("etcd-volume-backup-2026-11-23T02:00:00Z-900001", ByUs, KeepsForEver, true),
            ("etcd-volume-backup-2026-11-23T02:00:00Z-90001", ByOthers, KeepsForEver, true),
            ("etcd-volume-backup-2026-11-23T02:00:00Z", ByOthers, KeepsForEver, true),
            ("etcd-volume-backup-yesterday", ByOthers, KeepsForEver, false),
            ("before-the-upgrade", ByOthers, KeepsForEver, false),
            ("before-2026-11-23T02:00:00Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-31T02:00:00Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-23T23:59:60Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-23t02:00:00Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-23T02:00:00z-000001", ByOthers, KeepsForEver, false),
            ("20261123T020000.0000Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-23T02:00:00.Z-000001", ByOthers, KeepsForEver, false),
            ("2026-11-23T02:00Z-000001", ByOthers, KeepsForEver, false),
            ("2018", ByOthers, KeepsForEver, false),
            ("Z-", ByOthers, KeepsForEver, false),
        ] {
            let name = Name::parse(text).expect(text);
            assert_eq!((name.made(), name.cleanup(), name.time().is_some()), (made, cleanup, has_time), "{text}");
        }
    }

    #[test]
    fn names_in_another_zone_are_of_their_moment() {
        let time = |text: &str| Name::parse(text).expect(text).time().expect(text);
        assert_eq!(time("2026-11-23T03:00:00+01:00"), time("2026-11-23T02:00:00Z-000001"));
        assert!(time("etcd-volume-backup-2026-11-23T02:00:01Z-000001") > time("2026-11-23T02:00:00Z-999999"));
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        for text in ["", ".", "..", "a/b", "../x", "control", "a b", "ä", "a\nb", "a\\b", &"x".repeat(257)] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_snapshots_name_is_read_back(id in "snap-[0-9a-f]{17}", second in -62_167_219_200..253_402_300_800_i64) {
            let name = Name::of_snapshot(&id, Timestamp::from_second(second).expect("a time"));
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(name.time().map(Timestamp::as_second), Some(second));
            prop_assert_eq!((name.made(), name.cleanup()), (Made::ByUs, Cleanup::KeepsForEver));
        }

        #[test]
        fn any_text_is_a_name_or_is_refused(text in "(etcd-volume-backup-)?(2026-11-23T02:00:0[0-9TZ:.,+-]{0,9})?\\PC{0,9}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(name.as_str(), text.as_str());
                let _ = (name.time(), name.made(), name.cleanup());
            }
        }
    }
}
