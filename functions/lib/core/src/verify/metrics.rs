//! The figures of a run, per etcd cluster.

use std::collections::BTreeMap;

use super::findings::Examined;
use super::plan::Examination;
use crate::ids::EtcdClusterId;
use crate::verdict::Verdict;

/// What the metrics of one etcd cluster say after a run that examined something of it: counts, with the dimensions of a
/// backup's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyMetrics {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// `SnapshotsVerified`: snapshots that this run read and judged, whatever the verdict.
    pub verified: usize,
    /// `SnapshotsCorrupt`: of these, the corrupt ones.
    pub corrupt: usize,
    /// `SnapshotsUnsupported`: of these, those that could not be read.
    pub unsupported: usize,
}

impl VerifyMetrics {
    /// Each metric's name and value, all counts.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 3] {
        [
            ("SnapshotsVerified", self.verified),
            ("SnapshotsCorrupt", self.corrupt),
            ("SnapshotsUnsupported", self.unsupported),
        ]
    }

    /// Of each etcd cluster of which something was judged.
    pub(super) fn of<'a>(examined: impl Iterator<Item = (&'a Examination, &'a Examined)>) -> Vec<Self> {
        let mut all: BTreeMap<&EtcdClusterId, Self> = BTreeMap::new();
        for (examination, outcome) in examined {
            let Examined::Found { findings, .. } = outcome else { continue };
            let of = &examination.lineage.of;
            let none = || Self { of: of.clone(), verified: 0, corrupt: 0, unsupported: 0 };
            let metrics = all.entry(of).or_insert_with(none);
            metrics.verified += 1;
            metrics.corrupt += usize::from(findings.verdict == Verdict::Corrupt);
            metrics.unsupported += usize::from(findings.verdict == Verdict::Unsupported);
        }
        all.into_values().collect()
    }
}
