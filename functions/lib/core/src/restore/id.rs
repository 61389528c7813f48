//! The id of a restore: what makes the same event the same restore.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::ids::{EtcdCluster, Member};

const FORMAT: &str = "%Y%m%dT%H%M%S%.3fZ";

/// `<when it was planned>-<eight random hex digits>`, e.g. `20261123T021500.041Z-1a2b3c4d`. Ids sort by time of planning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RestoreId(String);

/// Not an id that a plan gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id that a plan gave, such as `20261123T021500.041Z-1a2b3c4d`")]
pub struct InvalidRestoreId(String);

impl RestoreId {
    /// The id of a restore planned now.
    #[must_use]
    pub fn new(now: Timestamp, random: u32) -> Self {
        Self(format!("{}-{random:08x}", now.strftime(FORMAT)))
    }

    /// Reads an id that [`Self::new`] made.
    pub fn parse(text: &str) -> Result<Self, InvalidRestoreId> {
        let is_hex = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
        let read = text.split_once('-').filter(|(_, random)| random.len() == 8 && random.chars().all(is_hex));
        let time = read
            .and_then(|(time, _)| planned(time))
            .filter(|time| text.starts_with(&time.strftime(FORMAT).to_string()));
        time.map(|_| Self(text.to_owned())).ok_or_else(|| InvalidRestoreId(text.to_owned()))
    }

    /// When it was planned, cut to the millisecond, as EC2 has times: every volume that it makes is younger.
    #[must_use]
    pub fn planned(&self) -> Timestamp {
        self.0.split_once('-').and_then(|(time, _)| planned(time)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The client token of a member's volume: EC2 takes at most 64 ASCII characters, and a member's name may be longer.
    #[must_use]
    pub fn client_token(&self, etcd_cluster: &EtcdCluster, member: &Member) -> String {
        format!("{self}-{:016x}", fnv1a(format!("{etcd_cluster}/{member}").as_bytes()))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RestoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn planned(time: &str) -> Option<Timestamp> {
    Some(DateTime::strptime(FORMAT, time).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// FNV-1a: the same in every version of this project, which the standard library's hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_planned_and_sorts_by_it() {
        let at = |time: &str, random| RestoreId::new(time.parse().unwrap(), random);
        let id = at("2026-11-23T02:15:00.0419Z", 0x1a2b_3c4d);
        assert_eq!(id.as_str(), "20261123T021500.041Z-1a2b3c4d");
        assert_eq!(RestoreId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(id.planned(), "2026-11-23T02:15:00.041Z".parse().unwrap());
        assert!(id < at("2026-11-23T02:15:01Z", 0) && id < at("2027-01-01T00:00:00Z", 0));
    }

    #[test]
    fn what_no_plan_gave_is_refused() {
        for bad in [
            "",
            "mine",
            "20261123T021500.041Z",
            "20261123T021500Z-1a2b3c4d",
            "20261123T021500.041Z-1A2B3C4D",
            "20261323T021500.041Z-1a2b3c4d",
        ] {
            let error = RestoreId::parse(bad).expect_err(bad).to_string();
            assert!(error.contains("is not an id that a plan gave"), "{error}");
        }
    }

    #[test]
    fn a_token_is_the_members_own_and_fits() {
        let id = RestoreId::parse("20261123T021500.041Z-1a2b3c4d").unwrap();
        let token =
            |etcd, member: &str| id.client_token(&EtcdCluster::parse(etcd).unwrap(), &Member::parse(member).unwrap());
        assert_eq!(token("main", "a"), token("main", "a"));
        assert!(token("main", "a") != token("main", "b") && token("main", "a") != token("events", "a"));
        let long = token("main", &"a".repeat(127));
        assert!(long.is_ascii() && long.len() <= 64, "{long}");
    }
}
