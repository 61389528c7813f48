//! The plan of a run: everything is decided here, nothing while it is carried out.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::discovery::{self, Finding, FoundEtcdCluster, FoundMember};
use super::prune::{PrunePlan, plan_prune};
use super::request::{ClusterSet, Request, Settings, Trigger};
use super::snapshot_tags::snapshot_tags;
use crate::ids::{EtcdClusterId, Member, SnapshotId, VolumeId, Zone};
use crate::recovery_point::{PointState, RecoveryPoint, group};
use crate::retention::KeepReason;
use crate::slot::Slot;
use crate::snapshot::{OurSnapshot, Snapshot, SnapshotState};
use crate::tags::Tags;
use crate::volume::Volume;

/// For how long an etcd cluster without volumes fails the run, though no setting names its cluster.
const MISSED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What EC2 said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Volumes that bear an etcd tag.
    pub volumes: Vec<Volume>,
    /// This account's snapshots that bear `etcd-backup/recovery-point`.
    pub snapshots: Vec<Snapshot>,
    /// What EC2 listed and could not be read.
    pub unreadable: Vec<String>,
}

/// All that a run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupPlan {
    /// The slot that the run works on.
    pub slot: Slot,
    /// Whether nothing is carried out.
    pub dry_run: bool,
    /// What is done for each etcd cluster.
    pub etcd_clusters: Vec<EtcdClusterPlan>,
    /// What was named and has neither volumes nor recovery points: fails the run.
    pub not_found: Vec<String>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// What is done for one etcd cluster: its members' snapshots at one moment; then, if every member has one, the
/// deletions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdClusterPlan {
    /// The etcd cluster.
    pub of: EtcdClusterId,
    /// Its expected members. Empty if its volumes are gone for so long that nobody expects them.
    pub members: Vec<MemberPlan>,
    /// What is pruned once every member has its snapshot.
    pub prune: PrunePlan,
    /// The newest complete point before this run.
    pub newest_complete: Option<Slot>,
    /// When the oldest of its volumes was made.
    pub oldest_volume: Option<Timestamp>,
}

impl EtcdClusterPlan {
    /// The snapshots to take, each with its member's place in the list.
    pub fn new_snapshots(&self) -> impl Iterator<Item = (usize, &NewSnapshot)> {
        self.members.iter().enumerate().filter_map(|(n, member)| match &member.step {
            Step::Create(new) => Some((n, new)),
            Step::Existing(_) | Step::Nothing => None,
        })
    }
}

/// What is done for one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPlan {
    /// The member, where its volume's tag says.
    pub member: Option<Member>,
    /// The volume's zone.
    pub zone: Option<Zone>,
    /// The volume.
    pub volume: Option<VolumeId>,
    /// The call to make.
    pub step: Step,
    /// What is wrong with the member, whatever the step brings.
    pub finding: Option<String>,
}

/// The call to make for a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Take this snapshot.
    Create(NewSnapshot),
    /// None: the slot already has it.
    Existing(Taken),
    /// None: the finding stands in the way.
    Nothing,
}

/// A snapshot to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Of that volume.
    pub volume: VolumeId,
    /// For that slot.
    pub slot: Slot,
    /// Names the invocation.
    pub description: String,
    /// All tags, written in the create call.
    pub tags: Tags,
}

/// A snapshot that the slot has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// Its state.
    pub state: SnapshotState,
    /// The moment that it captured.
    pub started: Timestamp,
}

