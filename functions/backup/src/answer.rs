//! The answer: the result as JSON, cut to what its way out takes, or the error that carries it.

use etcd_backup_aws::lambda::{FunctionError, MOST_ANSWER, MOST_ERROR};
use etcd_backup_core::backup::{Action, BackupResult, PointReport, Report};
use serde_json::Value;

/// A run in which a member ended without a snapshot fails, so that retry, alarm and failure destination work. What
/// could be done has been done.
pub(crate) fn answer(report: &Report) -> Result<Value, FunctionError> {
    match &report.failure {
        None => Ok(serde_json::from_str(&fit(&report.result, MOST_ANSWER)).unwrap_or_default()),
        Some(failure) => {
            let sentence: String = failure.chars().take(MOST_ERROR / 8).collect();
            let result = fit(&report.result, MOST_ERROR - sentence.len() - 1);
            Err(FunctionError { error_type: "BackupIncomplete", message: format!("{sentence}\n{result}") })
        }
    }
}

/// Renders the result in at most `most` bytes. What is cut are whole entries of the longest list, and a warning says
/// how many; entries with failures stay longest.
pub(crate) fn fit(result: &BackupResult, most: usize) -> String {
    let mut cut = result.clone();
    let mut left_out = 0;
    loop {
        let text = render(&cut, left_out);
        let dropped = if text.len() <= most { 0 } else { halve_longest(&mut cut) };
        if dropped == 0 {
            return text;
        }
        left_out += dropped;
    }
}

fn render(result: &BackupResult, left_out: usize) -> String {
    let mut result = result.clone();
    if left_out > 0 {
        result.warnings.push(format!("too long: {left_out} entries of the lists were left out, see the log"));
    }
    serde_json::to_string(&result).unwrap_or_default()
}

/// Halves the list that takes the most bytes, and says how many entries went.
fn halve_longest(result: &mut BackupResult) -> usize {
    let size = |list: Result<String, _>| list.map_or(0, |text: String| text.len());
    let sizes = [
        size(serde_json::to_string(&result.pruned)),
        size(serde_json::to_string(&result.kept_points)),
        size(serde_json::to_string(&result.recovery_points)),
        size(serde_json::to_string(&result.warnings)),
    ];
    match sizes.iter().enumerate().max_by_key(|(_, size)| **size).map(|(n, _)| n) {
        Some(0) => halve(&mut result.pruned),
        Some(1) => result.kept_points.as_mut().map_or(0, halve),
        Some(2) => {
            let is_sound = |point: &PointReport| point.members.iter().all(|member| member.action != Action::Failed);
            result.recovery_points.sort_by_key(is_sound);
            halve(&mut result.recovery_points)
        }
        _ => halve(&mut result.warnings),
    }
}

fn halve<T>(list: &mut Vec<T>) -> usize {
    let before = list.len();
    list.truncate(before / 2);
    before - list.len()
}

#[cfg(test)]
mod tests {
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
        let failed =
            |failure: &str| Report { result: result(5_000), failure: Some(failure.to_owned()), metrics: Vec::new() };
        for failure in ["slot 2026-11-23T02:00:00Z: 1 of 6", &long] {
            let error = answer(&failed(failure)).unwrap_err();
            assert_eq!(error.error_type, "BackupIncomplete");
            assert!(error.message.len() <= MOST_ERROR, "{} bytes", error.message.len());
            let (sentence, json) = error.message.split_once('\n').unwrap();
            assert!(failure.starts_with(sentence) && sentence.len() >= 30);
            assert_eq!(serde_json::from_str::<Value>(json).unwrap()["kept"], 87);
        }
    }

    #[test]
    fn what_fits_is_whole() {
        let text = fit(&result(3), 64_000);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((json["pruned"].as_array().unwrap().len(), json["warnings"].as_array().unwrap().len()), (3, 1));
        assert_eq!(json.get("kept_points"), None);
    }

    #[test]
    fn what_does_not_fit_is_cut_to_whole_entries_and_says_so() {
        let text = fit(&result(5_000), 64_000);
        assert!(text.len() <= 64_000);
        let json: Value = serde_json::from_str(&text).unwrap();
        let left = json["pruned"].as_array().unwrap().len();
        let note = format!("too long: {} entries of the lists were left out, see the log", 5_000 - left);
        assert!(left > 0);
        assert_eq!(json["warnings"], serde_json::json!(["first", note]));
    }
}
