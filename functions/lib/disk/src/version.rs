//! Versions of etcd, as far as the rules here know them.

use std::fmt;
use std::ops::RangeInclusive;

/// What the rules were tried with: etcd 3.4 to 3.7, and 3.8 as its main branch was in August 2026.
const KNOWN: RangeInclusive<Version> = Version { major: 3, minor: 4 }..=V3_8;

pub(crate) const V3_5: Version = Version { major: 3, minor: 5 };
pub(crate) const V3_6: Version = Version { major: 3, minor: 6 };
pub(crate) const V3_7: Version = Version { major: 3, minor: 7 };
pub(crate) const V3_8: Version = Version { major: 3, minor: 8 };

/// A version without its patch level, which etcd writes into a db as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// A version that the rules know; else what was met.
    pub(crate) fn known(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.').map(str::parse);
        let version = match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some(Self { major, minor }),
            _ => None,
        };
        let known = version.filter(|version| KNOWN.contains(version));
        known.ok_or_else(|| format!("`{text}`: what is known here are {} to {}", KNOWN.start(), KNOWN.end()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let known = ["3.3.0", "3.4.0", "3.5", "3.8.0", "3.9.0", "3.10.0", "4.0.0", "3", "x", ""];
        let known = known.map(|text| Version::known(text).ok().map(|version| version.to_string()));
        let expected = [None, Some("3.4"), Some("3.5"), Some("3.8"), None, None, None, None, None, None];
        assert_eq!(known, expected.map(|version| version.map(str::to_owned)));
        assert!(V3_5 < V3_6 && V3_6 < V3_7 && V3_7 < V3_8);
        assert_eq!(Version::known("3.10.0"), Err("`3.10.0`: what is known here are 3.4 to 3.8".to_owned()));
    }
}
