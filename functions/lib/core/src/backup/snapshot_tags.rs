//! The tags of a new snapshot.

use super::request::Request;
use crate::slot::Slot;
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// Room left for the tags that `verify` and an operator write later.
const RESERVED: [&str; 2] = [tags::KEEP, tags::VERIFIED];

/// A snapshot's tags, and the cost labels of the volume that did not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SnapshotTags {
    pub tags: Tags,
    pub left_out: Vec<String>,
}

/// kops' own tags alone leave no room for ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("its volume bears {kops} tags of kops, {most} is the most that fit beside ours: remove {}", kops - most)]
pub(super) struct TooManyTags {
    kops: usize,
    most: usize,
}

/// Every tag of the volume, verbatim, and ours. Where that exceeds what a resource can bear, cost labels are left
/// out in key order.
pub(super) fn snapshot_tags(volume: &Volume, slot: Slot, request: &Request) -> Result<SnapshotTags, TooManyTags> {
    let mut ours = Tags::from([
        (tags::RECOVERY_POINT.to_owned(), slot.to_string()),
        (tags::VOLUME.to_owned(), volume.recorded().to_string()),
        (tags::TRIGGER.to_owned(), request.trigger.word().to_owned()),
    ]);
    let most = tags::MOST - ours.len() - RESERVED.len();
    if request.keep {
        ours.insert(tags::KEEP.to_owned(), "true".to_owned());
    }
    let mut copied: Tags = volume
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with(tags::AWS_PREFIX) && !key.starts_with(tags::OURS_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let surplus = copied.len().saturating_sub(most);
    let left_out: Vec<String> = copied.keys().filter(|key| !tags::is_kops(key)).take(surplus).cloned().collect();
    if left_out.len() < surplus {
        return Err(TooManyTags { kops: copied.len() - left_out.len(), most });
    }
    copied.retain(|key, _| !left_out.contains(key));
    copied.extend(ours);
    Ok(SnapshotTags { tags: copied, left_out })
}
