//! By schedule: whether etcd-manager's own backups go on, and once a day whether the newest is what it should be.

use std::collections::BTreeMap;

use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_aws::metrics;
use etcd_backup_core::export::{ContentsDue, Observed, Soundness, watch as judge};
use etcd_backup_core::scope::Scope;
use etcd_backup_store::Name;
use jiff::Timestamp;
use serde_json::Value;

use crate::answer::{answer, incomplete};
use crate::exporter::Exporter;

/// One look.
pub(crate) async fn watch(
    exporter: &Exporter,
    observed: &Observed,
    time: Timestamp,
    deadline: Deadline,
) -> Result<Value, FunctionError> {
    let scope = Scope { clusters: exporter.function.config.settings.clusters.clone(), etcd_cluster: None };
    let since = observed.oldest_points();
    let stores: BTreeMap<_, _> = exporter
        .stores(observed, &scope)
        .await
        .into_iter()
        .filter_map(|(of, store)| Some((of.clone(), (store, *since.get(&of)?))))
        .collect();
    let mut report = judge(&stores, time, Timestamp::now());
    let mut unsound = 0.0;
    let mut failures: Vec<String> = report.failure.clone().into_iter().collect();
    for ContentsDue { of, backup } in std::mem::take(&mut report.due) {
        let Ok(name) = Name::parse(&backup) else { continue };
        match Box::pin(exporter.read_back(&exporter.place(&of), &name, deadline.stop_starting)).await {
            Ok(Some(Soundness::Unsound(why))) => {
                unsound += 1.0;
                report.result.warnings.push(format!("{of}: {backup}, the newest backup of etcd-manager: {why}"));
            }
            // If it is gone, etcd-manager's cleanup has deleted it since the listing.
            Ok(Some(Soundness::Sound { .. }) | None) => {}
            Err(failure) => failures.push(format!("{of}: {backup} could not be read: {failure}")),
        }
    }
    let mut figures = vec![("StoreBackupsUnsound", "Count", unsound)];
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
    figures.extend(report.greatest_age().map(|age| ("StoreBackupAge", "Seconds", age as f64)));
    if let Err(error) = metrics::emit_over_all(&figures, Timestamp::now()) {
        report.result.warnings.push(format!("the metrics could not be written: {error}"));
    }
    match failures.as_slice() {
        [] => Ok(answer(&report.result)),
        _ => Err(incomplete(&report.result, &failures.join("; "))),
    }
}
