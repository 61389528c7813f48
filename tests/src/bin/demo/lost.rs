//! The worst: all volumes of etcd `main` are gone, and come back from the newest complete recovery point.

use jiff::Timestamp;
use scenarios::ledger::claims;
use scenarios::observed::Volume;
use scenarios::{Account, RunningFunction};
use serde_json::json;

use crate::Demo;
use crate::answer::read;
use crate::hours::minute;
use crate::made::made;
use crate::points::existing;
use crate::positions;
use crate::restored::{Listed, Restored, RestoredMember, VolumeSettings, about, invoke};
use crate::scene::{CLUSTER, MEMBERS, Scene};
use crate::steps;
use crate::text::{paragraph, promise, spaced, table};

const ETCD: &str = "main";
/// How many recovery points are listed.
const LISTED: usize = 3;

/// By member: the volumes as they were, and the instances that are to use them.
#[derive(Default)]
struct Lost {
    volumes: Vec<Volume>,
    /// The member of each.
    masters: Vec<(String, String)>,
}

pub(crate) async fn show(scene: &mut Scene<'_>, restore: &RunningFunction) -> Demo {
    let lost = lose(scene).await?;
    scene.account.forget_calls().await;
    let latest = list(scene.account, restore).await?;
    println!();
    positions::show(&positions::read(scene.account, ETCD, latest).await?)?;
    scene.account.forget_calls().await;
    let plan = plan(restore, latest).await?;
    next(&plan, &lost.masters)?;
    promise(scene.account.writes().await.is_empty(), "neither list nor plan made a call that changes anything")?;

    println!();
    paragraph("With the masters down, the operator sends what the plan has under apply:");
    paragraph(&spaced(&plan.apply));
    println!();
    let applied = invoke(restore, &plan.apply, "applied").await?;
    steps::members(&applied);
    steps::taken(&applied)?;
    let second = second_stage(scene.account, restore, &plan, &applied, &lost.masters).await?;
    check(scene.account, &plan, &second, &lost.volumes).await?;
    apply_again(scene.account, restore, &plan, &second).await
}

/// The members of the first stage run, and the others are tagged.
async fn second_stage(
    account: &Account,
    restore: &RunningFunction,
    plan: &Restored,
    applied: &Restored,
    masters: &[(String, String)],
) -> Demo<Restored> {
    let [_, waiting] = plan.stages.as_slice() else { return Err("the plan has not two stages".into()) };
    let volumes = account.volumes().await;
    let claimed = |member: &String| volumes.iter().any(|one| claims(&one.tags, CLUSTER, ETCD, member));
    promise(!waiting.iter().any(claimed), &format!("{} waits: no master finds its volume yet", waiting.join(", ")))?;
    println!();
    paragraph(
        "The masters start on the volumes of the first stage. When etcd is healthy, the operator sends what is under then:",
    );
    paragraph(&spaced(&applied.then));
    println!();
    positions::start(account, applied, masters).await?;
    let second = invoke(restore, &applied.then, "applied").await?;
    steps::taken(&second)?;
    Ok(second)
}

/// The masters run, and the volumes are deleted.
async fn lose(scene: &mut Scene<'_>) -> Demo<Lost> {
    let volumes = scene.account.volumes().await;
    let mut lost = Lost::default();
    for member in MEMBERS {
        let zone = scene.cluster.get(ETCD, member).zone.clone();
        let master = scene.cluster.master(&zone).await;
        let id = scene.cluster.lose(ETCD, member).await;
        let volume = volumes.iter().find(|volume| volume.id == id);
        lost.volumes.push(volume.ok_or_else(|| format!("{id} was not there"))?.clone());
        lost.masters.push((member.to_owned(), master));
    }
    let ids: Vec<&str> = lost.volumes.iter().map(|volume| volume.id.as_str()).collect();
    paragraph(&format!(
        "Somebody has deleted {}. At its next update kops would make blank ones, and etcd would start empty. (The \
         masters of this scene are instances that hold no volume.)",
        ids.join(", ")
    ));
    println!();
    Ok(lost)
}

/// Gives the newest complete point.
async fn list(account: &Account, restore: &RunningFunction) -> Demo<Timestamp> {
    let event = about(ETCD, json!({ "mode": "list", "limit": LISTED }));
    paragraph(&format!("What can be restored? {}", spaced(&event)));
    println!();
    let listed: Listed = read(restore.invoke(event).await?)?;
    steps::points(&listed.recovery_points);
    let times = listed.recovery_points.iter().map(|point| (point.recovery_point, point.state.as_str()));
    let existing = existing(account).await?;
    let newest = existing.iter().filter(|point| point.etcd == ETCD).take(LISTED);
    promise(
        times.eq(newest.map(|point| (point.slot, point.state()))),
        "these are main's newest points by the snapshots in EC2",
    )?;
    let complete = listed.recovery_points.iter().find(|point| point.state == "complete");
    Ok(complete.ok_or("no point is complete")?.recovery_point)
}

