//! The command that has etcd-manager restore a backup.

use etcd_backup_aws::lambda::Deadline;
use etcd_backup_aws::s3::Put;
use etcd_backup_core::export::{RestoreAnswer, RestorePlan, plan_restore};
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::restore::{Refusal, RefusalKind};
use etcd_backup_store::{ClusterSpec, Name, restore_command};
use jiff::Timestamp;

use crate::answer::Stop;
use crate::exporter::Exporter;
use crate::store::at;

impl Exporter {
    /// What would be done, and the spec that the command would have.
    pub(crate) async fn plan_restore(
        &self,
        (of, backup): (&EtcdClusterId, &str),
        shown: Option<&str>,
        deadline: Deadline,
    ) -> Result<(RestorePlan, Option<ClusterSpec>), Stop> {
        let name =
            Name::parse(backup).map_err(|why| Refusal::new(RefusalKind::InvalidRequest, format!("backup: {why}")))?;
        let place = self.place(of);
        let (list, spec) = (Box::pin(self.listed(of)), Box::pin(self.spec(&place)));
        let read = Box::pin(self.read_back(&place, &name, deadline.stop_starting));
        let (store, spec, found) = tokio::try_join!(list, spec, read)?;
        let (bytes, spec) = spec.unzip();
        Ok((plan_restore(of, backup, (&store, bytes.as_deref()), found, shown), spec))
    }

    /// Gives the command that a plan showed.
    pub(crate) async fn command(
        &self,
        (of, backup): (&EtcdClusterId, &str),
        shown: &str,
        deadline: Deadline,
    ) -> Result<RestoreAnswer, Stop> {
        let (plan, spec) = self.plan_restore((of, backup), Some(shown), deadline).await?;
        if let Some(refusal) = Refusal::all(&plan.refusals) {
            return Err(refusal.into());
        }
        let name = Name::parse(backup).map_err(|why| Stop::Failed(why.to_string()))?;
        let spec = spec.ok_or_else(|| Stop::Failed("the etcd cluster's spec could not be read".to_owned()))?;
        let (place, now) = (self.place(of), Timestamp::now());
        let to = at(&place, place.command(now));
        match Box::pin(self.put_last(&to, restore_command(&spec, &name, now), deadline)).await? {
            Put::Written => Ok(plan.answer(Some(to.to_string()))),
            Put::Exists => Err(Stop::Failed(format!("{to} was there already"))),
        }
    }
}
