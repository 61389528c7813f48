//! Metrics in CloudWatch's embedded format: lines on standard output that CloudWatch Logs turns into metrics.

use std::io::Write;

use etcd_backup_core::backup::{EtcdClusterMetrics, Report};
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::verify::VerifyMetrics;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const NAMESPACE: &str = "EtcdVolumeBackup";

/// Writes a run's metrics: once for each etcd cluster, and, if the run was about all of them, once without dimensions
/// over all (the largest ages and skew, the sum of the counts), so that one alarm can watch everything. A run by hand
/// of one cluster must not speak for the others. `VerifiedPointAge` and `SnapshotsDoubtful` are written over all alone.
pub fn emit(report: &Report, is_about_all: bool, now: Timestamp) -> std::io::Result<()> {
    let metrics = &report.metrics;
    let mut lines: Vec<Value> = metrics.iter().map(|of| record(&figures(of), Some(&of.of), now)).collect();
    if is_about_all && !metrics.is_empty() {
        lines.push(record(&total(metrics, report.doubtful), None, now));
    }
    write(&lines)
}

/// Writes that a restore ended so: `RestoresApplied`, `RestoresUndone` or `RestoresInterrupted`, once for its etcd
/// cluster and once over all.
pub fn emit_restore(name: &'static str, of: &EtcdClusterId, now: Timestamp) -> std::io::Result<()> {
    let figures = [(name, "Count", 1.0)];
    write(&[record(&figures, Some(of), now), record(&figures, None, now)])
}

/// Writes what a run of `verify` judged: once for each etcd cluster, and once over all.
pub fn emit_verify(metrics: &[VerifyMetrics], now: Timestamp) -> std::io::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let figures = |of: &VerifyMetrics| of.counts().map(|(name, count)| (name, "Count", count as f64));
    let mut lines: Vec<Value> = metrics.iter().map(|of| record(&figures(of), Some(&of.of), now)).collect();
    let total = summed(metrics.iter().flat_map(figures));
    if !total.is_empty() {
        lines.push(record(&total, None, now));
    }
    write(&lines)
}

/// Writes figures over all: names, units and values.
pub fn emit_over_all(figures: &[Figure], now: Timestamp) -> std::io::Result<()> {
    write(&[record(figures, None, now)])
}

fn write(lines: &[Value]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// A metric's name, unit and value.
pub type Figure = (&'static str, &'static str, f64);

#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds are far below 2^52")]
fn figures(of: &EtcdClusterMetrics) -> Vec<Figure> {
    let mut figures = vec![
        ("SnapshotsCreated", "Count", of.created as f64),
        ("SnapshotsFailed", "Count", of.failed as f64),
        ("SnapshotsPruned", "Count", of.pruned as f64),
        ("PruneBacklog", "Count", of.backlog as f64),
        ("MembersMissing", "Count", of.missing as f64),
    ];
    figures.extend(of.age.map(|age| ("RecoveryPointAge", "Seconds", seconds(age))));
    figures.extend(of.skew_ms.map(|skew| ("RecoveryPointSkew", "Milliseconds", skew as f64)));
    figures
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn total(metrics: &[EtcdClusterMetrics], doubtful: usize) -> Vec<Figure> {
    let verified = metrics.iter().filter_map(|of| Some(("VerifiedPointAge", "Seconds", seconds(of.verified_age?))));
    let doubtful = [("SnapshotsDoubtful", "Count", doubtful as f64)];
    summed(metrics.iter().flat_map(figures).chain(verified).chain(doubtful))
}

fn seconds(age: SignedDuration) -> f64 {
    age.as_secs_f64().round()
}

fn summed(figures: impl Iterator<Item = Figure>) -> Vec<Figure> {
    let mut total: Vec<Figure> = Vec::new();
    for (name, unit, value) in figures {
        match total.iter_mut().find(|(seen, ..)| *seen == name) {
            Some((.., sum)) if unit == "Count" => *sum += value,
            Some((.., largest)) => *largest = largest.max(value),
            None => total.push((name, unit, value)),
        }
    }
    total
}

fn record(figures: &[Figure], of: Option<&EtcdClusterId>, now: Timestamp) -> Value {
    let names: Vec<Value> = figures.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let dimensions = if of.is_some() { json!([["Cluster", "EtcdCluster"]]) } else { json!([[]]) };
    let mut record = json!({"_aws": {
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": names}],
    }});
    if let Some(of) = of {
        record["Cluster"] = json!(of.cluster);
        record["EtcdCluster"] = json!(of.etcd_cluster);
    }
    for (name, _, value) in figures {
        record[*name] = json!(value);
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcd_backup_core::ids::{Cluster, EtcdCluster, EtcdClusterId};

    fn metrics(name: &str, created: usize, age: i64) -> EtcdClusterMetrics {
        EtcdClusterMetrics {
            of: EtcdClusterId {
                cluster: Cluster::parse("k8s.example.com").unwrap(),
                etcd_cluster: EtcdCluster::parse(name).unwrap(),
            },
            created,
            failed: 0,
            pruned: 1,
            backlog: 0,
            missing: 0,
            age: Some(SignedDuration::from_secs(age)),
            verified_age: Some(SignedDuration::from_secs(age + 60)),
            skew_ms: Some(7),
        }
    }

    #[test]
    fn over_all_the_counts_are_summed_and_the_oldest_counts() {
        let total = total(&[metrics("main", 3, 3600), metrics("events", 2, 7200)], 4);
        let value = |name| total.iter().find(|(seen, ..)| *seen == name).map(|(.., value)| *value);
        assert_eq!(value("SnapshotsCreated"), Some(5.0));
        assert_eq!(value("SnapshotsPruned"), Some(2.0));
        assert_eq!(value("RecoveryPointAge"), Some(7200.0));
        assert_eq!(value("VerifiedPointAge"), Some(7260.0));
        assert_eq!(value("RecoveryPointSkew"), Some(7.0));
        assert_eq!(value("SnapshotsDoubtful"), Some(4.0));
    }

    #[test]
    fn a_record_names_its_dimensions_and_every_metric_in_it() {
        let main = metrics("main", 3, 3600);
        let line = record(&figures(&main), Some(&main.of), Timestamp::UNIX_EPOCH);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Cluster", "EtcdCluster"]]));
        assert_eq!((&line["Cluster"], &line["EtcdCluster"]), (&json!("k8s.example.com"), &json!("main")));
        assert_eq!(line.get("VerifiedPointAge"), None, "it is written over all alone");
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
    }
}
