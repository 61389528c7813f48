//! A member whose snapshot is corrupt: the others are restored without it, and it joins empty.

use scenarios::{Kops, LocalAws};
use serde_json::json;

use crate::Prove;
use crate::lab::{ClonedSet, Lab};
use crate::point::{CLUSTER, ETCD, Point, about};
use crate::restored::{Restore, masters};
use crate::trial::LIMIT;

/// Where an ext4 has its superblock.
const SUPERBLOCK: std::ops::Range<usize> = 1024..2048;

/// Each member in turn.
pub(crate) async fn prove(lab: &mut Lab, set: &ClonedSet) -> Prove {
    for broken in set.order() {
        without(lab, set, broken).await?;
    }
    Ok(())
}

async fn without(lab: &mut Lab, set: &ClonedSet, broken: &str) -> Prove {
    let account = LocalAws::account();
    let cluster = Kops::cluster(CLUSTER).etcd([ETCD]).create(&account).await;
    let damage = |member: &str, bytes: &mut Vec<u8>| {
        if member == broken {
            bytes[SUPERBLOCK].fill(0);
        }
    };
    let point = Point::taken(&account, &cluster, set, damage).await?;
    let found = point.verified.members.iter().find(|member| member.member == broken).ok_or("verify passed it over")?;
    if found.verdict != "corrupt" {
        return Err(format!("{broken} is found {}: {:?}", found.verdict, found.reason).into());
    }
    let masters = masters(&cluster).await;
    let restore = Restore::of(&account, &point, &masters).await?;
    let others: Vec<&String> = set.images.keys().filter(|member| *member != broken).collect();
    let event = json!({"recovery_point": point.slot, "members": others, "others": "empty", "replace": true});
    let plan = restore.plan(about(event)).await?;
    let (_, images) = restore.apply(&plan.apply, 1).await?;
    lab.start(&images).await?;
    healthy(lab, "the two that were restored").await?;
    lab.join(broken).await?;
    healthy(lab, "all, when one has joined empty").await?;
    let compared = lab.compare(LIMIT).await?;
    lab.stop().await?;
    account.forget_disks().await;
    if let Some(wrong) = compared.wrong {
        return Err(format!("{broken} joined empty, and {wrong}").into());
    }
    if compared.revision < set.acknowledged {
        return Err(format!("at revision {}, though {} was acknowledged", compared.revision, set.acknowledged).into());
    }
    println!("   {broken} joined empty: whole, revision {}", compared.revision);
    Ok(())
}

async fn healthy(lab: &mut Lab, who: &str) -> Prove {
    let unhealthy = lab.unhealthy(LIMIT).await?;
    if unhealthy.is_empty() { Ok(()) } else { Err(format!("{who}: {} not healthy", unhealthy.join(", ")).into()) }
}
