//! The planner: from what was observed, the request and `now` to a plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::discovery::{self, FoundEtcdCluster, FoundMember};
use super::finding::Finding;
use super::plan::{BackupPlan, EtcdClusterPlan, MemberPlan, NewSnapshot, Observed, Step, Taken};
use super::prune::{Hold, plan_prune};
use super::request::{Request, Settings, Trigger};
use super::seen::Seen;
use super::slot_has::SlotHas;
use super::snapshot_tags::snapshot_tags;
use crate::ids::{Cluster, EtcdClusterId, Lineage, Member, SnapshotId};
use crate::provenance::{asked_until, fits};
use crate::recovery_point::{PointState, RecoveryPoint, SHRUNK_FOR, group};
use crate::restore::{UnderWay, under_way};
use crate::retention::KeepReason;
use crate::scope::ClusterSet;
use crate::slot::Slot;
use crate::snapshot::OurSnapshot;
use crate::tags;
use crate::told;

/// For how long an etcd cluster without volumes fails the run, though no setting names its cluster.
const MISSED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Decides a run.
#[must_use]
pub fn plan(observed: &Observed, request: &Request, settings: &Settings, now: Timestamp) -> BackupPlan {
    let mut seen = Seen::of(observed, &request.scope);
    let mut warnings = std::mem::take(&mut seen.warnings);
    let slot = taken_slot(&seen.ours, request).unwrap_or_else(|| request.slot(settings, now));
    let mut points = group(std::mem::take(&mut seen.ours));
    let mut discovery = discovery::discover(&observed.volumes, &request.scope);
    warnings.append(&mut discovery.warnings);
    let ids: BTreeSet<EtcdClusterId> = discovery.etcd_clusters.keys().chain(points.keys()).cloned().collect();
    let not_found = not_found(&ids, request);
    let restores = restores(observed, request, &mut warnings);
    let mut etcd_clusters = Vec::new();
    let locked = (&observed.locked, observed.locks_unknown);
    for of in ids {
        let points = points.remove(&of).unwrap_or_default();
        let restores = restores.get(&of).map_or(&[][..], Vec::as_slice);
        let touched = seen.is_touched(&of);
        let context = Context { of: &of, slot, request, settings, now, points: &points, restores, locked, touched };
        let planned = match discovery.etcd_clusters.remove(&of) {
            Some(found) => context.with_volumes(found, &mut warnings),
            None => context.without_volumes(&mut warnings),
        };
        etcd_clusters.push(planned);
    }
    if request.trigger == Trigger::Manual && request.prune && !settings.prune {
        warnings.push("PRUNE=off pauses all pruning: nothing was pruned".to_owned());
    }
    if etcd_clusters.is_empty() && not_found.is_empty() {
        warnings.push(format!(
            "no volume bears `{}` and a tag `{}<name>`: nothing to back up",
            tags::CLUSTER,
            tags::ETCD_PREFIX
        ));
    }
    BackupPlan { slot, dry_run: request.dry_run, etcd_clusters, not_found, doubtful: seen.doubtful, warnings }
}

/// The restores that are not finished, told.
fn restores(
    observed: &Observed,
    request: &Request,
    warnings: &mut Vec<String>,
) -> BTreeMap<EtcdClusterId, Vec<UnderWay>> {
    let mut restores: BTreeMap<EtcdClusterId, Vec<UnderWay>> = BTreeMap::new();
    for restore in under_way(&observed.volumes).into_iter().filter(|restore| request.scope.contains(&restore.of)) {
        let told = restore.told(&observed.volumes, &observed.snapshots);
        warnings.push(format!("{}: restore {}: {told}", restore.of, told::value(&restore.id)));
        restores.entry(restore.of.clone()).or_default().push(restore);
    }
    restores
}

/// The slot that this very invocation took when it was delivered before; by hand, `now` would be another.
fn taken_slot(ours: &[OurSnapshot], request: &Request) -> Option<Slot> {
    let taken = ours.iter().filter(|snapshot| snapshot.request == request.id);
    taken.map(|snapshot| snapshot.slot).min().filter(|_| request.trigger == Trigger::Manual)
}

