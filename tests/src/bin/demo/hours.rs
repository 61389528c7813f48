//! Three days of hourly events, with a mishap in one of the hours.

use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use scenarios::{FunctionError, RunningFunction, events};
use serde_json::Value;

use crate::Demo;
use crate::answer::{Answer, read};
use crate::scene::Scene;
use crate::tally::Tally;
use crate::text::{paragraph, quote};

/// Short enough for pruning to show within three days.
pub(crate) const RETENTION: &str = "keep-last=3,keep-hourly=12,keep-daily=7";
/// What `keep-hourly` says above.
const HOURLY: usize = 12;

const SLOTS: i64 = 72;
/// How often the progress is shown.
const PROGRESS: usize = 12;
/// Lambda tries an event again after a minute.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How long after its scheduled time an event comes.
const DELIVERED_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// The slots of three days.
pub(crate) struct Hours {
    first: Timestamp,
    last: Timestamp,
}

impl Hours {
    /// Those up to the last full hour.
    pub(crate) fn until_now() -> Demo<Self> {
        let full_hour = TimestampRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc);
        let last = Timestamp::now().round(full_hour)?;
        Ok(Self { first: last - SignedDuration::from_hours(SLOTS - 1), last })
    }

    pub(crate) fn first(&self) -> Timestamp {
        self.first
    }

    pub(crate) fn last(&self) -> Timestamp {
        self.last
    }

    /// Oldest first.
    fn slots(&self) -> impl DoubleEndedIterator<Item = Timestamp> {
        (0..SLOTS).map(|hours| self.first + SignedDuration::from_hours(hours))
    }

    /// The last slot of the second day: its points stay, so that what the mishap did can be seen at the end.
    fn of_mishap(&self) -> Option<Timestamp> {
        self.slots().skip(24).find(|slot| is_last_of_day(*slot))
    }

    /// What the policy must leave in the end of each etcd cluster, newest first: the point that is still pending; of
    /// the others the last twelve and the newest of each day; and the very oldest, as restic keeps it while a count
    /// isn't used up.
    pub(crate) fn expected(&self) -> Vec<Timestamp> {
        let newest_first = self.slots().rev().enumerate();
        let stays = |n: usize, slot: Timestamp| n <= HOURLY || is_last_of_day(slot) || slot == self.first;
        newest_first.filter(|(n, slot)| stays(*n, *slot)).map(|(_, slot)| slot).collect()
    }

    /// Delivers every hour's event at its time.
    pub(crate) async fn run(&self, scene: &Scene<'_>, function: &RunningFunction) -> Demo<Tally> {
        let mut tally = Tally::default();
        println!(
            "\n   {:<18}{:>6}{:>12}{:>10}{:>23}",
            "up to (UTC)", "hours", "snapshots", "pruned", "recovery points kept"
        );
        for (n, slot) in self.slots().enumerate() {
            // What was pending an hour ago is completed by now.
            scene.account.clock(&(slot + DELIVERED_AFTER).to_string()).await;
            scene.account.settle_snapshots().await;
            if Some(slot) == self.of_mishap() {
                mishap(scene, function, slot, &mut tally).await?;
            } else {
                tally.add(read(deliver(function, slot).await?)?, 6)?;
            }
            let hours = n + 1;
            if hours % PROGRESS == 0 {
                let Tally { created, pruned, kept, .. } = &tally;
                println!("   {:<18}{hours:>6}{created:>12}{:>10}{kept:>23}", minute(slot), pruned.len());
            }
        }
        Ok(tally)
    }
}

/// With the same request id for the same slot, as where Lambda tries again.
async fn deliver(function: &RunningFunction, slot: Timestamp) -> Result<Value, FunctionError> {
    let id = format!("00000000-0000-4000-8000-{:012x}", slot.as_second());
    function.invoke_as(&id, events::scheduled(&slot.to_string())).await
}

/// One member's snapshot is refused, so the run fails; Lambda's retry makes up for it.
async fn mishap(scene: &Scene<'_>, function: &RunningFunction, slot: Timestamp, tally: &mut Tally) -> Demo {
    println!();
    paragraph(&format!("{}: a mishap. EC2 refuses the snapshot of etcd main's member b.", minute(slot)));
    let volume = scene.cluster.volume("main", "b");
    let refusal = scene.account.fail_next("CreateSnapshot").on_volume(volume);
    refusal.saying("IncorrectState", "The volume cannot be snapshotted now", 400).await;
    let Err(failure) = deliver(function, slot).await else {
        return Err("a run without one member's snapshot has succeeded".into());
    };
    if failure.error_type != "BackupIncomplete" {
        return Err(failure.into());
    }
    paragraph("The run takes the other five and fails, for an alarm to see:");
    quote(&format!("{}: {}", failure.error_type, failure.sentence()), 6);
    tally.add(read(failure.result())?, 5)?;

    scene.account.clock(&(slot + DELIVERED_AFTER + RETRY_AFTER).to_string()).await;
    let retry: Answer = read(deliver(function, slot).await?)?;
    let (created, existing) = (retry.count("created"), retry.count("existing"));
    paragraph(&format!("A minute later Lambda tries again: {existing} members existing, {created} created. It warns:"));
    for warning in &retry.warnings {
        quote(warning, 6);
    }
    println!();
    tally.add(retry, 1)
}

fn is_last_of_day(slot: Timestamp) -> bool {
    slot.to_zoned(TimeZone::UTC).hour() == 23
}

/// Without the seconds, which are all zero.
pub(crate) fn minute(slot: Timestamp) -> String {
    slot.strftime("%Y-%m-%d %H:%M").to_string()
}
