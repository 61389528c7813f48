//! Benchmark of the `backup` function: `bench target/release/backup`.
//!
//! EC2 is a stand-in with a fixed latency, so that what is measured is the function: how many rounds of dependent
//! calls it needs, how far apart it snapshots the members of an etcd cluster, how fast it starts, what it holds.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints, and ends where its measurement makes no sense"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use scenarios::stand_in::{Arrival, Fleet, StandIn};
use scenarios::{Function, events};

/// What EC2 takes for such calls, about.
const LATENCY: Duration = Duration::from_millis(40);
/// The slot that is backed up.
const SLOT: &str = "2026-11-23T02:00:00Z";
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

fn cases() -> [Case; 3] {
    [
        Case { name: "one cluster, new", fleet: Fleet::of_clusters(1), env: &[], runs: 5, snapshots: 6, deletions: 0 },
        Case {
            name: "one cluster, 30 slots",
            fleet: Fleet::of_clusters(1).with_hours_before(SLOT, 30),
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
    ]
}

/// One run, or the summary of several: the median wall time and the worst of everything else.
#[derive(Clone)]
struct Measured {
    wall: Duration,
    rounds: usize,
    skew: Duration,
    init: Duration,
    peak_mib: f64,
    calls: BTreeMap<String, usize>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(binary) = std::env::args().nth(1) else {
        eprintln!("usage: bench <path of the release binary of `backup`>");
        return ExitCode::FAILURE;
    };
    println!("Every EC2 call is answered {} ms after its arrival. Wall time: the median of", LATENCY.as_millis());
    println!("the runs, each a fresh process; all else: the worst of them.\n");
    println!(
        "{:<22}{:>5}{:>9}{:>8}{:>8}{:>9}{:>9}{:>10}",
        "case", "runs", "wall ms", "wall/40", "rounds", "skew ms", "init ms", "peak MiB"
    );
    let mut summaries = Vec::new();
    for case in cases() {
        let mut runs = Vec::new();
        for _ in 0..case.runs {
            match run(&binary, &case).await {
                Ok(measured) => runs.push(measured),
                Err(why) => {
                    eprintln!("{}: {why}", case.name);
                    return ExitCode::FAILURE;
                }
            }
        }
        let summary = summary(runs);
        print_case(&case, &summary);
        summaries.push(summary);
    }
    if print_targets(&summaries) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(binary: &str, case: &Case) -> Result<Measured, String> {
    let ec2 = StandIn::serve(case.fleet.clone(), LATENCY).await;
    let function = Function::at(binary).endpoint(ec2.url(), "111122223333").env("EVENT_BUS", "");
    let function = case.env.iter().fold(function, |function, (name, value)| function.env(name, value));
    let function = function.start().await;

    let result = function.invoke_within(DEADLINE, events::scheduled(SLOT)).await;
    result.map_err(|error| format!("{error}\n{}", function.logs().join("\n")))?;

    let arrivals = ec2.arrivals();
    let mut calls = BTreeMap::new();
    for arrival in &arrivals {
        *calls.entry(arrival.action.clone()).or_insert(0) += 1;
    }
    for (action, expected) in [("CreateSnapshot", case.snapshots), ("DeleteSnapshot", case.deletions)] {
        let called = calls.get(action).copied().unwrap_or_default();
        if called != expected {
            return Err(format!("{action} was called {called} times instead of {expected}"));
        }
    }
    let peak = function.peak_memory().ok_or("no /proc, so no peak memory")?;
    let peak_kib = u32::try_from(peak / 1024).map_err(|_| format!("a peak memory of {peak} bytes"))?;
    Ok(Measured {
        wall: function.run_time(),
        rounds: rounds(&arrivals),
        skew: skew(&arrivals),
        init: function.init_time(),
        peak_mib: f64::from(peak_kib) / 1024.0,
        calls,
    })
}

/// Rounds of dependent calls: a call is in the round after the latest of those that were answered before it came.
fn rounds(arrivals: &[Arrival]) -> usize {
    let mut rounds: Vec<usize> = Vec::new();
    for arrival in arrivals {
        let answered = arrivals.iter().zip(&rounds).filter(|(earlier, _)| earlier.at + LATENCY <= arrival.at);
        rounds.push(1 + answered.map(|(_, round)| *round).max().unwrap_or_default());
    }
    rounds.into_iter().max().unwrap_or_default()
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

fn summary(mut runs: Vec<Measured>) -> Measured {
    runs.sort_by_key(|run| run.wall);
    let median = runs[runs.len() / 2].clone();
    runs.into_iter().fold(median, |worst, run| Measured {
        rounds: worst.rounds.max(run.rounds),
        skew: worst.skew.max(run.skew),
        init: worst.init.max(run.init),
        peak_mib: worst.peak_mib.max(run.peak_mib),
        ..worst
    })
}

fn print_case(case: &Case, measured: &Measured) {
    println!(
        "{:<22}{:>5}{:>9.0}{:>8.2}{:>8}{:>9.1}{:>9.1}{:>10.1}",
        case.name,
        case.runs,
        milliseconds(measured.wall),
        measured.wall.div_duration_f64(LATENCY),
        measured.rounds,
        milliseconds(measured.skew),
        milliseconds(measured.init),
        measured.peak_mib,
    );
    let calls: Vec<String> = measured.calls.iter().map(|(action, count)| format!("{action} {count}")).collect();
    println!("  {}", calls.join(", "));
}

/// Says whether all targets are met.
fn print_targets(summaries: &[Measured]) -> bool {
    let worst = |value: fn(&Measured) -> f64| summaries.iter().map(value).fold(0.0, f64::max);
    let rounds = u32::try_from(summaries[1].rounds).unwrap_or(u32::MAX);
    let targets = [
        // One round of questions, one of snapshots, and three of deletions: 36 of them, 16 at a time.
        ("round trips with 30 slots", f64::from(rounds), 5.0),
        ("skew, ms", worst(|measured| milliseconds(measured.skew)), 10.0),
        ("init, ms", worst(|measured| milliseconds(measured.init)), 30.0),
        ("peak memory of one cluster, MiB", summaries[0].peak_mib.max(summaries[1].peak_mib), 32.0),
    ];
    println!("\n{:<32}{:>10}{:>10}", "target", "at most", "is");
    for (name, value, limit) in targets {
        let verdict = if value <= limit { "ok" } else { "missed" };
        println!("{name:<32}{limit:>10.0}{value:>10.1}  {verdict}");
    }
    targets.iter().all(|(_, value, limit)| value <= limit)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