async fn plan(restore: &RunningFunction, latest: Timestamp) -> Demo<Restored> {
    let event = about(ETCD, json!({ "mode": "plan", "recovery_point": "latest" }));
    println!();
    paragraph(&format!("What would a restore do? {}", spaced(&event)));
    println!();
    let plan = invoke(restore, &event, "planned").await?;
    let point = plan.recovery_point.map_or("-".to_owned(), minute);
    paragraph(&format!("Of the point {point} it would make these volumes:"));
    println!();
    let row = |one: &RestoredMember| {
        Ok([one.member.clone(), one.snapshot.clone(), one.zone.clone(), words(plan.settings(&one.member)?)])
    };
    let rows: Vec<[String; 4]> = plan.members.iter().map(row).collect::<Demo<_>>()?;
    table(["member", "from snapshot", "in zone", "with"], &rows);
    println!();
    promise(plan.recovery_point == Some(latest), "latest is the newest point that is complete and was read")?;
    let stages: Vec<String> = plan.stages.iter().map(|stage| stage.join(" and ")).collect();
    promise(stages.len() == 2, &format!("its stages: {}", stages.join(", then ")))?;
    Ok(plan)
}

fn words(settings: &VolumeSettings) -> String {
    let VolumeSettings { volume_type, size_gib, iops, throughput, encrypted } = settings;
    let encrypted = if *encrypted { "encrypted" } else { "not encrypted" };
    format!("{volume_type} {size_gib} GiB {iops} IOPS {throughput} MiB/s {encrypted}")
}

fn next(plan: &Restored, masters: &[(String, String)]) -> Demo {
    println!();
    paragraph("And this is what the operator does, in order:");
    println!();
    steps::next(plan);
    let names = |step: &String, master: &String| step.contains(master) && step.contains("Auto Scaling group");
    let is_named = |(_, master): &(String, String)| plan.next_steps.iter().any(|step| names(step, master));
    promise(masters.iter().all(is_named), "the steps name every master with its Auto Scaling group")
}

/// Holds what was said against what EC2 lists.
async fn check(account: &Account, plan: &Restored, applied: &Restored, lost: &[Volume]) -> Demo {
    let new = made(account, applied, lost).await?;
    let is_planned = |(new, member): (&Volume, &RestoredMember)| {
        let planned = plan.settings(&member.member);
        planned.is_ok_and(|planned| settings(new).as_ref() == Some(planned)) && new.zone == member.zone
    };
    promise(new.iter().zip(&plan.members).all(is_planned), "each is as planned")?;
    let pairs = || new.iter().zip(lost);
    promise(
        pairs().all(|(new, lost)| settings(new) == settings(lost) && new.zone == lost.zone),
        "each has the lost one's zone, type, size, IOPS, throughput and encryption",
    )?;
    promise(pairs().all(|(new, lost)| new.tags == lost.tags), "each has exactly the tags that the lost one had")?;
    let volumes = account.volumes().await;
    let claimants = |member: &str| volumes.iter().filter(|one| claims(&one.tags, CLUSTER, ETCD, member)).count();
    promise(MEMBERS.iter().all(|member| claimants(member) == 1), "no other volume claims one of these members")
}

/// Nothing of a type that takes other settings.
fn settings(volume: &Volume) -> Option<VolumeSettings> {
    Some(VolumeSettings {
        volume_type: volume.volume_type.clone(),
        size_gib: volume.size,
        iops: volume.iops?,
        throughput: volume.throughput?,
        encrypted: volume.encrypted,
    })
}

/// Whoever has lost the answer sends the event again.
async fn apply_again(account: &Account, restore: &RunningFunction, plan: &Restored, first: &Restored) -> Demo {
    println!();
    paragraph("An answer can get lost, so the operator sends the same event again:");
    println!();
    account.forget_calls().await;
    let again = invoke(restore, &plan.apply, "applied").await?;
    let calls = account.all_calls().await.len();
    let already = again.steps.iter().filter(|step| step.state == "already").count();
    promise(already == again.steps.len(), &format!("{already} of {} steps: already", again.steps.len()))?;
    promise(account.writes().await.is_empty(), &format!("of its {calls} calls none changed anything"))?;
    promise(again.undo == first.undo && first.undo.is_object(), "the answer has the same event to undo it")
}
