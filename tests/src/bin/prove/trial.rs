//! A set's members, started: as `restore` plans it, and all at once.

use std::time::{Duration, Instant};

use scenarios::{Account, Kops};
use serde_json::json;

use crate::Prove;
use crate::answer::{Restored, Startable};
use crate::lab::{ClonedSet, Lab};
use crate::point::{CLUSTER, ETCD, Point, about};
use crate::restored::{Restore, masters};

/// Within so many seconds all must be healthy, and as many more hold the same.
pub(crate) const LIMIT: u32 = 20;

/// What became of a set.
#[derive(Debug)]
pub(crate) enum End {
    /// All members are healthy, take writes, and hold the same.
    Whole {
        /// Where they were when they started.
        revision: i64,
    },
    /// Why they are not.
    Broken(String),
}

impl End {
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole { .. })
    }
}

/// A set that was restored as planned.
pub(crate) struct Planned {
    pub(crate) set: Startable,
    pub(crate) end: End,
    /// From sending the apply until all members were healthy, without the minute for which volumes must be attached.
    pub(crate) took: Duration,
}

/// All volumes are lost, and restored; the members are started stage by stage.
pub(crate) async fn as_planned(lab: &mut Lab, account: &Account, set: &ClonedSet) -> Prove<Planned> {
    let mut cluster = Kops::cluster(CLUSTER).etcd([ETCD]).create(account).await;
    let point = Point::taken(account, &cluster, set, |_, _| ()).await?;
    let masters = masters(&cluster).await;
    for member in set.images.keys() {
        cluster.lose(ETCD, member).await;
    }
    let restore = Restore::of(account, &point, &masters).await?;
    let plan = restore.plan(about(json!({"recovery_point": point.slot}))).await?;
    let startable = plan.set.clone().ok_or("the plan has no set")?;
    if point.verified.set.as_ref() != Some(&startable) || plan.stages != startable.order {
        let (verified, stages) = (&point.verified.set, &plan.stages);
        return Err(format!("verify says {verified:?}, and the plan {startable:?} and {stages:?}").into());
    }
    let skew = plan.skew_ms.ok_or("the plan knows no skew")?;
    if Duration::from_secs_f64(set.apart()).as_millis().abs_diff(u128::try_from(skew)?) > 1 {
        return Err(format!("the plan says that the snapshots are {skew} ms apart").into());
    }

    let began = Instant::now();
    let unhealthy = in_stages(lab, &restore, &plan).await?;
    let took = began.elapsed();
    let read = point.verified.members.iter().filter_map(|member| member.revision).max();
    let end = end(lab, set, unhealthy, read).await?;
    lab.stop().await?;
    Ok(Planned { set: startable, end, took })
}

/// Gives the members that are not healthy.
async fn in_stages(lab: &mut Lab, restore: &Restore<'_>, plan: &Restored) -> Prove<Vec<String>> {
    let (applied, images) = restore.apply(&plan.apply, 1).await?;
    lab.start(&images).await?;
    let mut unhealthy = lab.unhealthy(LIMIT).await?;
    let mut started = images.len();
    if let Some(then) = applied.then.as_ref().filter(|_| unhealthy.is_empty()) {
        restore.refuses(then).await?;
        restore.attach(&applied, 1).await?;
        let (_, images) = restore.apply(then, 2).await?;
        lab.start(&images).await?;
        unhealthy = lab.unhealthy(LIMIT).await?;
        started += images.len();
    }
    if unhealthy.is_empty() && started < plan.members.len() {
        return Err(format!("only {started} members were to be started").into());
    }
    Ok(unhealthy)
}

/// As a restore with `allow_unordered` would have it.
pub(crate) async fn at_once(lab: &mut Lab, set: &ClonedSet) -> Prove<End> {
    lab.start(&set.images).await?;
    let unhealthy = lab.unhealthy(LIMIT).await?;
    let end = end(lab, set, unhealthy, None).await?;
    lab.stop().await?;
    Ok(end)
}

/// `read`: the greatest revision of a member's database. It had been committed, so it must be there.
async fn end(lab: &mut Lab, set: &ClonedSet, unhealthy: Vec<String>, read: Option<i64>) -> Prove<End> {
    if !unhealthy.is_empty() {
        return Ok(End::Broken(format!("{} stuck", unhealthy.join(","))));
    }
    let compared = lab.compare(LIMIT).await?;
    let (revision, least) = (compared.revision, read.unwrap_or_default().max(set.acknowledged));
    Ok(match compared.wrong {
        Some(wrong) => End::Broken(wrong),
        None if revision < least => End::Broken(format!("at revision {revision}, though {least} was committed")),
        None => End::Whole { revision },
    })
}
