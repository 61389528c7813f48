//! The tags of a new snapshot.

use super::request::Request;
use crate::slot::Slot;
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// Written later, by `verify` and by an operator: room is left for them.
const LATER: [&str; 2] = [tags::KEEP, tags::VERIFIED];

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
    let mut tags = Tags::from([
        (tags::RECOVERY_POINT.to_owned(), slot.to_string()),
        (tags::VOLUME.to_owned(), volume.recorded().to_string()),
        (tags::TRIGGER.to_owned(), request.trigger.word().to_owned()),
    ]);
    if request.keep {
        tags.insert(tags::KEEP.to_owned(), "true".to_owned());
    }
    let most = tags::MOST - tags.len();
    let later = LATER.iter().filter(|key| !tags.contains_key(**key)).count();
    let copied = volume
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with(tags::AWS_PREFIX) && !key.starts_with(tags::OURS_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()));
    let (kops, labels): (Tags, Tags) = copied.partition(|(key, _)| tags::is_kops(key));
    if kops.len() > most {
        return Err(TooManyTags { kops: kops.len(), most });
    }
    let room = most.saturating_sub(later + kops.len());
    let left_out: Vec<String> = labels.keys().take(labels.len().saturating_sub(room)).cloned().collect();
    tags.extend(kops);
    tags.extend(labels.into_iter().skip(left_out.len()));
    Ok(SnapshotTags { tags, left_out })
}