/// Decides a run.
#[must_use]
pub fn plan(observed: &Observed, request: &Request, settings: &Settings, now: Timestamp) -> BackupPlan {
    let (ours, mut warnings) = ours(observed, request);
    let slot = taken_slot(&ours, request).unwrap_or_else(|| request.slot(settings, now));
    let mut points = group(ours);
    let mut discovery = discovery::discover(&observed.volumes, &request.scope);
    warnings.append(&mut discovery.warnings);
    let ids: BTreeSet<EtcdClusterId> = discovery.etcd_clusters.keys().chain(points.keys()).cloned().collect();
    let not_found = not_found(&ids, request);
    let mut etcd_clusters = Vec::new();
    for of in ids {
        let points = points.remove(&of).unwrap_or_default();
        let context = Context { of: &of, slot, request, settings, points: &points };
        let planned = match discovery.etcd_clusters.remove(&of) {
            Some(found) => context.with_volumes(found, &mut warnings),
            None => context.without_volumes(now, &mut warnings),
        };
        etcd_clusters.push(planned);
    }
    if request.trigger == Trigger::Manual && request.prune && !settings.prune {
        warnings.push("PRUNE=off pauses all pruning: nothing was pruned".to_owned());
    }
    if etcd_clusters.is_empty() && not_found.is_empty() {
        warnings
            .push("no volume bears `KubernetesCluster` and a tag `k8s.io/etcd/<name>`: nothing to back up".to_owned());
    }
    BackupPlan { slot, dry_run: request.dry_run, etcd_clusters, not_found, warnings }
}

fn ours(observed: &Observed, request: &Request) -> (Vec<OurSnapshot>, Vec<String>) {
    let mut ours = Vec::new();
    let mut warnings = observed.unreadable.clone();
    for snapshot in &observed.snapshots {
        match snapshot.ours() {
            Ok(Some(snapshot)) if request.scope.contains(&snapshot.lineage.of) => {
                if snapshot.state == SnapshotState::Error {
                    warnings.push(format!(
                        "snapshot {} ({}, {}) ended in error: {}",
                        snapshot.id,
                        snapshot.lineage,
                        snapshot.slot,
                        snapshot.state_message.as_deref().unwrap_or("EC2 does not say why")
                    ));
                }
                ours.push(snapshot);
            }
            Ok(_) => {}
            Err(unplaceable) => warnings.push(unplaceable.to_string()),
        }
    }
    (ours, warnings)
}

/// The slot that this very invocation took when it was delivered before; by hand, `now` would be another.
fn taken_slot(ours: &[OurSnapshot], request: &Request) -> Option<Slot> {
    let description = request.description();
    let taken = ours.iter().filter(|snapshot| snapshot.description == description);
    taken.map(|snapshot| snapshot.slot).min().filter(|_| request.trigger == Trigger::Manual)
}

/// What was named, and nothing at all was found of.
fn not_found(found: &BTreeSet<EtcdClusterId>, request: &Request) -> Vec<String> {
    let scope = &request.scope;
    let what = scope
        .etcd_cluster
        .as_ref()
        .map_or_else(|| "etcd volumes".to_owned(), |name| format!("volumes of etcd cluster {name}"));
    match &scope.clusters {
        ClusterSet::All if scope.etcd_cluster.is_some() && found.is_empty() => {
            vec![format!("no cluster has {what}; the name is that of the tag `k8s.io/etcd/<name>`")]
        }
        ClusterSet::All => Vec::new(),
        ClusterSet::Named(names) => names
            .iter()
            .filter(|name| !found.iter().any(|of| of.cluster == **name))
            .map(|name| format!("cluster {name} has no {what}; the name is that of the tag `KubernetesCluster`"))
            .collect(),
    }
}

/// What the plan of one etcd cluster depends on.
struct Context<'a> {
    of: &'a EtcdClusterId,
    slot: Slot,
    request: &'a Request,
    settings: &'a Settings,
    /// Newest first.
    points: &'a [RecoveryPoint],
}

