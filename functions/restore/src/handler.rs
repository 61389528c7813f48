//! Observe, plan, execute, report.

use std::sync::Arc;

use etcd_backup_aws::config::{Modes, RestoreConfig};
use etcd_backup_aws::event;
use etcd_backup_aws::events::MOST_DETAIL;
use etcd_backup_aws::fit::fit;
use etcd_backup_aws::function::Function;
use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_aws::metrics;
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::restore::{
    self, Event, Mode, Outcome, Refusal, Request, RestoreId, RestorePlan, RestoreRequest, RestoreResult, UndoRequest,
};
use etcd_backup_core::scope::Scope;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::answer::{Stop, answer};
use crate::{execute, log, observe};

/// What an event that looks may have; said in every refusal of one.
const LOOKING: &str = "list: cluster, etcd_cluster, limit. \
                       plan: cluster, etcd_cluster, recovery_point, members; or snapshot, and what its tags lack of \
                       cluster, etcd_cluster, member, zone; with zone, replace, cut_over, others, allow_partial, \
                       allow_attached, allow_rollback, allow_unordered, allow_foreign, verified, allow_corrupt, volume_type, iops, \
                       throughput, kms_key, initialization_rate, id";
/// And one that changes something.
const CHANGING: &str = "apply: the `apply` of a plan's answer, then the `then` of its own, with allow_unattached, \
                        allow_attached. undo: the `undo` of an answer";

/// One invocation.
pub(crate) async fn handle(
    function: Arc<Function<RestoreConfig>>,
    event: LambdaEvent<Value>,
) -> Result<Value, FunctionError> {
    let (event, context) = event.into_parts();
    let run = Run { function: &function, deadline: Deadline::new(context.deadline()) };
    let started = Instant::now();
    let answer = match accept(event, &function.config) {
        Ok(request) => run.answer(&request).await.map_err(FunctionError::from),
        Err(refused) => Err(refused),
    };
    log::end(&answer, started.elapsed());
    answer
}

/// Nothing is called for what is not accepted.
fn accept(event: Value, config: &RestoreConfig) -> Result<Request, FunctionError> {
    let accepted = accepted(config.modes);
    let event: Event = event::read(event, &accepted)?;
    if config.modes == Modes::Look && matches!(event.mode, Some(Mode::Apply | Mode::Undo)) {
        return Err(event::invalid("mode: the plan function changes nothing; send this to restore", &accepted));
    }
    let fresh = RestoreId::new(Timestamp::now(), fastrand::u32(..));
    Request::accept(event, &config.shared.clusters, fresh).map_err(|why| event::invalid(why, &accepted))
}

fn accepted(modes: Modes) -> String {
    match modes {
        Modes::All => {
            format!("accepted: {{\"mode\": \"list\"|\"plan\"|\"apply\"|\"undo\", ...}}. {LOOKING}. {CHANGING}")
        }
        Modes::Look => format!("accepted: {{\"mode\": \"list\"|\"plan\", ...}}. {LOOKING}"),
    }
}

struct Run<'a> {
    function: &'a Function<RestoreConfig>,
    deadline: Deadline,
}

impl Run<'_> {
    async fn answer(&self, request: &Request) -> Result<Value, Stop> {
        match request {
            Request::List(scope, limit) => self.list(scope, *limit).await,
            Request::Plan(request) => {
                let (plan, observed) = self.plan(request).await?;
                Ok(answer(&restore::report_plan(&plan, &observed.volumes)))
            }
            Request::Apply(request) => self.apply(request).await,
            Request::Undo(request) => self.undo(request).await,
        }
    }

    async fn list(&self, scope: &Scope, limit: usize) -> Result<Value, Stop> {
        let (snapshots, volumes, warnings) =
            self.in_time(Box::pin(observe::for_list(&self.function.ec2, scope))).await?;
        let max_skew = self.function.config.settings.max_skew;
        Ok(answer(&restore::list((&snapshots, &volumes, warnings), scope, limit, max_skew, Timestamp::now())))
    }

    async fn plan(&self, request: &RestoreRequest) -> Result<(RestorePlan, restore::Observed), Stop> {
        let settings = &self.function.config.settings;
        let observed = self.in_time(Box::pin(observe::for_restore(&self.function.ec2, request, settings))).await?;
        let plan = restore::plan(&observed, request, settings, Timestamp::now())?;
        Ok((plan, observed))
    }

    async fn apply(&self, request: &RestoreRequest) -> Result<Value, Stop> {
        let (plan, observed) = self.plan(request).await?;
        if let Some(refusal) = Refusal::all(&plan.refusals) {
            return Err(refusal.into());
        }
        let (done, stopped) = execute::apply(&plan, observed.volumes, &self.function.ec2, self.deadline).await;
        let result = match stopped {
            None => Ok(restore::report_applied(&plan, &done)),
            Some(why) => Err((why, restore::report_interrupted(&plan, &done))),
        };
        self.end(&plan.of, result).await
    }

    async fn undo(&self, request: &UndoRequest) -> Result<Value, Stop> {
        let observed = self.in_time(Box::pin(observe::around(&self.function.ec2, &request.of))).await?;
        let plan = match restore::plan_undo(&observed, request) {
            Ok(plan) => plan,
            Err(refusals) => {
                let nothing = Stop::Unobserved("there is nothing to undo".to_owned());
                return Err(Refusal::all(&refusals).map_or(nothing, Stop::from));
            }
        };
        let (done, stopped) = execute::undo(&plan, observed.volumes, &self.function.ec2, self.deadline).await;
        let result = match stopped {
            None => Ok(restore::report_undo(&plan, &done, false)),
            Some(why) => Err((why, restore::report_undo(&plan, &done, true))),
        };
        self.end(&plan.of, result).await
    }

    /// Metrics and the notification. Neither may fail a restore.
    async fn end(
        &self,
        of: &EtcdClusterId,
        result: Result<RestoreResult, (String, RestoreResult)>,
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
                if let Some(detail_type) = detail_type {
                    let published = self
                        .function
                        .events
                        .publish(detail_type, fit(&result, MOST_DETAIL), self.deadline.left())
                        .await;
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

    /// What is only looked at is given up at the deadline.
    async fn in_time<T>(&self, look: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
        let looked = timeout_at(self.deadline.stop_waiting, look).await;
        looked.unwrap_or_else(|_| Err(Stop::Unobserved("EC2 did not answer before the deadline".to_owned())))
    }
}
