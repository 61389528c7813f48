//! What is there: snapshots, the volumes around an etcd cluster, the masters.

use etcd_backup_aws::ec2::Ec2;
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::restore::{Observed, RestoreRequest, Settings, What, subject};
use etcd_backup_core::scope::{ClusterSet, Scope};
use etcd_backup_core::snapshot::Snapshot;
use etcd_backup_core::volume::Volume;

use crate::answer::Stop;

/// What a plan is made of.
pub(crate) async fn for_restore(ec2: &Ec2, request: &RestoreRequest, settings: &Settings) -> Result<Observed, Stop> {
    match &request.what {
        What::Point { of, .. } => {
            let scope = Scope {
                clusters: ClusterSet::Named([of.cluster.clone()].into()),
                etcd_cluster: Some(of.etcd_cluster.clone()),
            };
            let snapshots = async { ec2.marked_snapshots(&scope, &ec2.permit().await).await.map_err(Stop::from) };
            let ((snapshots, unreadable), mut observed) = tokio::try_join!(snapshots, around(ec2, of))?;
            observed.warnings.extend(unreadable);
            observed.snapshots = snapshots;
            Ok(observed)
        }
        What::Snapshot(id, _) => {
            let (snapshots, unreadable) = ec2.snapshot(id, &ec2.permit().await).await.map_err(Stop::from)?;
            let of = subject(request, &snapshots, &settings.clusters)?;
            let mut observed = around(ec2, &of).await?;
            observed.warnings.extend(unreadable);
            observed.snapshots = snapshots;
            Ok(observed)
        }
    }
}

/// What a list is made of. Without the volumes it only cannot tell of restores that wait.
pub(crate) async fn for_list(ec2: &Ec2, scope: &Scope) -> Result<(Vec<Snapshot>, Vec<Volume>, Vec<String>), Stop> {
    let snapshots = async { ec2.marked_snapshots(scope, &ec2.permit().await).await };
    let volumes = async { ec2.etcd_volumes(scope, &ec2.permit().await).await };
    let (snapshots, volumes) = tokio::join!(snapshots, volumes);
    let (snapshots, mut warnings) = snapshots.map_err(Stop::from)?;
    let (volumes, unreadable) = volumes.unwrap_or_else(|failure| {
        (Vec::new(), vec![format!("the volumes could not be listed, restores that wait are not shown: {failure}")])
    });
    warnings.extend(unreadable);
    Ok((snapshots, volumes, warnings))
}

/// The volumes and the masters. Without the masters a restore is possible all the same, its steps only name none.
pub(crate) async fn around(ec2: &Ec2, of: &EtcdClusterId) -> Result<Observed, Stop> {
    let masters = async { ec2.masters(&of.cluster, &ec2.permit().await).await };
    let (volumes, masters) = tokio::join!(ec2.volumes_around(of), masters);
    let (volumes, mut warnings) = volumes.map_err(Stop::from)?;
    let masters = masters.unwrap_or_else(|failure| {
        warnings.push(format!("the masters could not be listed, the steps name none of them: {failure}"));
        Vec::new()
    });
    Ok(Observed { volumes, masters, warnings, ..Observed::default() })
}