impl Context<'_> {
    fn with_volumes(&self, found: FoundEtcdCluster<'_>, warnings: &mut Vec<String>) -> EtcdClusterPlan {
        warnings.extend(found.warnings.iter().map(|warning| format!("{}: {warning}", self.of)));
        warnings.extend(found.members.iter().filter_map(|member| self.replaced_volume(member)));
        let members: Vec<MemberPlan> = found.members.into_iter().map(|member| self.member(member, warnings)).collect();
        let paused = if !self.settings.prune || !self.request.prune {
            Some(KeepReason::PruneOff)
        } else if members.iter().any(|member| member.finding.is_some()) {
            Some(KeepReason::MemberFailed)
        } else {
            None
        };
        self.etcd_cluster(members, found.oldest_volume, paused, warnings)
    }

    fn without_volumes(&self, now: Timestamp, warnings: &mut Vec<String>) -> EtcdClusterPlan {
        let named = matches!(self.request.scope.clusters, ClusterSet::Named(_));
        let newest = self.points.first();
        let is_missed = named || newest.is_some_and(|point| now.duration_since(point.slot.time()) < MISSED_FOR);
        let expected: BTreeSet<&Member> = newest.filter(|_| is_missed).map(RecoveryPoint::expected).unwrap_or_default();
        if !is_missed {
            warnings.push(format!(
                "{} has no volumes any more; its {} recovery points are left as they are",
                self.of,
                self.points.len()
            ));
        }
        let members = expected.into_iter().map(|member| MemberPlan {
            member: Some(member.clone()),
            zone: None,
            volume: None,
            step: Step::Nothing,
            finding: Some(Finding::VolumesGone.to_string()),
        });
        self.etcd_cluster(members.collect(), None, Some(KeepReason::MemberFailed), warnings)
    }

    fn etcd_cluster(
        &self,
        members: Vec<MemberPlan>,
        oldest_volume: Option<Timestamp>,
        paused: Option<KeepReason>,
        warnings: &mut Vec<String>,
    ) -> EtcdClusterPlan {
        let mut prune = plan_prune(self.points, self.slot, self.settings, paused);
        warnings.extend(prune.warnings.drain(..).map(|warning| format!("{}: {warning}", self.of)));
        let newest_complete = self.newest_complete().map(|point| point.slot);
        EtcdClusterPlan { of: self.of.clone(), members, prune, newest_complete, oldest_volume }
    }

    fn member(&self, found: FoundMember<'_>, warnings: &mut Vec<String>) -> MemberPlan {
        let mut planned = MemberPlan {
            member: found.member.clone(),
            zone: found.volume.map(|volume| volume.zone.clone()),
            volume: found.volume.map(|volume| volume.id.clone()),
            step: Step::Nothing,
            finding: found.finding.as_ref().map(ToString::to_string),
        };
        let (Some(member), Some(volume), true) = (found.member, found.volume, found.snapshot) else { return planned };
        if let Some(taken) = self.existing(&member) {
            if self.request.keep && taken.description != self.request.description() {
                warnings.push(format!(
                    "snapshot {} of this slot was there before and is not pinned: tag it `etcd-backup/keep`",
                    taken.id
                ));
            }
            planned.step =
                Step::Existing(Taken { snapshot: taken.id.clone(), state: taken.state, started: taken.started });
            return planned;
        }
        match snapshot_tags(volume, self.slot, self.request) {
            Ok(new) => {
                if !new.left_out.is_empty() {
                    warnings.push(format!(
                        "member {member} of {}: the snapshot cannot bear all tags, left out: {}",
                        self.of,
                        new.left_out.join(", ")
                    ));
                }
                planned.step = Step::Create(NewSnapshot {
                    volume: volume.id.clone(),
                    slot: self.slot,
                    description: self.request.description(),
                    tags: new.tags,
                });
            }
            Err(too_many) => planned.finding = Some(too_many.to_string()),
        }
        planned
    }

    /// The good snapshot that the slot already has of a member, whatever volume it is of. Of several, the oldest.
    fn existing(&self, member: &Member) -> Option<&OurSnapshot> {
        let point = self.points.iter().find(|point| point.slot == self.slot)?;
        let of_member = point.snapshots.iter().filter(|snapshot| snapshot.lineage.member == *member);
        of_member.filter(|snapshot| snapshot.state.is_good()).min_by_key(|snapshot| (snapshot.started, &snapshot.id))
    }

    fn newest_complete(&self) -> Option<&RecoveryPoint> {
        self.points.iter().find(|point| point.state() == PointState::Complete)
    }

    /// A warning where a member's volume is not the one of the newest complete point.
    fn replaced_volume(&self, found: &FoundMember<'_>) -> Option<String> {
        let (member, volume) = (found.member.as_ref()?, found.volume?);
        let point = self.newest_complete()?;
        let before = &point.chosen().get(member)?.volume.id;
        (*before != volume.id).then(|| {
            format!(
                "member {member} of {}: volume {before} has been replaced by {}. kops makes a blank volume where it \
                 finds none: check that etcd is in it. The point {} is kept for 30 days",
                self.of, volume.id, point.slot
            )
        })
    }
}
