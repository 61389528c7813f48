//! Observe, plan, execute, report.

use std::time::Duration;

use aws_config::SdkConfig;
use etcd_backup_aws::config::{BackupConfig, InvalidConfiguration};
use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::events::{Events, MOST_DETAIL};
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

/// The function: its configuration and its clients, made once.
pub(crate) struct Backup(Result<Ready, InvalidConfiguration>);

struct Ready {
    config: BackupConfig,
    ec2: Ec2,
    events: Events,
}

impl Backup {
    pub(crate) fn new(sdk: &SdkConfig, config: Result<BackupConfig, InvalidConfiguration>) -> Self {
        Self(config.map(|config| Ready {
            ec2: Ec2::new(sdk, config.concurrency),
            events: Events::new(sdk, config.event_bus.clone()),
            config,
        }))
    }

    /// One invocation.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, FunctionError> {
        let (event, context) = event.into_parts();
        let (ready, request) = self.accept(event, &context.request_id).inspect_err(|refused| error!("{refused}"))?;
        let deadline = Deadline::new(context.deadline());
        let started = Instant::now();
        let mut report = ready.run(&request, deadline).await;
        if !request.dry_run {
            ready.announce(&request, &mut report, deadline).await;
        }
        log::run(&request, &report, started.elapsed());
        answer(&report)
    }

    /// Nothing is called for what is not accepted.
    fn accept(&self, event: Value, id: &str) -> Result<(&Ready, Request), FunctionError> {
        let ready = self.0.as_ref().map_err(Clone::clone)?;
        let request = request::parse(event, id, &ready.config, Timestamp::now())?;
        Ok((ready, request))
    }
}

impl Ready {
    async fn run(&self, request: &Request, deadline: Deadline) -> Report {
        let settings = &self.config.settings;
        let now = Timestamp::now();
        let observed = timeout_at(deadline.stop_waiting, self.observe(request)).await;
        let observed = observed.unwrap_or_else(|_| Err("EC2 did not answer before the deadline".to_owned()));
        let observed = match observed {
            Ok(observed) => observed,
            Err(why) => return backup::report_unobserved(request.slot(settings, now), &why),
        };
        let plan = backup::plan(&observed, request, settings, now);
        let outcomes = execute::execute(&plan, &self.ec2, deadline).await;
        backup::report(&plan, &outcomes, settings.max_skew, Timestamp::now())
    }

    async fn observe(&self, request: &Request) -> Result<Observed, String> {
        let scope = &request.scope;
        let volumes = async { self.ec2.etcd_volumes(scope, &self.ec2.permit().await).await };
        let snapshots = async { self.ec2.marked_snapshots(scope, &self.ec2.permit().await).await };
        let ((volumes, mut unreadable), (snapshots, unreadable_snapshots)) =
            tokio::try_join!(volumes, snapshots).map_err(|failure| failure.to_string())?;
        unreadable.extend(unreadable_snapshots);
        Ok(Observed { volumes, snapshots, unreadable })
    }

    /// Metrics and the notification. Neither may fail a backup.
    async fn announce(&self, request: &Request, report: &mut Report, deadline: Deadline) {
        let is_about_all = request.scope.is_all_of(&self.config.clusters);
        if let Err(error) = metrics::emit(&report.metrics, is_about_all, Timestamp::now()) {
            report.result.warnings.push(format!("the metrics could not be written: {error}"));
        }
        let detail_type = if report.failure.is_none() { "Etcd Backup Taken" } else { "Etcd Backup Failed" };
        let within = deadline.end.duration_since(Instant::now()).max(Duration::from_millis(50));
        let published = self.events.publish(detail_type, fit(&report.result, MOST_DETAIL), within).await;
        report.result.warnings.extend(published.err());
    }
}
