//! Taking a volume's discovery tags and `Name` away, so that they can be given back exactly.
//!
//! The originals are packed into numbered tags on the volume itself: how many there are, `;`, then each as
//! `<length of the key>:<length of the value>:<key><value>`, lengths in characters, cut into values of 256. Lengths
//! instead of separators: whatever a tag holds, nothing needs escaping.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;

use super::id::RestoreId;
use super::refusal::{Refusal, RefusalKind};
use crate::ids::VolumeId;
use crate::slot::Slot;
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// How one volume's tags change: write, see it written, then take away. In this order nothing is ever lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// The volume.
    pub volume: VolumeId,
    /// What is written. Empty where that has been done.
    pub write: Tags,
    /// What is taken away, with the values that it has: a tag that was changed meanwhile stays.
    pub take: Tags,
}

/// Why a volume's tags cannot be changed as they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Unfit {
    /// So many tags too many at some step.
    #[error("it would need {most} and {0} more tags at some step: {0} of its cost labels must go first", most = tags::MOST)]
    TooManyTags(usize),
    /// What an interrupted retirement parked was changed since.
    #[error("its tags `{}<n>` cannot be read: were they changed? Give it kops' tags by hand", tags::WAS_PREFIX)]
    Unreadable,
}

impl Unfit {
    /// The refusal that it is.
    pub(super) fn refusal(self, what: impl Display) -> Refusal {
        let kind = match self {
            Self::TooManyTags(_) => RefusalKind::TooManyTags,
            Self::Unreadable => RefusalKind::NotOurs,
        };
        Refusal::new(kind, format!("{what}: {self}"))
    }
}

/// Refuses what would not fit on a resource.
pub(super) fn fits<'a>(keys: impl IntoIterator<Item = &'a String>) -> Result<(), Unfit> {
    match tags::count(keys).saturating_sub(tags::MOST) {
        0 => Ok(()),
        over => Err(Unfit::TooManyTags(over)),
    }
}

/// Retires a volume, in favour of another where there is one. Goes on with a retirement of the same restore that was
/// interrupted: what was parked then is not forgotten.
pub(super) fn retire(
    volume: &Volume,
    restore: Option<&RestoreId>,
    replaced_by: Option<&VolumeId>,
    now: Timestamp,
) -> Result<TagChange, Unfit> {
    let (write, take) = retired(&volume.tags, restore, replaced_by, now)?;
    Ok(TagChange { volume: volume.id.clone(), write, take })
}

/// Retires the volume of a member that is to join empty; it names the volume of a member that is restored.
pub(super) fn retire_emptied(
    volume: &Volume,
    restore: &RestoreId,
    restored: Option<&VolumeId>,
    now: Timestamp,
) -> Result<TagChange, Unfit> {
    let mut change = retire(volume, Some(restore), restored, now)?;
    if !change.write.is_empty() {
        change.write.insert(tags::JOINS_EMPTY.to_owned(), "true".to_owned());
    }
    fits(volume.tags.keys().chain(change.write.keys().filter(|key| !volume.tags.contains_key(*key))))?;
    Ok(change)
}

/// Whether a volume with these tags could be retired, in favour of none.
pub(super) fn could_be_retired(tags: &Tags, now: Timestamp) -> Result<(), Unfit> {
    retired(tags, None, None, now).map(|_| ())
}

/// What is written, and what is taken away.
fn retired(
    tags: &Tags,
    restore: Option<&RestoreId>,
    replaced_by: Option<&VolumeId>,
    now: Timestamp,
) -> Result<(Tags, Tags), Unfit> {
    let mut take = discovery(tags);
    let interrupted = is_retired_for(tags, restore, replaced_by);
    let before = if interrupted { originals(tags).ok_or(Unfit::Unreadable)? } else { Tags::new() };
    let mut all = before.clone();
    all.extend(take.clone());
    if interrupted && all == before {
        return Ok((Tags::new(), take));
    }
    let mut park = pack(&all);
    park.insert(tags::RETIRED_AT.to_owned(), Slot::at(now).to_string());
    park.extend(restore.map(|id| (tags::RESTORE.to_owned(), id.to_string())));
    park.extend(replaced_by.map(|id| (tags::REPLACED_BY.to_owned(), id.to_string())));
    // Leftovers of an earlier life would be read as part of what is parked now: emptied in the same call, then taken.
    let stale: Tags = tags
        .keys()
        .filter(|key| key.starts_with(tags::WAS_PREFIX) && !park.contains_key(*key))
        .map(|key| (key.clone(), String::new()))
        .collect();
    park.extend(stale.clone());
    take.extend(stale);
    fits(tags.keys().chain(park.keys().filter(|key| !tags.contains_key(*key))))?;
    Ok((park, take))
}

