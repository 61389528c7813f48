//! All of etcd `events` goes back to an older recovery point, over living volumes; and that is taken back.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use scenarios::ledger::Ledger;
use scenarios::observed::{Call, Volume};
use scenarios::tags::Tags;
use scenarios::{Account, RunningFunction};
use serde_json::json;

use crate::Demo;
use crate::answer::read;
use crate::hours::Hours;
use crate::made::made;
use crate::positions;
use crate::restored::{Listed, Restored, about, invoke};
use crate::scene::{CLUSTER, MEMBERS, Scene};
use crate::steps;
use crate::text::{paragraph, promise, shortened, spaced, table};

const ETCD: &str = "events";
/// How far back it goes.
const BACK: SignedDuration = SignedDuration::from_hours(6);
/// How many recovery points are listed to find that one.
const LISTED: usize = 10;

pub(crate) async fn show(scene: &Scene<'_>, restore: &RunningFunction, hours: &Hours) -> Demo {
    let account = scene.account;
    account.forget_calls().await;
    let volumes = account.volumes().await;
    let before = olds(scene, &volumes)?;
    positions::read(account, ETCD, hours.last() - BACK).await?;
    account.forget_calls().await;
    let applied = roll_back(restore, hours).await?;
    made(account, &applied, &before).await?;
    let parked = olds(scene, &account.volumes().await)?;
    undo(restore, &applied).await?;
    let after = olds(scene, &account.volumes().await)?;

    let [of_a, ..] = &before;
    println!();
    paragraph(&format!("The tags of {}, the old volume of member a:", of_a.id));
    println!();
    side_by_side([&before, &parked, &after].map(|[of_a, ..]| &of_a.tags));
    println!();
    check_tags(&before, &parked, &after)?;
    check_calls(account, &volumes).await
}

/// The cluster's own volumes of `events`.
fn olds(scene: &Scene<'_>, volumes: &[Volume]) -> Demo<[Volume; 3]> {
    let ids = MEMBERS.map(|member| scene.cluster.volume(ETCD, member));
    let found: Vec<Volume> = ids.iter().filter_map(|id| volumes.iter().find(|one| one.id == **id)).cloned().collect();
    found.try_into().map_err(|_| "an old volume of events is gone".into())
}

async fn roll_back(restore: &RunningFunction, hours: &Hours) -> Demo<Restored> {
    let wanted = hours.last() - BACK;
    paragraph(
        "What was written to its volumes in the last hours is bad. Among the points that list shows, this one is of \
         before:",
    );
    println!();
    let list = about(ETCD, json!({ "mode": "list", "limit": LISTED }));
    let listed: Listed = read(restore.invoke(list).await?)?;
    let point = listed.recovery_points.iter().find(|point| point.recovery_point == wanted);
    steps::points([point.ok_or_else(|| format!("{wanted} is not listed"))?]);

    let event = about(ETCD, json!({ "mode": "plan", "recovery_point": wanted.to_string(), "replace": true }));
    paragraph(&format!("A plan that may replace living volumes: {}", spaced(&event)));
    println!();
    let plan = invoke(restore, &event, "planned").await?;
    promise(plan.refusals.is_empty(), "nothing stands in the way: no volume is attached")?;
    println!();
    paragraph("Its apply event does this:");
    println!();
    let applied = invoke(restore, &plan.apply, "applied").await?;
    steps::members(&applied);
    steps::taken(&applied)?;
    Ok(applied)
}

async fn undo(restore: &RunningFunction, applied: &Restored) -> Demo {
    println!();
    paragraph("It was the wrong hour. The answer has the event that undoes it:");
    paragraph(&spaced(&applied.undo));
    println!();
    let undone = invoke(restore, &applied.undo, "undone").await?;
    steps::taken(&undone)?;
    steps::warnings(&undone);
    Ok(())
}

/// Of one volume: as it was, once it was replaced, and in the end.
fn side_by_side(tags: [&Tags; 3]) {
    const KEY: usize = 26;
    const VALUE: usize = 15;
    let keys: BTreeSet<&String> = tags.iter().flat_map(|tags| tags.keys()).collect();
    let row = |key: &String| {
        let [before, parked, after] =
            tags.map(|tags| tags.get(key).map_or("-".to_owned(), |one| shortened(one, VALUE)));
        [shortened(key, KEY), before, parked, after]
    };
    let rows: Vec<[String; 4]> = keys.into_iter().map(row).collect();
    table(["tag", "before", "after apply", "after undo"], &rows);
}

fn check_tags(before: &[Volume], parked: &[Volume], after: &[Volume]) -> Demo {
    let kops_tags = |volume: &Volume| volume.tags.keys().any(|key| key.starts_with("k8s.io/"));
    promise(!parked.iter().any(kops_tags), "after the apply nothing finds the old volumes by their tags")?;
    let as_before = before.iter().zip(after).all(|(before, after)| before.tags == after.tags);
    promise(as_before, "after the undo all tags of all three old volumes are exactly as before")?;
    let is_ours = |volume: &Volume| volume.tags.keys().any(|key| key.starts_with("etcd-backup/"));
    promise(!after.iter().any(is_ours), "none of them has a tag etcd-backup/*")
}

/// What the calls did, one after the other.
async fn check_calls(account: &Account, before: &[Volume]) -> Demo {
    let calls = account.all_calls().await;
    let moments = Ledger::from(before).moments(&calls);
    let is_safe = |now: &Ledger| {
        let one_each = MEMBERS.iter().all(|member| now.claimants(CLUSTER, ETCD, member).len() <= 1);
        one_each && !now.is_mixed(CLUSTER, ETCD, &MEMBERS)
    };
    promise(
        !moments.is_empty() && moments.iter().all(|(_, now)| is_safe(now)),
        &format!(
            "after each of the {} calls that changed something, a master would have found at most one volume a member, \
             and never old ones beside new ones",
            moments.len()
        ),
    )?;
    let deletes = |call: &Call| ["DeleteVolume", "DeleteSnapshot"].contains(&call.action.as_str());
    promise(!calls.iter().any(deletes), &format!("of all {} calls none deleted a volume or a snapshot", calls.len()))
}
