//! Observe, plan, execute, report.

use std::sync::Arc;

use etcd_backup_aws::config::VerifyConfig;
use etcd_backup_aws::events::MOST_DETAIL;
use etcd_backup_aws::fit::{fit, with_failure};
use etcd_backup_aws::function::Function;
use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_aws::metrics;
use etcd_backup_core::backup::Report;
use etcd_backup_core::verify::{
    self, Answer, Examination, Examinations, Look, Observed, Request, VerifyPlan, VerifyReport,
};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tracing::info;

use crate::answer::{answer, failed, refused};
use crate::{examine, log, marks, request};

/// One invocation. Nothing is called for what is not accepted.
pub(crate) async fn handle(
    function: Arc<Function<VerifyConfig>>,
    event: LambdaEvent<Value>,
) -> Result<Value, FunctionError> {
    let (event, context) = event.into_parts();
    let run = Run { function: &function, deadline: Deadline::new(context.deadline()) };
    let started = Instant::now();
    let answer = match request::parse(event, &function.config.shared.clusters) {
        Ok(request) => run.answer(&request).await,
        Err(refused) => Err(refused),
    };
    log::end(&answer, started.elapsed());
    answer
}

struct Run<'a> {
    function: &'a Function<VerifyConfig>,
    deadline: Deadline,
}

impl Run<'_> {
    async fn answer(&self, request: &Request) -> Result<Value, FunctionError> {
        let settings = &self.function.config.settings;
        let observed = timeout_at(self.deadline.stop_waiting, self.observe(request.look(settings))).await;
        let observed = observed.unwrap_or_else(|_| Err("EC2 did not answer before the deadline".to_owned()));
        let observed = observed.map_err(|why| failed(&format!("nothing was examined: {why}")))?;
        match verify::plan(&observed, request, settings, Timestamp::now()).map_err(|refusal| refused(&refusal))? {
            VerifyPlan::Examine(plan) => self.examine(plan).await,
            VerifyPlan::BackupFailed(report) => self.backup_failed(&report).await,
            VerifyPlan::Nothing(why) => {
                info!("Nothing to do: {why}");
                Ok(json!(Answer::nothing(why)))
            }
        }
    }

    async fn observe(&self, look: Look) -> Result<Observed, String> {
        let ec2 = &self.function.ec2;
        let permit = ec2.permit().await;
        let listed = match look {
            Look::Nothing => return Ok(Observed::default()),
            Look::Snapshot(id) => ec2.own_snapshot(&id, &permit).await,
            Look::PointOf(id) => ec2.snapshot_and_its_point(&id, &permit).await,
            Look::PointsOf(id) => ec2.snapshot_and_its_points(&id, &permit).await,
            Look::Marked(scope) => ec2.marked_snapshots(&scope, &permit).await,
        };
        let (snapshots, unreadable) = listed.map_err(|failure| failure.to_string())?;
        Ok(Observed { snapshots, unreadable })
    }

    /// Point by point: read, told, and only then marked. A run that dies tells a point twice rather than never. What an earlier
    /// look may have died of is taken by itself: if it ends this one too, no other waits to be told.
    async fn examine(&self, mut plan: Examinations) -> Result<Value, FunctionError> {
        let (mut outcomes, mut warnings) = (Vec::new(), Vec::new());
        let together = |a: &Examination, b: &Examination| !(a.again || b.again) && a.is_of_the_point_of(b);
        for list in plan.list.chunk_by_mut(together) {
            let begun = outcomes.len();
            examine::each(self.function, list, plan.is_sweep, self.deadline, &mut outcomes).await;
            let found = &mut outcomes[begun..];
            let point = Examinations { list: list.to_vec(), is_sweep: plan.is_sweep, warnings: Vec::new() };
            warnings.extend(self.announce(&verify::report(&point, found)).await);
            marks::verdicts(self.function, list, found, self.deadline).await;
        }
        let mut report = verify::report(&plan, &outcomes);
        for warning in warnings {
            report.answer.warn(warning);
        }
        log::result(&report.answer);
        answer(&report)
    }

    /// Metrics and notifications of a point. Neither may fail a run: what went wrong is given back.
    async fn announce(&self, report: &VerifyReport) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Err(error) = metrics::emit_verify(&report.metrics, Timestamp::now()) {
            warnings.push(format!("the metrics could not be written: {error}"));
        }
        for point in report.answer.points() {
            let Some(detail_type) = point.event() else { continue };
            let detail = fit(point, MOST_DETAIL);
            warnings.extend(self.function.events.publish(detail_type, detail, self.deadline.left()).await.err());
        }
        warnings
    }

    /// To announce it is all there is to do: where that fails, the invocation does, and is tried again.
    async fn backup_failed(&self, report: &Report) -> Result<Value, FunctionError> {
        let failure = report.failure.as_deref();
        let detail = with_failure(|most| fit(&report.result, most), failure, MOST_DETAIL);
        let published = self.function.events.publish("Etcd Backup Failed", detail, self.deadline.left()).await;
        published.map_err(|why| failed(&why))?;
        Ok(json!({"outcome": "announced", "failure": failure}))
    }
}
