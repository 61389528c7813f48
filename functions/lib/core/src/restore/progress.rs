//! How far a restore has come with a member, read from the volumes: so that the same event goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::filters::claims;
use super::id::RestoreId;
use super::new_volume::{NewVolume, lineage_value};
use super::parking::{is_retired, originals};
use crate::ids::{EtcdClusterId, Lineage};
use crate::tags::{self, Tags};
use crate::told;
use crate::volume::{Volume, VolumeState};

/// How far a restore has come with a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress<'a> {
    /// No volume is to be seen.
    None,
    /// There is a volume, still marked as this restore's.
    Made(&'a Volume),
    /// The volume is the member's.
    Live(&'a Volume),
    /// Two volumes bear its marks, and it makes one: somebody else has marked the other.
    Unclear(&'a Volume, &'a Volume),
    /// It was undone, withdrawn or has failed: nothing goes on.
    Over(String),
}

pub(super) fn progress<'a>(
    volumes: &'a [Volume],
    id: &RestoreId,
    lineage: &Lineage,
    (planned, with_settings): (&NewVolume, bool),
) -> Progress<'a> {
    // A later stage makes none, so that its event need not repeat the settings.
    let is_as_planned = |volume: &Volume| {
        if with_settings { is_as_planned(volume, planned) } else { volume.snapshot.as_ref() == Some(&planned.snapshot) }
    };
    let of_this = |volume: &&Volume| volume.tags.get(tags::RESTORE).is_some_and(|restore| restore == id.as_str());
    let new = |volume: &&Volume| is_new(volume, lineage) && !volume.tags.contains_key(tags::REPLACED_BY);
    let marked = || volumes.iter().filter(|volume| of_this(volume) && new(volume));
    let waiting = || marked().filter(|volume| !is_retired(&volume.tags));
    let mut there = waiting().filter(|volume| !volume.is_leaving());
    let there = (there.next(), there.next());
    if let (Some(one), Some(other)) = there {
        return Progress::Unclear(one, other);
    }
    if let Some(volume) = there.0.or_else(|| waiting().next()) {
        return match volume.state {
            VolumeState::Error | VolumeState::Deleting | VolumeState::Deleted => Progress::Over(failed(volume)),
            _ if !is_as_planned(volume) => {
                Progress::Over(format!("its volume {} was made with other settings", volume.id))
            }
            _ => Progress::Made(volume),
        };
    }
    if let Some(volume) = marked().next() {
        return Progress::Over(format!("its volume {} was undone or withdrawn", volume.id));
    }
    // Once a volume is the member's it bears nothing of ours. The old one tells which it is...
    let was_of = |volume: &Volume| originals(&volume.tags).is_some_and(|tags| claims(&tags, lineage));
    let mut old = volumes.iter().filter(|volume| of_this(volume) && is_retired(&volume.tags) && was_of(volume));
    let replaced_by = old.find_map(|volume| volume.tags.get(tags::REPLACED_BY));
    if let Some(replaced_by) = replaced_by {
        return match volumes.iter().find(|volume| volume.id.as_str() == replaced_by) {
            Some(volume) if claims(&volume.tags, lineage) && !is_retired(&volume.tags) => Progress::Live(volume),
            Some(volume) => Progress::Over(format!("its volume {} was undone or its tags were changed", volume.id)),
            None => {
                Progress::Over(format!("its volume {} is gone, or its tags were changed", told::value(replaced_by)))
            }
        };
    }
    // ... and where there was none: kops makes no volume from a snapshot, and this one is younger than the plan.
    // An old volume may tell that another restore made it.
    let of_other = |volume: &Volume| {
        let says_so = |old: &Volume| {
            old.tags.get(tags::REPLACED_BY).is_some_and(|by| by == volume.id.as_str())
                && old.tags.get(tags::RESTORE).is_some_and(|restore| restore != id.as_str())
        };
        volumes.iter().any(says_so)
    };
    let made_since = |volume: &&Volume| is_as_planned(volume) && volume.created >= id.planned() && !of_other(volume);
    let mut made_since = volumes.iter().filter(made_since).filter(|volume| !volume.tags.contains_key(tags::LINEAGE));
    match made_since.find(|volume| claims(&volume.tags, lineage) || (is_retired(&volume.tags) && was_of(volume))) {
        Some(volume) if is_retired(&volume.tags) => Progress::Over(format!("its volume {} was undone", volume.id)),
        Some(volume) => Progress::Live(volume),
        None => Progress::None,
    }
}

