//! Observe, plan, execute, report.

use std::collections::BTreeSet;
use std::sync::Arc;

use etcd_backup_aws::config::BackupConfig;
use etcd_backup_aws::events::MOST_DETAIL;
use etcd_backup_aws::failure::Failure;
use etcd_backup_aws::fit::with_failure;
use etcd_backup_aws::function::Function;
use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_aws::metrics;
use etcd_backup_core::backup::{self, Observed, Report, Request};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use tracing::error;

use crate::answer::{answer, fit};
use crate::{execute, log, request};

/// One invocation. Nothing is called for what is not accepted.
pub(crate) async fn handle(
    function: Arc<Function<BackupConfig>>,
    event: LambdaEvent<Value>,
) -> Result<Value, FunctionError> {
    let (event, context) = event.into_parts();
    let request = request::parse(event, &context.request_id, &function.config, Timestamp::now());
    let request = request.inspect_err(|refused| error!("{refused}"))?;
    let run = Run { function: &function, request: &request, deadline: Deadline::new(context.deadline()) };
    let started = Instant::now();
    let mut report = run.report().await;
    if !request.dry_run {
        run.announce(&mut report).await;
    }
    log::run(&request, &report, started.elapsed());
    answer(&report)
}

struct Run<'a> {
    function: &'a Function<BackupConfig>,
    request: &'a Request,
    deadline: Deadline,
}

impl Run<'_> {
    async fn report(&self) -> Report {
        let settings = &self.function.config.settings;
        let ec2 = &self.function.ec2;
        let observed = timeout_at(self.deadline.stop_waiting, Box::pin(self.observe())).await;
        let observed = observed.unwrap_or_else(|_| Err("EC2 did not answer before the deadline".to_owned()));
        let observed = match observed {
            Ok(observed) => observed,
            Err(why) => return backup::report_unobserved(self.request.slot(settings, ec2.now()), &why),
        };
        let plan = backup::plan(&observed, self.request, settings, ec2.now());
        let outcomes = execute::execute(&plan, ec2, self.deadline).await;
        backup::report(&plan, &outcomes, settings.max_skew, Timestamp::now())
    }

    async fn observe(&self) -> Result<Observed, String> {
        let (ec2, scope) = (&self.function.ec2, &self.request.scope);
        let volumes = async { ec2.etcd_volumes(scope, &ec2.permit().await).await };
        let marked = async { ec2.marked_snapshots(scope, &ec2.permit().await).await };
        // Whoever takes a mark away hides the snapshot from the listing above: it must not look as if it were gone.
        let made = async { ec2.other_made_snapshots(scope, &ec2.permit().await).await };
        let locked = async { Ok(ec2.locked_snapshots(&ec2.permit().await).await) };
        let ((volumes, mut unreadable), (mut snapshots, unreadable_marked), (made, unreadable_made), locked) =
            tokio::try_join!(volumes, marked, made, locked).map_err(|failure: Failure| failure.to_string())?;
        // Of a point with one locked snapshot the others must stay.
        let locks_unknown = locked.is_err();
        let locked = locked.unwrap_or_else(|failure| {
            unreadable.push(format!("nothing is pruned, since the locked snapshots could not be listed: {failure}"));
            BTreeSet::new()
        });
        snapshots.extend(made);
        snapshots.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        snapshots.dedup_by(|a, b| a.id == b.id);
        unreadable.extend(unreadable_marked);
        unreadable.extend(unreadable_made);
        unreadable.sort();
        unreadable.dedup();
        Ok(Observed { volumes, snapshots, locked, locks_unknown, unreadable })
    }

    /// Metrics and the notification. Neither may fail a backup.
    async fn announce(&self, report: &mut Report) {
        let is_about_all = self.request.scope.is_all_of(&self.function.config.shared.clusters);
        if let Err(error) = metrics::emit(report, is_about_all, Timestamp::now()) {
            report.result.warnings.push(format!("the metrics could not be written: {error}"));
        }
        let detail_type = if report.failure.is_none() { "Etcd Backup Taken" } else { "Etcd Backup Failed" };
        let detail = with_failure(|most| fit(&report.result, most), report.failure.as_deref(), MOST_DETAIL);
        let published = self.function.events.publish(detail_type, detail, self.deadline.left()).await;
        report.result.warnings.extend(published.err());
    }
}