/// Whether these are the tags of a volume that this very restore retired, or was about to.
pub(super) fn is_retired_for(tags: &Tags, restore: Option<&RestoreId>, replaced_by: Option<&VolumeId>) -> bool {
    let is = |key: &str, value: Option<&str>| tags.get(key).map(String::as_str) == value;
    is_retired(tags)
        && is(tags::REPLACED_BY, replaced_by.map(VolumeId::as_str))
        && restore.is_none_or(|id| is(tags::RESTORE, Some(id.as_str())))
}

/// Whether these are the tags of a volume that has been retired, or was about to be.
pub(super) fn is_retired(tags: &Tags) -> bool {
    tags.contains_key(tags::RETIRED_AT)
}

/// The tags by which kops' programs find a volume.
pub(super) fn discovery(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| tags::is_discovery(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Gives a retired volume its tags back. `None`: what was parked cannot be read.
pub(super) fn give_back(volume: &Volume) -> Option<TagChange> {
    let bookkeeping = |key: &str| {
        [tags::RETIRED_AT, tags::REPLACED_BY, tags::RESTORE, tags::JOINS_EMPTY].contains(&key)
            || key.starts_with(tags::WAS_PREFIX)
    };
    let take = volume.tags.iter().filter(|(key, _)| bookkeeping(key));
    Some(TagChange {
        volume: volume.id.clone(),
        write: originals(&volume.tags)?,
        take: take.map(|(key, value)| (key.clone(), value.clone())).collect(),
    })
}

fn pack(originals: &Tags) -> Tags {
    let each = |(key, value): (&String, &String)| {
        [key.chars().count().to_string(), value.chars().count().to_string(), key.clone() + value].join(":")
    };
    let whole = format!("{};{}", originals.len(), originals.iter().map(each).collect::<String>());
    let mut values = vec![String::new()];
    let mut units = 0;
    for character in whole.chars() {
        // In UTF-16 units, so that it fits whichever way EC2 counts.
        if units + character.len_utf16() > tags::MOST_VALUE {
            values.push(String::new());
            units = 0;
        }
        units += character.len_utf16();
        if let Some(last) = values.last_mut() {
            last.push(character);
        }
    }
    (1..).zip(values).map(|(n, value)| (format!("{}{n}", tags::WAS_PREFIX), value)).collect()
}

/// What was taken away from a retired volume. `None`: the tags were changed since.
pub(super) fn originals(tags: &Tags) -> Option<Tags> {
    let numbered = tags.iter().filter_map(|(key, value)| Some((key.strip_prefix(tags::WAS_PREFIX)?, value)));
    let numbered: BTreeMap<usize, &String> =
        numbered.map(|(n, value)| Some((n.parse().ok()?, value))).collect::<Option<_>>()?;
    let whole: String =
        (1..=numbered.len()).map(|n| numbered.get(&n).map(|value| value.as_str())).collect::<Option<_>>()?;
    let (count, mut rest) = whole.split_once(';')?;
    let mut originals = Tags::new();
    for _ in 0..count.parse().ok()? {
        let (key, value, after) = next(rest)?;
        originals.insert(key.to_owned(), value.to_owned());
        rest = after;
    }
    rest.is_empty().then_some(originals)
}

/// The next key and value, and what follows.
fn next(packed: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = packed.split_once(':')?;
    let (value, rest) = rest.split_once(':')?;
    let (key, rest) = split_at_char(rest, key.parse().ok()?)?;
    let (value, rest) = split_at_char(rest, value.parse().ok()?)?;
    Some((key, value, rest))
}

fn split_at_char(text: &str, characters: usize) -> Option<(&str, &str)> {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(characters).map(|at| text.split_at(at))
}
