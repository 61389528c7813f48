//! What the log says of a run: every warning and every failed member in a line of its own, and one wide event, so that
//! a question about a run is answered by one line.

use std::time::Duration;

use etcd_backup_core::backup::{Action, Report, Request, cause};
use tracing::{error, info, warn};

pub(crate) fn run(request: &Request, report: &Report, took: Duration) {
    let result = &report.result;
    for warning in &result.warnings {
        warn!("{warning}");
    }
    for point in &result.recovery_points {
        for member in point.members.iter().filter(|member| member.action == Action::Failed) {
            error!("No sound snapshot: {}", cause(point, member));
        }
    }
    if let Some(failure) = &report.failure {
        error!("Backup incomplete: {failure}");
    }
    let members = || result.recovery_points.iter().flat_map(|point| &point.members);
    let count = |action| members().filter(|member| member.action == action).count();
    let skew_ms = result.recovery_points.iter().filter_map(|point| point.skew_ms).max();
    let (created, existing, failed) = (count(Action::Created), count(Action::Existing), count(Action::Failed));
    info!(
        outcome = ?result.outcome,
        failure = report.failure,
        slot = %result.slot,
        trigger = request.trigger.word(),
        dry_run = request.dry_run,
        etcd_clusters = result.recovery_points.len(),
        members = members().count(),
        created,
        existing,
        failed,
        pruned = result.pruned.len(),
        backlog = report.metrics.iter().map(|metrics| metrics.backlog).sum::<usize>(),
        kept = result.kept,
        doubtful = report.doubtful,
        skew_ms = skew_ms.and_then(|skew| i64::try_from(skew).ok()),
        warnings = result.warnings.len(),
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "Slot {}: {created} snapshots created, {existing} existing, {failed} failed; {} pruned, {} points kept",
        result.slot,
        result.pruned.len(),
        result.kept
    );
}
