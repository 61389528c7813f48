//! `backup`: a fleet of kops clusters.

use std::time::Duration;

use scenarios::stand_in::{Arrival, Fleet, StandIn};
use scenarios::{Function, events};
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::measured::{Measured, Target, milliseconds, number, print_targets};

/// What EC2 takes for such calls, about.
const LATENCY: Duration = Duration::from_millis(40);
/// The time an invocation has: Lambda's longest.
const DEADLINE: Duration = Duration::from_mins(15);

struct Case {
    name: &'static str,
    fleet: Fleet,
    env: &'static [(&'static str, &'static str)],
    runs: usize,
    snapshots: usize,
    deletions: usize,
}

/// The slot that is backed up: the last full hour.
fn slot() -> String {
    let now = Timestamp::now().as_second();
    Timestamp::from_second(now - now % 3600).unwrap_or_default().to_string()
}

fn cases() -> [Case; 4] {
    let slot = slot();
    [
        Case { name: "one cluster, new", fleet: Fleet::of_clusters(1), env: &[], runs: 5, snapshots: 6, deletions: 0 },
        Case {
            name: "one cluster, 30 slots",
            fleet: Fleet::of_clusters(1).with_hours_before(&slot, 30),
            env: &[("RETENTION", "keep-last=24")],
            runs: 5,
            snapshots: 6,
            deletions: 36,
        },
        Case {
            name: "200 clusters, new",
            fleet: Fleet::of_clusters(200),
            env: &[],
            runs: 1,
            snapshots: 1200,
            deletions: 0,
        },
        Case {
            name: "100,002 snapshots",
            fleet: Fleet::of_clusters(1).with_hours_before(&slot, 16_667),
            env: &[],
            runs: 1,
            snapshots: 6,
            deletions: 60,
        },
    ]
}

/// Says whether all targets are met.
pub(crate) async fn bench(binary: &str) -> Result<bool, String> {
    println!(
        "backup: every EC2 call is answered {} ms after its arrival. Wall time: the median of",
        LATENCY.as_millis()
    );
    println!("the runs, each a fresh process; all else: the worst of them.\n");
    println!(
        "{:<22}{:>5}{:>9}{:>8}{:>8}{:>9}{:>9}{:>10}",
        "case", "runs", "wall ms", "wall/40", "rounds", "skew ms", "init ms", "peak MiB"
    );
    let mut summaries = Vec::new();
    for case in cases() {
        let (mut runs, mut skews, mut plannings) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..case.runs {
            let (measured, skew, planning) = run(binary, &case).await.map_err(|why| format!("{}: {why}", case.name))?;
            runs.push(measured);
            skews.push(skew);
            plannings.push(planning);
        }
        let summary = (Measured::summary(runs), skews.into_iter().max().unwrap_or_default());
        print_case(&case, &summary);
        let planning = plannings.into_iter().max().unwrap_or_default();
        println!("  from the last listing to the first snapshot: {:.0} ms", milliseconds(planning));
        summaries.push(summary);
    }
    Ok(print_targets(&targets(&summaries)))
}

async fn run(binary: &str, case: &Case) -> Result<(Measured, Duration, Duration), String> {
    let ec2 = StandIn::serve(case.fleet.clone(), LATENCY).await;
    let function = Function::at(binary).endpoint(ec2.url(), "111122223333").env("EVENT_BUS", "");
    let function = case.env.iter().fold(function, |function, (name, value)| function.env(name, value));
    let function = function.start().await;

    let result = function.invoke_within(DEADLINE, events::scheduled(&slot())).await;
    result.map_err(|error| format!("{error}\n{}", function.logs().join("\n")))?;

    let arrivals = ec2.arrivals();
    let measured = Measured::of(&function, &arrivals, LATENCY)?;
    for (action, expected) in [("CreateSnapshot", case.snapshots), ("DeleteSnapshot", case.deletions)] {
        let called = measured.count(action);
        if called != expected {
            return Err(format!("{action} was called {called} times instead of {expected}"));
        }
    }
    Ok((measured, skew(&arrivals), planning(&arrivals)))
}

/// The time from the answer of the last listing to the first snapshot: what reading it and planning take.
fn planning(arrivals: &[Arrival]) -> Duration {
    let Some(first) = arrivals.iter().find(|arrival| arrival.action == "CreateSnapshot") else { return Duration::ZERO };
    let listed = arrivals.iter().filter(|arrival| arrival.action.starts_with("Describe") && arrival.at < first.at);
    listed.map(|arrival| first.at.duration_since(arrival.at + LATENCY)).min().unwrap_or_default()
}

/// The most time between the first and the last snapshot call of one etcd cluster, at the server.
fn skew(arrivals: &[Arrival]) -> Duration {
    let mut spans = BTreeMap::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.action == "CreateSnapshot") {
        let (first, last) = spans.entry(&arrival.etcd_cluster).or_insert((arrival.at, arrival.at));
        (*first, *last) = (arrival.at.min(*first), arrival.at.max(*last));
    }
    spans.values().map(|(first, last)| *last - *first).max().unwrap_or_default()
}

fn print_case(case: &Case, (measured, skew): &(Measured, Duration)) {
    println!(
        "{:<22}{:>5}{:>9.0}{:>8.2}{:>8}{:>9.1}{:>9.1}{:>10.1}",
        case.name,
        case.runs,
        milliseconds(measured.wall),
        measured.wall.div_duration_f64(LATENCY),
        measured.rounds,
        milliseconds(*skew),
        milliseconds(measured.init),
        measured.peak_mib,
    );
    measured.print_calls();
}

fn targets(summaries: &[(Measured, Duration)]) -> [Target; 5] {
    let skew = summaries.iter().map(|(_, skew)| *skew).max().unwrap_or_default();
    let init = summaries.iter().map(|(measured, _)| measured.init).max().unwrap_or_default();
    let peak = summaries[0].0.peak_mib.max(summaries[1].0.peak_mib);
    [
        // One round of questions, one of snapshots, and three of deletions: 36 of them, 16 at a time.
        Target { name: "round trips with 30 slots", at_most: 5.0, is: number(summaries[1].0.rounds) },
        Target { name: "skew, ms", at_most: 10.0, is: milliseconds(skew) },
        Target { name: "init, ms", at_most: 30.0, is: milliseconds(init) },
        Target { name: "peak memory of one cluster, MiB", at_most: 32.0, is: peak },
        // What the template gives.
        Target { name: "peak memory of 100,002 snapshots, MiB", at_most: 512.0, is: summaries[3].0.peak_mib },
    ]
}
