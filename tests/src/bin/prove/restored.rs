//! A restore, and the members that are started on the volumes that it made.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use scenarios::{Account, Kops, RunningFunction};
use serde_json::Value;

use crate::answer::{Restored, read};
use crate::point::{ETCD, Point};
use crate::{Prove, binary};

pub(crate) struct Restore<'a> {
    account: &'a Account,
    point: &'a Point,
    /// The instance that holds each member's volume.
    masters: &'a BTreeMap<String, String>,
    function: RunningFunction,
}

/// Runs a master for each member; gives the instances by member.
pub(crate) async fn masters(cluster: &Kops<'_>) -> BTreeMap<String, String> {
    let mut masters = BTreeMap::new();
    for volume in cluster.volumes().filter(|volume| volume.etcd == ETCD) {
        masters.insert(volume.member.clone(), cluster.master(&volume.zone).await);
    }
    masters
}

impl<'a> Restore<'a> {
    pub(crate) async fn of(
        account: &'a Account,
        point: &'a Point,
        masters: &'a BTreeMap<String, String>,
    ) -> Prove<Self> {
        let function = binary("restore")?.account(account).start().await;
        Ok(Self { account, point, masters, function })
    }

    /// Plans; nothing may stand in the way.
    pub(crate) async fn plan(&self, event: Value) -> Prove<Restored> {
        let plan: Restored = read(self.function.invoke(event).await?)?;
        if plan.outcome != "planned" || !plan.refusals.is_empty() {
            return Err(format!("refused: {}", Value::from(plan.refusals)).into());
        }
        Ok(plan)
    }

    /// Tags a stage; gives the answer, and the images of the volumes that are the members' since.
    pub(crate) async fn apply(&self, event: &Value, stage: usize) -> Prove<(Restored, BTreeMap<String, PathBuf>)> {
        let applied: Restored = read(self.function.invoke(event.clone()).await?)?;
        if applied.outcome != "applied" {
            return Err(format!("restore answers {} instead of applied", applied.outcome).into());
        }
        let mut images = BTreeMap::new();
        for member in applied.members.iter().filter(|member| member.stage == Some(stage)) {
            let volume = member.new_volume.as_ref().ok_or_else(|| format!("{} has no volume", member.member))?;
            images.insert(member.member.clone(), self.point.image(self.account, volume).await?);
        }
        Ok((applied, images))
    }

    /// Sent before the volumes of the first stage are attached, the event of the next one is refused.
    pub(crate) async fn refuses(&self, then: &Value) -> Prove {
        match self.function.invoke(then.clone()).await {
            Err(error) if error.error_type == "QuorumNotUp" => Ok(()),
            said => Err(format!("the next stage is not refused while the first is not attached: {said:?}").into()),
        }
    }

    /// The masters have held the volumes of this stage for two minutes.
    pub(crate) async fn attach(&self, applied: &Restored, stage: usize) -> Prove {
        let since = Timestamp::now() - SignedDuration::from_mins(2);
        self.account.clock(&since.to_string()).await;
        for member in applied.members.iter().filter(|member| member.stage == Some(stage)) {
            let volume = member.new_volume.as_ref().ok_or_else(|| format!("{} has no volume", member.member))?;
            self.account.attach(volume, &self.masters[&member.member], "/dev/xvdu").await;
        }
        self.account.real_clock().await;
        Ok(())
    }
}
