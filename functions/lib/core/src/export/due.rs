//! Whether a point that `verify` found sound is to be exported.

use std::collections::BTreeSet;

use super::backup::{Maker, Store};
use super::request::Exports;
use crate::slot::Slot;

/// Whether the store has what is due: an export of one of the point's snapshots, by the names that these would have, or of the
/// same day where one a day is due.
#[must_use]
pub fn has_due(store: &Store, names: &BTreeSet<String>, slot: Slot, exports: Exports) -> bool {
    store.newest_first().into_iter().any(|backup| {
        let is_ours = backup.maker == Maker::EtcdVolumeBackup;
        let is_of_day = backup.at.is_some_and(|at| Slot::at(at).day() == slot.day());
        names.contains(&backup.name) || (exports == Exports::Daily && is_ours && is_of_day)
    })
}