/// What was named, and nothing at all was found of.
fn not_found(found: &BTreeSet<EtcdClusterId>, request: &Request) -> Vec<String> {
    match (&request.scope.clusters, &request.scope.etcd_cluster) {
        (clusters, Some(name)) if found.is_empty() => {
            let of = match clusters {
                ClusterSet::All => "any cluster".to_owned(),
                ClusterSet::Named(names) => names.iter().map(Cluster::as_str).collect::<Vec<_>>().join(", "),
            };
            let prefix = tags::ETCD_PREFIX;
            vec![format!("etcd cluster {name} of {of} has no volumes; the name is that of the tag `{prefix}<name>`")]
        }
        (ClusterSet::Named(names), None) => names
            .iter()
            .filter(|name| !found.iter().any(|of| of.cluster == **name))
            .map(|name| format!("cluster {name} has no etcd volumes; the name is that of the tag `{}`", tags::CLUSTER))
            .collect(),
        _ => Vec::new(),
    }
}

/// What the plan of one etcd cluster depends on.
struct Context<'a> {
    of: &'a EtcdClusterId,
    slot: Slot,
    request: &'a Request,
    settings: &'a Settings,
    now: Timestamp,
    /// Newest first.
    points: &'a [RecoveryPoint],
    /// The restores whose volumes are not all the members' yet.
    restores: &'a [UnderWay],
    /// The snapshots that nobody can delete, and whether there may be more.
    locked: (&'a BTreeSet<SnapshotId>, bool),
    /// Whether snapshots of it may have been changed.
    touched: bool,
}

