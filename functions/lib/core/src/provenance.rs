//! Whose a snapshot is: ours, doubtful, a copy, or foreign. Every decision about a snapshot goes through here.
//!
//! Tags are written by whoever may. The owner, the volume's id, its size, the moment of the snapshot and whether it is
//! encrypted are written by EC2 alone, and a snapshot's description cannot be changed: these decide, and the tags say
//! only what these do not contradict.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::ids::{EtcdClusterId, SnapshotId, VolumeId};
use crate::marks::{Description, Marks, Unmarked, digest};
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot};
use crate::tags;

/// The volume id that EC2 gives to copies of snapshots.
const OF_A_COPY: &str = "vol-ffffffff";
/// For how long EventBridge delivers a scheduled event at most, as the stack sets it.
const OLDEST_EVENT: SignedDuration = SignedDuration::from_hours(6);
/// How long a run may take before it makes its last snapshot: Lambda's limit.
const LONGEST_RUN: SignedDuration = SignedDuration::from_mins(15);
/// By how much Lambda's clock may be ahead of EC2's.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);
/// How long before the latest moment a snapshot is asked for at the latest: the call takes its time, 20 s at most, and the
/// clocks differ.
const BEFORE_LATEST: SignedDuration = SignedDuration::from_secs(30);

/// Whose a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// Taken by this tool, and still as it wrote it: it counts, and may be deleted.
    Ours(Box<OurSnapshot>),
    /// It bears our mark, and something is wrong with it: it counts for nothing, and is never deleted.
    Doubtful(Doubtful),
    /// A copy of one of ours, by whatever tool: it can be restored, does not count and is never deleted.
    Copy,
    /// Somebody else's.
    Foreign,
}

/// A snapshot that bears our mark and is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The volume that EC2 says it is of.
    pub volume: VolumeId,
    /// The etcd cluster that its tags name.
    pub of: Option<EtcdClusterId>,
    /// What is wrong.
    pub doubt: Doubt,
    /// Whether its description is one that this tool writes. If so, tags of a snapshot of ours may have been changed:
    /// nothing of its etcd cluster is pruned. If not, somebody made it.
    pub was_ours: bool,
}

/// What is wrong with a snapshot that bears our mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// kops gives a cluster's masters rights over it.
    #[error("it bears a tag of kops' own, which lets the cluster's masters change and delete it")]
    KopsTag,
    /// A mark is missing or cannot be read.
    #[error("{0}")]
    Unmarked(#[from] Unmarked),
    /// This tool did not write its description.
    #[error("its description is not one that this tool writes")]
    NotMade,
    /// The description's digest is another.
    #[error("its tags are not those that were written when it was taken")]
    Changed,
    /// The tags name another volume than EC2.
    #[error(
        "its tag `{}` is not of the volume that EC2 names. Was the volume resized while the snapshot was taken? Then delete \
         the snapshot",
        tags::VOLUME
    )]
    OtherVolume,
    /// It was not taken when its slot was due.
    #[error("it was not taken when its tag `{}` says", tags::RECOVERY_POINT)]
    OtherTime,
}

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot {} is doubtful, so it does not count and is not deleted: {}", self.snapshot, self.doubt)
    }
}

/// What of a listing is ours, and what is doubtful.
#[must_use]
pub fn sorted(snapshots: &[Snapshot]) -> (Vec<OurSnapshot>, Vec<Doubtful>) {
    let (mut ours, mut doubtful) = (Vec::new(), Vec::new());
    for snapshot in snapshots {
        match provenance(snapshot) {
            Provenance::Ours(one) => ours.push(*one),
            Provenance::Doubtful(one) => doubtful.push(one),
            Provenance::Copy | Provenance::Foreign => {}
        }
    }
    (ours, doubtful)
}

/// Decides whose a snapshot is.
#[must_use]
pub fn provenance(snapshot: &Snapshot) -> Provenance {
    let made = Description::parse(&snapshot.description);
    if !snapshot.own || (made.is_none() && !snapshot.tags.contains_key(tags::RECOVERY_POINT)) {
        return Provenance::Foreign;
    }
    if snapshot.volume.as_str() == OF_A_COPY {
        return Provenance::Copy;
    }
    match placed(snapshot, made.as_ref()) {
        Ok(ours) => Provenance::Ours(Box::new(ours)),
        Err(doubt) => Provenance::Doubtful(Doubtful {
            snapshot: snapshot.id.clone(),
            volume: snapshot.volume.clone(),
            of: Marks::read(&snapshot.tags).ok().map(|marks| marks.lineage.of),
            doubt,
            was_ours: made.is_some(),
        }),
    }
}

/// Whether a snapshot taken at that moment is one of that slot.
#[must_use]
pub fn fits(slot: Slot, by_hand: bool, started: Timestamp) -> bool {
    let late = started.duration_since(slot.time());
    (-CLOCKS..=latest(by_hand)).contains(&late)
}

/// By EC2's clock, the latest moment to ask for a snapshot of that slot.
#[must_use]
pub fn asked_until(slot: Slot, by_hand: bool) -> Timestamp {
    slot.time().checked_add(latest(by_hand) - BEFORE_LATEST).unwrap_or(Timestamp::MAX)
}

/// How long after its slot a snapshot may be taken.
fn latest(by_hand: bool) -> SignedDuration {
    if by_hand { LONGEST_RUN } else { OLDEST_EVENT + LONGEST_RUN }
}

impl Snapshot {
    /// The snapshot, if it is ours.
    #[must_use]
    pub fn ours(&self) -> Option<OurSnapshot> {
        match provenance(self) {
            Provenance::Ours(ours) => Some(*ours),
            Provenance::Doubtful(_) | Provenance::Copy | Provenance::Foreign => None,
        }
    }
}

