//! Carries out a plan: makes its calls, several at once, and collects every failure.

mod delete;
mod snapshot;
mod wait;

use delete::{Turns, delete};
use etcd_backup_aws::ec2::{Ec2, Permit};
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::backup::{BackupPlan, EtcdClusterOutcome, EtcdClusterPlan, MemberOutcome};
use futures::future::join_all;

/// Carries out all etcd clusters' plans at once; how many calls are in flight is EC2's permits' matter.
pub(crate) async fn execute(plan: &BackupPlan, ec2: &Ec2, deadline: Deadline) -> Vec<EtcdClusterOutcome> {
    if plan.dry_run {
        return plan.etcd_clusters.iter().map(EtcdClusterOutcome::untried).collect();
    }
    let turns = Turns::new(ec2);
    join_all(plan.etcd_clusters.iter().map(|planned| etcd_cluster(planned, ec2, &turns, deadline))).await
}

/// Takes the members' snapshots at the same moment; then deletes, if every member has one.
async fn etcd_cluster(plan: &EtcdClusterPlan, ec2: &Ec2, turns: &Turns, deadline: Deadline) -> EtcdClusterOutcome {
    let mut outcome = EtcdClusterOutcome::untried(plan);
    let new: Vec<_> = plan.new_snapshots().collect();
    let permits = ec2.reserve(new.len()).await;
    let permits = permits.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    let taking = new.into_iter().zip(permits).map(|((n, new), permit): (_, Option<Permit>)| async move {
        (n, snapshot::take(new, permit, ec2, deadline).await)
    });
    for (n, taken) in join_all(taking).await {
        outcome.members[n] = taken;
    }
    if !outcome.members.iter().any(|member| matches!(member, MemberOutcome::Failed(_))) {
        let deleting = plan.prune.deletions.iter().map(|deletion| delete(deletion, ec2, turns, deadline));
        outcome.deletions = join_all(deleting).await;
    }
    outcome
}
