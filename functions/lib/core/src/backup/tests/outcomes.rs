//! Plans carried out by nobody: what became of them, made up.

use jiff::{SignedDuration, Timestamp};

use super::super::{BackupPlan, DeletionOutcome, EtcdClusterOutcome, MemberOutcome, Report, Step, Taken, report};
use super::plans::NOW;
use crate::ids::SnapshotId;
use crate::snapshot::SnapshotState::Pending;

/// Everything went well: every snapshot is taken, 10 ms after the one before, and every deletion done.
pub(super) fn carried_out(plan: &BackupPlan) -> Vec<EtcdClusterOutcome> {
    let mut outcomes: Vec<EtcdClusterOutcome> = plan.etcd_clusters.iter().map(EtcdClusterOutcome::untried).collect();
    for (planned, outcome) in plan.etcd_clusters.iter().zip(&mut outcomes) {
        outcome.deletions.fill(DeletionOutcome::Deleted);
        for ((nth, member), outcome) in (0..).zip(&planned.members).zip(&mut outcome.members) {
            if let Step::Create(new) = &member.step {
                let snapshot = SnapshotId::parse(&format!("snap-new-{}", new.volume)).expect("an id");
                let started = new.slot.time() + SignedDuration::from_millis(nth * 10);
                *outcome = MemberOutcome::Created(Taken { snapshot, state: Pending, started });
            }
        }
    }
    outcomes
}

/// The report of a run that ended when the tables' runs do; five seconds of skew are allowed.
pub(super) fn reported(plan: &BackupPlan, outcomes: &[EtcdClusterOutcome]) -> Report {
    report(plan, outcomes, SignedDuration::from_secs(5), NOW.parse::<Timestamp>().expect("a time"))
}

/// The report of a run in which everything went well.
pub(super) fn reported_as_planned(plan: &BackupPlan) -> Report {
    reported(plan, &carried_out(plan))
}
