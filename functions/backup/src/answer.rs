//! The answer: the result as JSON, cut to what its way out takes, or the error that carries it.

use etcd_backup_aws::fit::fit as cut;
use etcd_backup_aws::lambda::{FunctionError, MOST_ANSWER};
use etcd_backup_core::backup::{Action, BackupResult, PointReport, Report};
use serde_json::Value;

/// A run in which a member ended without a snapshot fails, so that retry, alarm and failure destination work. What
/// could be done has been done.
pub(crate) fn answer(report: &Report) -> Result<Value, FunctionError> {
    match &report.failure {
        None => Ok(serde_json::from_str(&fit(&report.result, MOST_ANSWER)).unwrap_or_default()),
        Some(failure) => Err(FunctionError::with_result("BackupIncomplete", failure, |most| fit(&report.result, most))),
    }
}

/// Renders the result in at most `most` bytes; where something must go, points with failures stay longest.
pub(crate) fn fit(result: &BackupResult, most: usize) -> String {
    let whole = cut(result, usize::MAX);
    if whole.len() <= most {
        return whole;
    }
    let mut result = result.clone();
    let is_sound = |point: &PointReport| point.members.iter().all(|member| member.action != Action::Failed);
    result.recovery_points.sort_by_key(is_sound);
    cut(&result, most)
}

#[cfg(test)]
mod tests {
    use etcd_backup_aws::lambda::MOST_ERROR;
    use etcd_backup_core::backup::{Outcome, PrunedReport};
    use etcd_backup_core::ids::{Cluster, EtcdCluster, Member, SnapshotId};
    use etcd_backup_core::slot::Slot;

    use super::*;

    fn result(pruned: usize) -> BackupResult {
        let slot = Slot::parse("2026-11-23T02:00:00Z").unwrap();
        let pruned = (0..pruned).map(|n| PrunedReport {
            snapshot: SnapshotId::parse(&format!("snap-{n:017x}")).unwrap(),
            recovery_point: slot,
            cluster: Cluster::parse("k8s.example.com").unwrap(),
            etcd_cluster: EtcdCluster::parse("main").unwrap(),
            member: Member::parse("a").unwrap(),
            reason: "no rule keeps it".to_owned(),
        });
        BackupResult {
            outcome: Outcome::Succeeded,
            slot,
            recovery_points: Vec::new(),
            pruned: pruned.collect(),
            kept: 87,
            kept_points: None,
            warnings: vec!["first".to_owned()],
        }
    }

    #[test]
    fn a_failure_is_a_sentence_a_newline_and_a_result_that_can_be_read_however_long_both_are() {
        let long = "ö".repeat(100_000);
        let failed = |failure: &str| Report {
            result: result(5_000),
            failure: Some(failure.to_owned()),
            metrics: Vec::new(),
            doubtful: 0,
        };
        for failure in ["slot 2026-11-23T02:00:00Z: 1 of 6", &long] {
            let error = answer(&failed(failure)).unwrap_err();
            assert_eq!(error.error_type, "BackupIncomplete");
            assert!(error.message.len() <= MOST_ERROR, "{} bytes", error.message.len());
            let (sentence, json) = error.message.split_once('\n').unwrap();
            assert!(failure.starts_with(sentence) && sentence.len() >= 30);
            assert_eq!(serde_json::from_str::<Value>(json).unwrap()["kept"], 87);
        }
    }
}