/// Whether a volume is as this one would be made now. EC2 shows IOPS and throughput where they apply; it may encrypt what
/// nobody asked it to.
fn is_as_planned(volume: &Volume, planned: &NewVolume) -> bool {
    let settings = &planned.settings;
    let bears_cluster = |tags: &Tags| tags.contains_key(tags::CLUSTER);
    volume.snapshot.as_ref() == Some(&planned.snapshot)
        && volume.zone == planned.zone
        && volume.volume_type == settings.volume_type
        && volume.size_gib == settings.size_gib
        && settings.iops.is_none_or(|iops| volume.iops == Some(iops))
        && settings.throughput.is_none_or(|throughput| volume.throughput == Some(throughput))
        // One that was made for inspection may have been written to. A retired one bears no cluster.
        && (bears_cluster(&volume.tags) == bears_cluster(&planned.tags) || is_retired(&volume.tags))
}

/// Why a volume that failed did so, as far as one can tell.
pub(super) fn failed(volume: &Volume) -> String {
    let key = volume.kms_key.as_ref().map_or(String::new(), |key| {
        format!("; may the function's role, and EC2, use the KMS key {key}, and is it enabled?")
    });
    format!("its volume {} is `{}`{key}", volume.id, volume.state)
}

/// Whether the volume is marked as one that a restore is making, or made, for the member.
pub(super) fn is_new(volume: &Volume, lineage: &Lineage) -> bool {
    volume.tags.get(tags::LINEAGE).is_some_and(|value| *value == lineage_value(lineage))
}

/// The volumes that another restore than `id` is making for the member, each with its restore.
pub(super) fn rivals<'a>(
    volumes: &'a [Volume],
    lineage: &Lineage,
    id: Option<&RestoreId>,
) -> impl Iterator<Item = (&'a str, &'a Volume)> {
    volumes.iter().filter_map(move |volume| {
        let restore = volume.tags.get(tags::RESTORE).filter(|restore| id.is_none_or(|id| *restore != id.as_str()))?;
        let cluster = volume.tags.get(tags::CLUSTER).is_some_and(|cluster| cluster == lineage.of.cluster.as_str());
        let under_way = !is_retired(&volume.tags) && !volume.is_leaving() && volume.state != VolumeState::Error;
        (cluster && is_new(volume, lineage) && under_way).then_some((restore.as_str(), volume))
    })
}

/// The volumes that a restore has made, by member, as far as their marks and those of the volumes that they replaced tell.
pub(super) fn made_by(volumes: &[Volume], of: &EtcdClusterId, restore: &str) -> BTreeMap<String, String> {
    let of_it = volumes.iter().filter(|volume| volume.tags.get(tags::RESTORE).is_some_and(|id| id == restore));
    let made = of_it.filter_map(|volume| {
        let Some(new) = volume.tags.get(tags::REPLACED_BY) else {
            return Some((member_of(&volume.tags, of)?, volume.id.to_string()));
        };
        // The volume of a member that joins empty names another member's: that one's own tags say whose it is.
        let by_itself = volumes.iter().find(|volume| volume.id.as_str() == new);
        let by_itself = by_itself.and_then(|volume| member_of(&volume.tags, of));
        Some((by_itself.or_else(|| member_of(&volume.tags, of))?, new.clone()))
    });
    made.collect()
}

/// The member that a volume is of, or was before it was retired, by its tags.
pub(super) fn member_of(tags: &Tags, of: &EtcdClusterId) -> Option<String> {
    if let Some((etcd_cluster, member)) = tags.get(tags::LINEAGE).and_then(|value| value.split_once('/')) {
        return (etcd_cluster == of.etcd_cluster.as_str()).then(|| member.to_owned());
    }
    let was = originals(tags);
    let value = tags.get(&of.etcd_key()).or_else(|| was.as_ref()?.get(&of.etcd_key()))?;
    Some(value.split('/').next()?.to_owned())
}

/// The volumes that were retired in favour of these, by their marks.
pub(super) fn replaced_by(made: &BTreeMap<String, String>, volumes: &[Volume]) -> BTreeSet<String> {
    let is_old = |volume: &&Volume| {
        !volume.is_leaving() && volume.tags.get(tags::REPLACED_BY).is_some_and(|by| made.values().any(|new| new == by))
    };
    volumes.iter().filter(is_old).map(|volume| volume.id.to_string()).collect()
}

/// As the elements of a JSON list.
pub(super) fn quoted<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items = items.into_iter().map(|item| format!("\"{}\"", item.to_string()));
    items.collect::<Vec<_>>().join(", ")
}

/// The event that takes these volumes back, for a message.
pub(super) fn undo_event(of: &EtcdClusterId, made: &BTreeMap<String, String>, volumes: &[Volume]) -> String {
    let old = quoted(replaced_by(made, volumes));
    let named =
        |(member, volume): (&String, &String)| format!("\"{}\": \"{}\"", told::value(member), told::value(volume));
    let volumes: Vec<String> = made.iter().map(named).collect();
    format!(
        "{{\"mode\": \"undo\", \"cluster\": \"{}\", \"etcd_cluster\": \"{}\", \"volumes\": {{{}}}, \
         \"old_volumes\": [{old}]}}",
        of.cluster,
        of.etcd_cluster,
        volumes.join(", ")
    )
}
