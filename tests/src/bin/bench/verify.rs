//! `verify`: a volume of 20 GiB with a database of 450 MB, copied under load: its journal is to be replayed.

use std::time::Duration;

use scenarios::Function;
use scenarios::disk::{BLOCK, LargeDisk};
use scenarios::stand_in::{Fleet, StandIn};
use serde_json::{Value, json};

use crate::measured::{Measured, Target, milliseconds, number, print_targets};

/// What EBS takes for a block within its region, about.
const LATENCY: Duration = Duration::from_millis(20);
/// The time an invocation has: Lambda's longest.
const DEADLINE: Duration = Duration::from_mins(15);
/// Its first snapshot is the one that is read.
const SLOT: &str = "2026-11-23T03:00:00Z";
const SNAPSHOT: &str = "snap-00000000000000001";

struct Case {
    name: &'static str,
    deep: bool,
    concurrency: &'static str,
    runs: usize,
}

const CASES: [Case; 4] = [
    Case { name: "16 calls at once", deep: false, concurrency: "16", runs: 5 },
    Case { name: "as many as wanted", deep: false, concurrency: "256", runs: 5 },
    Case { name: "one call at a time", deep: false, concurrency: "1", runs: 1 },
    Case { name: "deep, 16 at once", deep: true, concurrency: "16", runs: 1 },
];

/// Says whether all targets are met.
pub(crate) async fn bench(binary: &str) -> Result<bool, String> {
    let disk = LargeDisk::fixture("large-3.5");
    println!("verify: a snapshot of a volume of {} GiB, {} blocks of which hold", disk.volume_gib, disk.blocks.len());
    println!("something; every call is answered {} ms after its arrival.\n", LATENCY.as_millis());
    println!(
        "{:<20}{:>5}{:>9}{:>8}{:>8}{:>8}{:>7}{:>10}{:>10}",
        "case", "runs", "wall ms", "wall/20", "rounds", "blocks", "MiB", "of volume", "peak MiB"
    );
    let mut summaries = Vec::new();
    for case in CASES {
        let mut runs = Vec::new();
        for _ in 0..case.runs {
            runs.push(run(binary, &disk, &case).await.map_err(|why| format!("{}: {why}", case.name))?);
        }
        let summary = Measured::summary(runs);
        print_case(&case, &summary, &disk);
        summaries.push(summary);
    }
    Ok(print_targets(&targets(&summaries, &disk)))
}

async fn run(binary: &str, disk: &LargeDisk, case: &Case) -> Result<Measured, String> {
    let fleet = Fleet::of_clusters(1).with_hours_before(SLOT, 1);
    let ebs = StandIn::serve_disk(fleet, disk, LATENCY).await;
    let function = Function::at(binary).endpoint(ebs.url(), "111122223333").env("EVENT_BUS", "");
    let function = function.env("CONCURRENCY", case.concurrency).start().await;

    let result = function.invoke_within(DEADLINE, json!({"snapshot": SNAPSHOT, "deep": case.deep})).await;
    let result = result.map_err(|error| format!("{error}\n{}", function.logs().join("\n")))?;

    is_true(&result["members"][0], &disk.truth)?;
    Measured::of(&function, &ebs.arrivals(), LATENCY)
}

/// What it says is what etcd's own tools say.
fn is_true(said: &Value, truth: &Value) -> Result<(), String> {
    for (field, known) in [
        ("verdict", &truth["expected"]["verdict"]),
        ("revision", &truth["revision"]),
        ("consistent_index", &truth["consistent_index"]),
        ("wal_last_index", &truth["wal_last_index"]),
        ("cluster_id", &truth["cluster_id"]),
    ] {
        if said[field] != *known {
            return Err(format!("{field} is {known}, and it says {said}"));
        }
    }
    Ok(())
}

fn blocks(measured: &Measured) -> f64 {
    number(measured.count("GetSnapshotBlock"))
}

/// Per cent of the volume's bytes.
fn share(measured: &Measured, disk: &LargeDisk) -> f64 {
    let volume = number(usize::try_from(disk.volume_gib << 30).unwrap_or(usize::MAX) / BLOCK);
    blocks(measured) * 100.0 / volume
}

fn print_case(case: &Case, measured: &Measured, disk: &LargeDisk) {
    println!(
        "{:<20}{:>5}{:>9.0}{:>8.1}{:>8}{:>8}{:>7.0}{:>9.2}%{:>10.1}",
        case.name,
        case.runs,
        milliseconds(measured.wall),
        measured.wall.div_duration_f64(LATENCY),
        measured.rounds,
        blocks(measured),
        blocks(measured) / 2.0,
        share(measured, disk),
        measured.peak_mib,
    );
    measured.print_calls();
}

fn targets(summaries: &[Measured], disk: &LargeDisk) -> [Target; 4] {
    let usual = &summaries[0];
    let peak = summaries.iter().map(|measured| measured.peak_mib).fold(0.0, f64::max);
    let per_round = usual.wall.div_duration_f64(LATENCY) / number(usual.rounds);
    [
        Target { name: "shallow, per cent of the volume", at_most: 2.0, is: share(usual, disk) },
        Target { name: "peak memory of any, MiB", at_most: 256.0, is: peak },
        // Ten to find the files, as many to replay the journal; the rest is 155 blocks, 16 at a time.
        Target { name: "rounds, 16 at once", at_most: 30.0, is: number(usual.rounds) },
        Target { name: "wall time / time of its rounds", at_most: 2.0, is: per_round },
    ]
}
