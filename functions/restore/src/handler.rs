//! Observe, plan, execute, report.

use std::time::Duration;

use aws_config::SdkConfig;
use etcd_backup_aws::config::{InvalidConfiguration, RestoreConfig};
use etcd_backup_aws::ec2::Ec2;
use etcd_backup_aws::event;
use etcd_backup_aws::events::{Events, MOST_DETAIL};
use etcd_backup_aws::fit::fit;
use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_aws::metrics;
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::restore::{
    self, Event, Outcome, Refusal, Request, RestoreId, RestorePlan, RestoreRequest, RestoreResult, UndoRequest,
};
use etcd_backup_core::scope::Scope;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Stop, answer};
use crate::{execute, log, observe};

/// What an event may be; said in every refusal of one.
const ACCEPTED: &str = "accepted: {\"mode\": \"list\"|\"plan\"|\"apply\"|\"undo\", ...}. list: cluster, etcd_cluster, limit. \
                        plan: cluster, etcd_cluster, recovery_point, members; or snapshot, and what its tags lack of \
                        cluster, etcd_cluster, member, zone; with zone, replace, cut_over, allow_skew, allow_partial, \
                        allow_attached, allow_rollback, verified, allow_corrupt, volume_type, iops, throughput, kms_key, \
                        initialization_rate, id. apply: the `apply` of a plan's answer. undo: the `undo` of an answer";

/// The function: its configuration and its clients, made once.
pub(crate) struct Restore(Result<Ready, InvalidConfiguration>);

struct Ready {
    config: RestoreConfig,
    ec2: Ec2,
    events: Events,
}

impl Restore {
    pub(crate) fn new(sdk: &SdkConfig, config: Result<RestoreConfig, InvalidConfiguration>) -> Self {
        Self(config.map(|config| Ready {
            ec2: Ec2::new(sdk, config.concurrency),
            events: Events::new(sdk, config.event_bus.clone()),
            config,
        }))
    }

    /// One invocation.
    pub(crate) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, FunctionError> {
        let (event, context) = event.into_parts();
        let deadline = Deadline::new(context.deadline());
        let started = Instant::now();
        let answer = match self.accept(event) {
            Ok((ready, request)) => ready.run(&request, deadline).await.map_err(FunctionError::from),
            Err(refused) => Err(refused),
        };
        log::end(&answer, started.elapsed());
        answer
    }

    /// Nothing is called for what is not accepted.
    fn accept(&self, event: Value) -> Result<(&Ready, Request), FunctionError> {
        let ready = self.0.as_ref().map_err(Clone::clone)?;
        let event: Event = event::read(event, ACCEPTED)?;
        let fresh = RestoreId::new(Timestamp::now(), fastrand::u32(..));
        let request = Request::accept(event, &ready.config.settings.clusters, fresh);
        Ok((ready, request.map_err(|why| event::invalid(why, ACCEPTED))?))
    }
}

impl Ready {
    async fn run(&self, request: &Request, deadline: Deadline) -> Result<Value, Stop> {
        match request {
            Request::List(scope, limit) => self.list(scope, *limit, deadline).await,
            Request::Plan(request) => {
                let (plan, observed) = self.plan(request, deadline).await?;
                Ok(answer(&restore::report_plan(&plan, &observed.volumes)))
            }
            Request::Apply(request) => self.apply(request, deadline).await,
            Request::Undo(request) => self.undo(request, deadline).await,
        }
    }

    async fn list(&self, scope: &Scope, limit: usize, deadline: Deadline) -> Result<Value, Stop> {
        let look =
            Box::pin(async { self.ec2.marked_snapshots(scope, &self.ec2.permit().await).await.map_err(Stop::from) });
        let (snapshots, unreadable) = in_time(deadline, look).await?;
        let max_skew = self.config.settings.max_skew;
        Ok(answer(&restore::list((&snapshots, unreadable), scope, limit, max_skew, Timestamp::now())))
    }

    async fn plan(
        &self,
        request: &RestoreRequest,
        deadline: Deadline,
    ) -> Result<(RestorePlan, restore::Observed), Stop> {
        let settings = &self.config.settings;
        let observed = in_time(deadline, Box::pin(observe::for_restore(&self.ec2, request, settings))).await?;
        let plan = restore::plan(&observed, request, settings, Timestamp::now())?;
        Ok((plan, observed))
    }

    async fn apply(&self, request: &RestoreRequest, deadline: Deadline) -> Result<Value, Stop> {
        let (plan, observed) = self.plan(request, deadline).await?;
        if let Some(refusal) = Refusal::all(&plan.refusals) {
            return Err(refusal.into());
        }
        let (done, stopped) = execute::apply(&plan, observed.volumes, &self.ec2, deadline).await;
        let result = match stopped {
            None => Ok(restore::report_applied(&plan, &done)),
            Some(why) => Err((why, restore::report_interrupted(&plan, &done))),
        };
        self.end(&plan.of, result, deadline).await
    }

    async fn undo(&self, request: &UndoRequest, deadline: Deadline) -> Result<Value, Stop> {
        let observed = in_time(deadline, Box::pin(observe::around(&self.ec2, &request.of))).await?;
        let plan = match restore::plan_undo(&observed, request) {
            Ok(plan) => plan,
            Err(refusals) => {
                let nothing = Stop::Unobserved("there is nothing to undo".to_owned());
                return Err(Refusal::all(&refusals).map_or(nothing, Stop::from));
            }
        };
        let (done, stopped) = execute::undo(&plan, observed.volumes, &self.ec2, deadline).await;
        let result = match stopped {
            None => Ok(restore::report_undo(&plan, &done, false)),
            Some(why) => Err((why, restore::report_undo(&plan, &done, true))),
        };
        self.end(&plan.of, result, deadline).await
    }

    /// Metrics and the notification. Neither may fail a restore.
    async fn end(
        &self,
        of: &EtcdClusterId,
        result: Result<RestoreResult, (String, RestoreResult)>,
        deadline: Deadline,
    ) -> Result<Value, Stop> {
        let (metric, detail_type) = match &result {
            Err(_) => ("RestoresInterrupted", None),
            Ok(result) if result.outcome == Outcome::Undone => ("RestoresUndone", Some("Etcd Restore Undone")),
            Ok(_) => ("RestoresApplied", Some("Etcd Restore Applied")),
        };
        let mut warnings = Vec::new();
        if let Err(error) = metrics::emit_restore(metric, of, Timestamp::now()) {
            warnings.push(format!("the metrics could not be written: {error}"));
        }
        match result {
            Ok(mut result) => {
                let within = deadline.end.duration_since(Instant::now()).max(Duration::from_millis(50));
                if let Some(detail_type) = detail_type {
                    let published = self.events.publish(detail_type, fit(&result, MOST_DETAIL), within).await;
                    warnings.extend(published.err());
                }
                result.warnings.extend(warnings);
                log::result(&result);
                Ok(answer(&result))
            }
            Err((why, mut result)) => {
                result.warnings.extend(warnings);
                log::result(&result);
                Err(Stop::Interrupted(why, Box::new(result)))
            }
        }
    }
}

/// What is only looked at is given up at the deadline.
async fn in_time<T>(deadline: Deadline, look: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let looked = timeout_at(deadline.stop_waiting, look).await;
    looked.unwrap_or_else(|_| Err(Stop::Unobserved("EC2 did not answer before the deadline".to_owned())))
}
