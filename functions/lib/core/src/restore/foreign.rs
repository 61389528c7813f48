//! Whether a snapshot that this tool did not take, or that is no longer as it was taken, may be restored.

use super::plan::{ForeignSnapshots, Settings};
use super::refusal::{Refusal, RefusalKind};
use super::request::{Allow, RestoreRequest};
use crate::provenance::{Provenance, provenance};
use crate::snapshot::Snapshot;
use crate::tags;

/// What stands in the way of it, or what the operator should know.
pub(super) fn judge(
    snapshot: &Snapshot,
    request: &RestoreRequest,
    settings: &Settings,
) -> Result<Option<String>, Refusal> {
    let Snapshot { id, owner, .. } = snapshot;
    let refused = |message: String| Err(Refusal::new(RefusalKind::Foreign, message));
    let what = match provenance(snapshot) {
        Provenance::Ours(_) => return Ok(None),
        Provenance::Copy => format!("{id} is a copy of a snapshot, and nothing tells whether it is one of this tool's"),
        Provenance::Doubtful(doubtful) => doubtful.to_string(),
        Provenance::Foreign => {
            let needed = if snapshot.own { ForeignSnapshots::Account } else { ForeignSnapshots::Any };
            let whose = if snapshot.own { "this account" } else { "another account" };
            if settings.foreign < needed {
                return refused(format!(
                    "{id} is not one that this tool took: it belongs to {whose}, {owner}. FOREIGN_SNAPSHOTS is `{}`; to \
                     restore it set the stack's parameter ForeignSnapshots to `{}`, and plan again with `allow_foreign`",
                    settings.foreign.word(),
                    needed.word()
                ));
            }
            format!("{id} is not one that this tool took: it belongs to {whose}, {owner}")
        }
    };
    // Without these marks the role may make no volume of it, unless all snapshots of the account are let in.
    let lacks =
        [tags::RECOVERY_POINT, tags::SNAPSHOT_CLUSTER].into_iter().find(|key| !snapshot.tags.contains_key(*key));
    if let Some(key) = lacks.filter(|_| settings.foreign == ForeignSnapshots::Off) {
        return refused(format!(
            "{what}. It lacks the tag `{key}`, and FOREIGN_SNAPSHOTS is `off`; to restore it set the stack's parameter \
             ForeignSnapshots to `account`, and plan again with `allow_foreign`"
        ));
    }
    if request.allows(Allow::Foreign) {
        return Ok(Some(format!("allowed all the same: {what}")));
    }
    refused(format!("{what}. Whoever made it decides what the cluster becomes; set `allow_foreign` if you trust it"))
}

impl ForeignSnapshots {
    /// Its word in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Account => "account",
            Self::Any => "any",
        }
    }
}
