//! What hostile volumes take, at most. Memory: the most that a process has ever held, which examined nothing else. Time: how
//! long it is that nobody asks whether to go on, for as long it would run on past a deadline.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod db;
mod files;
#[path = "../volumes/image.rs"]
#[allow(dead_code, reason = "the other tests' own")]
mod image;
mod log;
mod on_disk;
mod volume;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use etcd_backup_disk::{Depth, Verdict, examine};
use on_disk::OnDisk;
use volume::Volume;

/// What an examination may take beside its blocks. The function has 1024 MB, of which 96 MiB are blocks.
const MOST: u64 = 192 << 20;
/// How long it may go on unasked. The function has 5 s from when it stops reading to its end; this is not optimised.
const LONGEST: Duration = Duration::from_secs(3);

const DB: &str = "var/etcd/data/member/snap/db";
const SNAP: &str = "var/etcd/data/member/snap/.snap";
const WAL: &str = "var/etcd/data/member/wal/.wal";

/// Where [`measured`] finds what it examines, and how deep it is to look.
const VOLUME: &str = "HOSTILE_VOLUME";
const DEEP: &str = "HOSTILE_DEEP";

/// Examines a volume at both depths: each verdict and a part of its reason, which show that what is hostile was read.
fn expect(what: &str, volume: Volume, expected: [(Verdict, &str); 2]) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{what}.img"));
    volume.write_to(&file);
    let volume = Arc::new(volume);
    for (depth, (verdict, reason)) in [Depth::Shallow, Depth::Deep].into_iter().zip(expected) {
        let examined = examine(volume.clone(), depth).expect("it can be read");
        let said = examined.reason.unwrap_or_default();
        assert_eq!(examined.verdict, verdict, "{what}, {depth:?}: {said}");
        assert!(said.contains(reason), "{what}, {depth:?}: {said}");
        let mut measuring = Command::new(std::env::current_exe().expect("this test"));
        measuring.args(["--exact", "measured", "--ignored", "--nocapture"]);
        measuring.env(VOLUME, &file).env(DEEP, (depth == Depth::Deep).to_string());
        assert!(measuring.status().expect("it runs").success(), "{what}, {depth:?}");
    }
    std::fs::remove_file(file).expect("no longer needed");
}

/// The most memory that this process has ever held, in bytes.
fn most_held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("in every status");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// In a process that has done nothing else: what was held before, and given back, would hide what is held now.
#[test]
#[ignore = "run by the tests of hostile volumes, each time by itself"]
fn measured() {
    let file = PathBuf::from(std::env::var_os(VOLUME).expect("said by the test that runs this one"));
    let depth = if std::env::var_os(DEEP).is_some_and(|deep| deep == "true") { Depth::Deep } else { Depth::Shallow };
    let volume = Arc::new(OnDisk::new(File::open(&file).expect("written before")));
    let before = most_held();
    examine(volume.clone(), depth).expect("it can be read");
    let taken = most_held() - before;
    let unasked = volume.longest_unasked();
    println!("{}, {depth:?}: {} MiB, {unasked:?} unasked", file.display(), taken >> 20);
    assert!(taken <= MOST, "{} MiB", taken >> 20);
    assert!(unasked <= LONGEST, "{unasked:?}");
}

#[test]
fn hostile_volumes_take_no_more_memory_than_that() {
    dbs();
    logs();
    file_systems();
}

fn dbs() {
    let overlap = (Verdict::Corrupt, "elements that overlap");
    let too_wide = (Verdict::Unsupported, "branches of more keys than are kept in memory");
    let sound = (Verdict::Ok, "");
    let with = |what: &str, make: fn(u64) -> Vec<u8>, expected| {
        let (mut volume, fixture) = Volume::new();
        let bytes = make(fixture.number("consistent_index").expect("known"));
        volume.fill(volume.inode(DB), &bytes);
        drop(bytes);
        expect(what, volume, expected);
    };
    with("values that overlap", db::values_that_overlap, [overlap; 2]);
    with("keys that overlap", db::keys_that_overlap, [overlap; 2]);
    with("wide branches", db::wide_branches, [sound, (Verdict::Corrupt, "keys that belong elsewhere")]);
    with("long keys", db::long_keys, [sound, too_wide]);
    with("longest pages", db::longest_pages, [sound; 2]);
    let too_long = (Verdict::Unsupported, "clusterVersion: 33554386 bytes, longer than are read");
    with("longest version", db::longest_version, [too_long; 2]);
}

fn logs() {
    let (mut volume, _) = Volume::new();
    volume.fill(volume.inode(WAL), &log::longest_records());
    expect("longest records", volume, [(Verdict::Corrupt, "the WAL ends at 1"); 2]);
    let (mut volume, fixture) = Volume::new();
    let term = fixture.number("raft_term").expect("known");
    let snap = volume.inode(SNAP);
    log::large_snap(&mut volume, snap, fixture.number("snap_index").expect("known"), term);
    expect("a large snap", volume, [(Verdict::Ok, ""); 2]);
}

fn file_systems() {
    let (mut volume, _) = Volume::new();
    let db = volume.inode(DB);
    files::journal_of_many_blocks(&mut volume, db);
    expect("a journal of many blocks", volume, [(Verdict::Degraded, "meta page 0: no magic"); 2]);
    for (with_commits, expected) in
        [(false, (Verdict::Unsupported, "a journal of more blocks than are kept in memory")), (true, (Verdict::Ok, ""))]
    {
        let (mut volume, _) = Volume::new();
        files::journal_of_revokes(&mut volume, with_commits);
        expect("a journal of revokes", volume, [expected; 2]);
    }
    let (mut volume, _) = Volume::new();
    for directory in ["var/etcd/data/member/wal", "var/etcd/data/member/snap"] {
        let directory = volume.inode(directory);
        files::large_directory(&mut volume, directory);
    }
    expect("large directories", volume, [(Verdict::Ok, ""); 2]);
    let (mut volume, _) = Volume::new();
    for file in [DB, WAL] {
        let file = volume.inode(file);
        files::many_extents(&mut volume, file);
    }
    expect("many extents", volume, [(Verdict::Ok, ""); 2]);
}