impl Context<'_> {
    fn with_volumes(&self, found: FoundEtcdCluster<'_>, warnings: &mut Vec<String>) -> EtcdClusterPlan {
        warnings.extend(found.warnings.iter().map(|warning| format!("{}: {warning}", self.of)));
        warnings.extend(found.members.iter().filter_map(|member| self.replaced_volume(member)));
        let shrunk = self.shrunk(&found);
        let has = SlotHas::of(self.slot, self.points, &found.members);
        let found_members = found.members.into_iter().chain(shrunk);
        let members: Vec<MemberPlan> = found_members.map(|member| self.member(member, has, warnings)).collect();
        let paused = if !self.settings.prune || !self.request.prune {
            Some(KeepReason::PruneOff)
        } else if members.iter().any(|member| member.finding.is_some()) {
            Some(KeepReason::MemberFailed)
        } else if self.touched {
            warnings.push(format!(
                "{}: nothing is pruned while doubtful snapshots may be of it. Give them their tags back, or delete them",
                self.of
            ));
            Some(KeepReason::DoubtfulSnapshots)
        } else if self.locked.1 {
            Some(KeepReason::LocksUnknown)
        } else {
            None
        };
        self.etcd_cluster(members, found.oldest_volume, paused, warnings)
    }

    fn without_volumes(&self, warnings: &mut Vec<String>) -> EtcdClusterPlan {
        let named = matches!(self.request.scope.clusters, ClusterSet::Named(_));
        let newest = self.points.first();
        let is_missed = named || newest.is_some_and(|point| self.now.duration_since(point.slot.time()) < MISSED_FOR);
        let expected = newest.filter(|_| is_missed).map(RecoveryPoint::expected).unwrap_or_default();
        if !is_missed {
            warnings.push(format!(
                "{} has no volumes any more; its {} recovery points are left as they are",
                self.of,
                self.points.len()
            ));
        }
        let members = expected.into_iter().map(|member| MemberPlan {
            known: true,
            member: Some(member.clone()),
            zone: None,
            volume: None,
            step: Step::Nothing,
            finding: Some(Finding::VolumesGone),
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
        let restored_from = self.restores.iter().flat_map(UnderWay::made_from).collect();
        let hold = Hold { paused, restored_from, locked: self.locked.0.iter().collect() };
        let mut prune = plan_prune(self.points, self.slot, self.settings, &hold);
        warnings.extend(prune.warnings.drain(..).map(|warning| format!("{}: {warning}", self.of)));
        let newest_complete = self.newest(RecoveryPoint::counts).map(|point| point.slot);
        let newest_verified = self.newest(RecoveryPoint::is_verified).map(|point| point.slot);
        EtcdClusterPlan { of: self.of.clone(), members, prune, newest_complete, newest_verified, oldest_volume }
    }

    fn member(&self, found: FoundMember<'_>, has: SlotHas<'_>, warnings: &mut Vec<String>) -> MemberPlan {
        let mut planned = MemberPlan {
            member: found.member.clone(),
            zone: found.volume.map(|volume| volume.zone.clone()),
            volume: found.volume.map(|volume| volume.id.clone()),
            step: Step::Nothing,
            known: found.member.as_ref().is_some_and(|member| self.is_known(member)),
            finding: self.being_restored(&found).or(found.finding),
        };
        let (Some(member), Some(volume), true) = (found.member, found.volume, found.snapshot) else { return planned };
        if let Some(taken) = has.of_member(&member, volume) {
            if self.request.keep && taken.request != self.request.id {
                warnings.push(format!(
                    "snapshot {} of this slot was there before and is not pinned: tag it `{}`",
                    taken.id,
                    tags::KEEP
                ));
            }
            planned.step =
                Step::Existing(Taken { snapshot: taken.id.clone(), state: taken.state, started: taken.started });
            return planned;
        }
        let by_hand = self.request.trigger == Trigger::Manual;
        let until = asked_until(self.slot, by_hand);
        if !fits(self.slot, by_hand, self.now) || self.now > until {
            planned.finding = Some(Finding::OtherTime);
            return planned;
        }
        let etcd_value = volume.tags.get(&self.of.etcd_key()).map_or("", String::as_str);
        match snapshot_tags(volume, (self.of, etcd_value), self.slot, self.request) {
            Ok(new) => {
                for (labels, what) in
                    [(new.left_out, "not tags of the snapshot"), (new.lost, "not given back by a restore")]
                {
                    if !labels.is_empty() {
                        let labels = told::list(&labels);
                        warnings.push(format!(
                            "member {member} of {}: too many tags, these labels are {what}: {labels}",
                            self.of
                        ));
                    }
                }
                planned.step = Step::Create(NewSnapshot {
                    volume: volume.id.clone(),
                    slot: self.slot,
                    until,
                    lineage: Lineage { of: self.of.clone(), member },
                    description: self.request.description(&new.tags),
                    tags: new.tags,
                });
            }
            Err(too_many) => planned.finding = Some(too_many),
        }
        planned
    }

    /// A member without a volume may have one that a restore has not yet tagged.
    fn being_restored(&self, found: &FoundMember<'_>) -> Option<Finding> {
        let member = found.member.as_ref().filter(|_| found.finding == Some(Finding::NoVolume))?;
        let waits = |restore: &&UnderWay| restore.waiting.contains_key(member);
        let restore = self.restores.iter().find(waits)?;
        let (volume, _) = restore.waiting.get(member)?;
        Some(Finding::BeingRestored { volume: volume.clone(), restore: restore.id.clone() })
    }

    /// Whether a complete point has this member, so that it is not one that a volume's tag alone speaks of.
    fn is_known(&self, member: &Member) -> bool {
        self.newest(RecoveryPoint::counts).is_some_and(|point| point.expected().contains(member))
    }

    /// The members of the newest complete point that no tag names any more, where there are fewer than it had.
    fn shrunk<'f>(&self, found: &FoundEtcdCluster<'_>) -> Vec<FoundMember<'f>> {
        let Some(point) = self.newest(is_whole) else { return Vec::new() };
        let (before, now) = (point.expected(), found.members.iter().filter_map(|member| member.member.as_ref()));
        let now: BTreeSet<&Member> = now.collect();
        if self.request.accept_members || now.len() >= before.len() || self.slot.since(point.slot) >= SHRUNK_FOR {
            return Vec::new();
        }
        let gone = before.difference(&now).map(|member| FoundMember {
            member: Some((*member).clone()),
            volume: None,
            snapshot: false,
            finding: Some(Finding::MembersShrunk),
        });
        gone.collect()
    }

    /// The newest point that is such a one.
    fn newest(&self, is_one: impl Fn(&RecoveryPoint) -> bool) -> Option<&RecoveryPoint> {
        self.points.iter().find(|point| is_one(point))
    }

    /// A warning where a member's volume is not the one of the newest complete point that is not corrupt.
    fn replaced_volume(&self, found: &FoundMember<'_>) -> Option<String> {
        let (member, volume) = (found.member.as_ref()?, found.volume?);
        let point = self.newest(RecoveryPoint::counts)?;
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

/// Whether a point is complete and without a flaw, whatever was found in it.
fn is_whole(point: &RecoveryPoint) -> bool {
    point.state() == PointState::Complete && point.flaw().is_none()
}
