//! The volumes that a restore has made, as EC2 has them.

use scenarios::Account;
use scenarios::observed::{Snapshot, Volume};

use crate::Demo;
use crate::restored::{Restored, RestoredMember};
use crate::text::promise;

/// Gives the new volumes, which must be made from the snapshots shown. `old`: the volumes before, in the same order.
pub(crate) async fn made(account: &Account, applied: &Restored, old: &[Volume]) -> Demo<Vec<Volume>> {
    let volumes = account.volumes().await;
    let snapshots = account.snapshots().await;
    let new =
        |member: &RestoredMember| volumes.iter().find(|volume| member.new_volume.as_ref() == Some(&volume.id)).cloned();
    let new: Vec<Volume> = applied.members.iter().filter_map(new).collect();
    let point = applied.recovery_point.map(|slot| slot.to_string());
    let is_of = |snapshot: &Snapshot, old: &Volume| {
        snapshot.volume == old.id && snapshot.tags.get("etcd-backup/recovery-point") == point.as_ref()
    };
    let is_made = |((new, old), member): ((&Volume, &Volume), &RestoredMember)| {
        let source = snapshots.iter().find(|snapshot| snapshot.id == member.snapshot);
        new.snapshot.as_ref() == Some(&member.snapshot) && source.is_some_and(|source| is_of(source, old))
    };
    promise(
        new.len() == old.len() && new.iter().zip(old).zip(&applied.members).all(is_made),
        "EC2 has the new volumes, each made from that point's snapshot of the old one",
    )?;
    Ok(new)
}