fn placed(snapshot: &Snapshot, made: Option<&Description>) -> Result<OurSnapshot, Doubt> {
    if snapshot.tags.keys().any(|key| tags::gives_rights(key)) {
        return Err(Doubt::KopsTag);
    }
    let marks = Marks::read(&snapshot.tags)?;
    let recorded = &marks.volume;
    let is_of_volume = recorded.id == snapshot.volume
        && recorded.size_gib == snapshot.size_gib
        && recorded.encrypted == snapshot.encrypted;
    if !is_of_volume {
        return Err(Doubt::OtherVolume);
    }
    if !fits(marks.slot, marks.by_hand, snapshot.started) {
        return Err(Doubt::OtherTime);
    }
    let made = made.ok_or(Doubt::NotMade)?;
    if made.marks != digest(&snapshot.tags) {
        return Err(Doubt::Changed);
    }
    Ok(OurSnapshot {
        id: snapshot.id.clone(),
        lineage: marks.lineage,
        members: marks.members,
        slot: marks.slot,
        volume: marks.volume,
        state: snapshot.state,
        state_message: snapshot.state_message.clone(),
        started: snapshot.started,
        pinned: snapshot.tags.get(tags::KEEP).is_some_and(|value| value != "false"),
        verified: snapshot.tags.get(tags::VERIFIED).cloned(),
        request: made.request.clone(),
        accepts_members: made.accepts_members,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::tests::fixtures::our_snapshot;
    use crate::snapshot::SnapshotState::Completed;

    const SLOT: &str = "2026-11-23T02:00:00Z";

    fn ours() -> Snapshot {
        our_snapshot(SLOT, "a", Completed).observed()
    }

    fn doubt(snapshot: &Snapshot) -> String {
        match provenance(snapshot) {
            Provenance::Doubtful(doubtful) => {
                format!("{:?}, {}", doubtful.doubt, if doubtful.was_ours { "was ours" } else { "made by others" })
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_this_tool_wrote_is_ours_and_says_what_it_is_of() {
        assert_eq!(ours().ours(), Some(our_snapshot(SLOT, "a", Completed)));
        let labelled = ours().tagged("team", "x").tagged(tags::KEEP, "true");
        assert!(labelled.ours().is_some_and(|ours| ours.pinned), "labels, pins and verdicts are written later");
    }

    #[test]
    fn whatever_is_changed_makes_it_doubtful() {
        let other = our_snapshot("2026-11-23T03:00:00Z", "b", Completed).observed();
        for key in ours().tags.keys().filter(|key| **key != tags::KEEP) {
            assert!(doubt(&ours().without_tag(key)).ends_with("was ours"), "without {key}");
            if other.tags[key] != ours().tags[key] {
                let changed = ours().tagged(key, &other.tags[key]);
                assert!(doubt(&changed).ends_with("was ours"), "{key} of another");
            }
        }
        assert_eq!(doubt(&ours().tagged("etcd-backup/tags/2", "")), "Changed, was ours");
        for kops in
            ["KubernetesCluster", "k8s.io/etcd/main", "kubernetes.io/cluster/x", "kubernetescluster", "K8S.io/x"]
        {
            assert_eq!(doubt(&ours().tagged(kops, "x")), "KopsTag, was ours");
        }
        assert_eq!(
            doubt(&ours().without_tag(tags::RECOVERY_POINT)),
            "Unmarked(Unmarked(\"etcd-backup/recovery-point\")), was ours"
        );
    }

    #[test]
    fn what_ec2_alone_writes_must_agree() {
        let volume = VolumeId::parse("vol-b").expect("an id");
        assert_eq!(doubt(&Snapshot { volume, ..ours() }), "OtherVolume, was ours");
        assert_eq!(doubt(&Snapshot { size_gib: 21, ..ours() }), "OtherVolume, was ours");
        assert_eq!(doubt(&Snapshot { encrypted: false, ..ours() }), "OtherVolume, was ours");
        let resized = Doubt::OtherVolume.to_string();
        assert!(resized.ends_with("delete the snapshot"), "an honest one may be doubtful too: {resized}");
        assert_eq!(provenance(&Snapshot { own: false, ..ours() }), Provenance::Foreign);
        assert_eq!(doubt(&Snapshot { description: "mine".to_owned(), ..ours() }), "NotMade, made by others");
        assert_eq!(provenance(&ours().copied()), Provenance::Copy);
    }

    #[test]
    fn a_snapshot_is_taken_when_its_slot_is_due() {
        let slot = Slot::parse(SLOT).expect("a slot");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (started, schedule, by_hand) in [
            ("2026-11-23T01:59:54Z", false, false),
            ("2026-11-23T01:59:55Z", true, true),
            ("2026-11-23T02:15:00Z", true, true),
            ("2026-11-23T02:15:01Z", true, false),
            ("2026-11-23T08:15:00Z", true, false),
            ("2026-11-23T08:15:01Z", false, false),
        ] {
            assert_eq!(fits(slot, false, at(started)), schedule, "{started}, by schedule");
            assert_eq!(fits(slot, true, at(started)), by_hand, "{started}, by hand");
        }
        for (by_hand, until) in [(false, "2026-11-23T08:14:30Z"), (true, "2026-11-23T02:14:30Z")] {
            let until = at(until);
            assert_eq!(asked_until(slot, by_hand), until);
            assert!(fits(slot, by_hand, until + SignedDuration::from_secs(20)), "EC2 has as long to take it");
        }
        assert_eq!(doubt(&Snapshot { started: at("2026-11-22T02:00:00Z"), ..ours() }), "OtherTime, was ours");
    }
}
