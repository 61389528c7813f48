//! `export`: a database of 450 MB, read, judged, compressed and sent; against the longest of these alone.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use scenarios::Function;
use scenarios::disk::LargeDisk;
use scenarios::stand_in::{Fleet, StandIn};
use serde_json::json;

use crate::measured::{Measured, Target, milliseconds, number, print_targets};

/// What EBS takes for a block within its region, and S3 for a part, about.
const LATENCY: Duration = Duration::from_millis(20);
/// The time an invocation has: Lambda's longest.
const DEADLINE: Duration = Duration::from_mins(15);
/// Its first snapshot is the one that is read.
const SLOT: &str = "2026-11-23T03:00:00Z";
const SNAPSHOT: &str = "snap-00000000000000001";
const STORE: &str = "s3://backups/{cluster}/backups/etcd/{etcd_cluster}";
/// `CONCURRENCY`, and the parts that are sent at once.
const BLOCKS_AT_ONCE: u32 = 16;
const PARTS_AT_ONCE: u32 = 4;
const RUNS: usize = 3;
const MIB: f64 = 1024.0 * 1024.0;

/// Says whether all targets are met. `disk`: another one than the repository's.
pub(crate) async fn bench(binary: &str, disk: Option<&str>) -> Result<bool, String> {
    let disk = disk.map_or_else(|| LargeDisk::fixture("large-3.5"), LargeDisk::at);
    println!(
        "export: the db of a snapshot; every call of EBS and S3 is answered {} ms after its arrival.\n",
        LATENCY.as_millis()
    );
    let (mut runs, mut answer) = (Vec::new(), json!(null));
    for _ in 0..RUNS {
        let (measured, said) = run(binary, &disk).await?;
        runs.push(measured);
        answer = said;
    }
    let measured = Measured::summary(runs);
    let mib = |bytes: &str| answer[bytes].as_f64().unwrap_or_default() / MIB;
    let (db, packed) = (mib("db_bytes"), mib("bytes"));
    let rounds = |calls: usize, at_once: u32| LATENCY.mul_f64((number(calls) / f64::from(at_once)).ceil());
    let reading = rounds(measured.count("GetSnapshotBlock"), BLOCKS_AT_ONCE);
    let sending = rounds(measured.count("UploadPart"), PARTS_AT_ONCE);
    let compressing = compressing(&disk, db)?;
    println!("{:<26}{:>10}{:>10}", "", "ms", "MiB/s");
    for (name, took) in [
        ("reading alone", reading),
        ("compressing alone", compressing),
        ("sending alone", sending),
        ("export", measured.wall),
    ] {
        println!("{name:<26}{:>10.0}{:>10.0}", milliseconds(took), db / took.as_secs_f64());
    }
    println!("db {db:.0} MiB, compressed {packed:.0} MiB, peak memory {:.1} MiB", measured.peak_mib);
    measured.print_calls();
    let longest = reading.max(compressing).max(sending);
    Ok(print_targets(&[
        Target { name: "peak memory, MiB", at_most: 256.0, is: measured.peak_mib },
        Target {
            name: "per cent of the longest alone",
            at_most: 130.0,
            is: 100.0 * measured.wall.div_duration_f64(longest),
        },
    ]))
}

async fn run(binary: &str, disk: &LargeDisk) -> Result<(Measured, serde_json::Value), String> {
    let fleet = Fleet::of_clusters(1).with_hours_before(SLOT, 1);
    let aws = StandIn::serve_disk(fleet, disk, LATENCY).await;
    let function = Function::at(binary).endpoint(aws.url(), "111122223333").env("EVENT_BUS", "").env("STORE", STORE);
    let function = function.env("CONCURRENCY", &BLOCKS_AT_ONCE.to_string()).start().await;
    let answer = function.invoke_within(DEADLINE, json!({"snapshot": SNAPSHOT, "allow_degraded": true})).await;
    let answer = answer.map_err(|error| format!("{error}\n{}", function.logs().join("\n")))?;
    if answer["revision"] != disk.truth["revision"] {
        return Err(format!("the revision is {}, and it says {}", disk.truth["revision"], answer["revision"]));
    }
    Ok((Measured::of(&function, &aws.arrivals(), LATENCY)?, answer))
}

/// The same level, over as many bytes of the same disk.
fn compressing(disk: &LargeDisk, mib: f64) -> Result<Duration, String> {
    let mut gzip = GzEncoder::new(std::io::sink(), Compression::new(1));
    let (started, mut done) = (Instant::now(), 0.0);
    for block in disk.blocks.values() {
        if done >= mib {
            break;
        }
        gzip.write_all(block).map_err(|error| error.to_string())?;
        done += 0.5;
    }
    gzip.finish().map_err(|error| error.to_string())?;
    Ok(started.elapsed().mul_f64(mib / done))
}
