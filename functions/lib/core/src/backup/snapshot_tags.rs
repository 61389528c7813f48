//! The tags of a new snapshot.

use super::finding::Finding;
use super::request::Request;
use crate::ids::EtcdClusterId;
use crate::marks::pack;
use crate::slot::Slot;
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// Written later, by `verify` and by an operator: room is left for them.
const LATER: [&str; 2] = [tags::KEEP, tags::VERIFIED];

/// A snapshot's tags, and the labels of the volume that did not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SnapshotTags {
    pub tags: Tags,
    /// What is not a tag of the snapshot; a restore gives it back all the same.
    pub left_out: Vec<String>,
    /// What a restore cannot give back.
    pub lost: Vec<String>,
}

/// The marks, with all tags of the volume packed in them, and the volume's labels as tags once more, since reports on
/// costs need them, but for those that IAM may take for kops' or ours. Where that exceeds what a resource can bear, labels are left out in the order of their keys.
pub(super) fn snapshot_tags(
    volume: &Volume,
    (of, etcd_value): (&EtcdClusterId, &str),
    slot: Slot,
    request: &Request,
) -> Result<SnapshotTags, Finding> {
    let mut tags = Tags::from([
        (tags::SNAPSHOT_CLUSTER.to_owned(), of.cluster.to_string()),
        (tags::SNAPSHOT_ETCD_CLUSTER.to_owned(), of.etcd_cluster.to_string()),
        (tags::SNAPSHOT_MEMBER.to_owned(), etcd_value.to_owned()),
        (tags::RECOVERY_POINT.to_owned(), slot.to_string()),
        (tags::VOLUME.to_owned(), volume.recorded().to_string()),
        (tags::TRIGGER.to_owned(), request.trigger.word().to_owned()),
    ]);
    tags.extend(volume.tags.get(tags::NAME).map(|name| (tags::NAME.to_owned(), name.clone())));
    if request.keep {
        tags.insert(tags::KEEP.to_owned(), "true".to_owned());
    }
    let later = LATER.iter().filter(|key| !tags.contains_key(**key)).count();
    let mut originals: Tags = volume
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with(tags::AWS_PREFIX) && !key.starts_with(tags::OURS_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut labels: Tags = originals
        .iter()
        .filter(|(key, _)| !tags::is_kops(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let room = tags::MOST - tags.len() - later;
    let mut lost = Vec::new();
    let packed = loop {
        let packed = pack(&originals);
        let over = packed.len().saturating_sub(room);
        if over == 0 {
            break packed;
        }
        let Some((label, _)) = labels.pop_first() else { return Err(Finding::TooManyTags { over }) };
        originals.remove(&label);
        lost.push(label);
    };
    tags.extend(packed);
    labels.retain(|key, _| !tags::gives_rights(key) && !tags::is_like_ours(key));
    let over = (tags.len() + later + labels.len()).saturating_sub(tags::MOST);
    let left_out: Vec<String> = labels.keys().take(over).cloned().collect();
    tags.extend(labels.into_iter().skip(over));
    Ok(SnapshotTags { tags, left_out, lost })
}
