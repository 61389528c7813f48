//! Observe, plan, execute, report.

use std::collections::BTreeMap;
use std::sync::Arc;

use etcd_backup_aws::lambda::{Deadline, FunctionError};
use etcd_backup_core::export::{self, Observed, Request};
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::scope::Scope;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::answer::{Stop, answer};
use crate::exporter::Exporter;
use crate::{log, request, watch};

/// One invocation. Nothing is called for what is not accepted.
pub(crate) async fn handle(exporter: Arc<Exporter>, event: LambdaEvent<Value>) -> Result<Value, FunctionError> {
    let (event, context) = event.into_parts();
    let deadline = Deadline::new(context.deadline());
    let started = Instant::now();
    let answered = match request::parse(event, &exporter.function.config.settings) {
        Ok(request) => exporter.answer(&request, deadline).await,
        Err(refused) => Err(refused),
    };
    log::end(&answered, started.elapsed());
    answered
}

impl Exporter {
    async fn answer(&self, request: &Request, deadline: Deadline) -> Result<Value, FunctionError> {
        let observed = timeout_at(deadline.stop_waiting, self.observe(request)).await;
        let observed =
            observed.unwrap_or_else(|_| Err(Stop::Failed("EC2 did not answer before the deadline".to_owned())))?;
        match request {
            Request::Export(request) => Ok(answer(&self.export(&observed, request, deadline).await?)),
            Request::Verified(of, slot) => Ok(self.export_verified(&observed, (of, *slot), deadline).await?),
            Request::List(scope, limit) => {
                let stores = self.stores(&observed, scope).await;
                Ok(answer(&export::list(&observed, &stores, scope, *limit, Timestamp::now())))
            }
            Request::Restore(of, backup) => {
                Ok(answer(&self.plan_restore((of, backup), None, deadline).await?.0.answer(None)))
            }
            Request::Apply { of, backup, plan } => Ok(answer(&self.command((of, backup), plan, deadline).await?)),
            Request::Watch(time) => watch::watch(self, &observed, *time, deadline).await,
            Request::Other(why) => Ok(json!({"outcome": "nothing-to-do", "warnings": [], "why": why})),
        }
    }

    async fn observe(&self, request: &Request) -> Result<Observed, Stop> {
        let ec2 = &self.function.ec2;
        let named = match request {
            Request::Export(export::ExportRequest { what: export::What::Snapshot(id), .. }) => Some(id),
            _ => None,
        };
        let permit = ec2.permit().await;
        let (snapshots, unreadable) = match (named, request.scope(&self.function.config.settings)) {
            (Some(id), _) => ec2.own_snapshot(id, &permit).await?,
            (None, Some(scope)) => ec2.marked_snapshots(&scope, &permit).await?,
            (None, None) => return Ok(Observed::default()),
        };
        Ok(Observed { snapshots, unreadable })
    }

    /// The stores of the etcd clusters that have recovery points, and of the one that the event names.
    pub(crate) async fn stores(
        &self,
        observed: &Observed,
        scope: &Scope,
    ) -> BTreeMap<EtcdClusterId, Result<export::Store, String>> {
        let of = observed.etcd_clusters(scope);
        let listed = futures::future::join_all(of.iter().map(|of| self.listed(of))).await;
        of.into_iter().zip(listed).map(|(of, store)| (of, store.map_err(|failure| failure.message))).collect()
    }
}
