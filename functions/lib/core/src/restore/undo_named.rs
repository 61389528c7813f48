//! What an undo must name of the old volumes: marks alone can be written by whoever may tag volumes.

use super::filters::claims;
use super::parking::originals;
use super::progress::undo_event;
use super::refusal::Refusal;
use super::request::UndoRequest;
use super::undo::UndoMember;
use crate::restore::Observed;
use crate::tags;
use crate::volume::Volume;

/// The volume in favour of which a volume says that it was retired.
pub(super) fn replaced_by(volume: &Volume) -> Option<&String> {
    volume.tags.get(tags::REPLACED_BY).filter(|_| !volume.is_leaving())
}

/// Whoever may tag volumes can give one the marks of a retired volume: only what the apply's own answer named is given
/// kops' tags.
pub(super) fn not_named(volume: &Volume) -> String {
    format!(
        "{} bears the marks of a volume that the restore retired, and `old_volumes` does not name it: it is left as it is",
        volume.id
    )
}

/// A member that would be left without a volume, though one bears the marks of its old one.
pub(super) fn left_without(volumes: &[Volume], member: &UndoMember) -> Option<Refusal> {
    let new = member.new.as_ref().filter(|_| member.old.is_empty())?;
    let was_of = |volume: &&Volume| originals(&volume.tags).is_some_and(|was| claims(&was, &member.lineage));
    let mut unnamed = volumes.iter().filter(|volume| replaced_by(volume).is_some_and(|by| by == new.as_str()));
    let unnamed = unnamed.find(was_of)?;
    Some(Refusal::invalid(format!(
        "old_volumes: {} would be left without a volume, and {} bears the marks of the one that {new} replaced. If it is that \
         one, name it; if not, take the tag `{}` from it; and send the undo again",
        member.lineage,
        unnamed.id,
        tags::REPLACED_BY
    )))
}

pub(super) fn old_ones_missing(observed: &Observed, request: &UndoRequest) -> Refusal {
    let made = request.volumes.iter().map(|(member, volume)| (member.to_string(), volume.to_string())).collect();
    Refusal::invalid(format!(
        "old_volumes: is missing; name the volumes that the restore retired: take the `undo` of its answer. By the marks on \
         the volumes, which whoever may tag them can write, it would be {}",
        undo_event(&request.of, &made, &observed.volumes)
    ))
}
