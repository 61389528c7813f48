//! The proof: sets of real etcds' volumes, cloned at different moments while they were written to, go through backup,
//! verify and restore, and real etcds start on what restore made: as planned, and all at once.
//!
//! `prove TOOLS WORK [sets=N]`, as root, in namespaces of its own: `infra/prove/make` starts it so. It fails where a
//! set that was started as planned is not whole, or one that was judged safe in any order is not whole all at once.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod answer;
mod empty;
mod lab;
mod options;
mod point;
mod restored;
mod tally;
mod trial;

use std::error::Error;
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use scenarios::{Function, LocalAws};

use lab::{ClonedSet, Lab};
use options::Options;
use tally::{Tally, Tried};

/// The error says in a sentence why the proof cannot go on.
type Prove<T = ()> = Result<T, Box<dyn Error>>;

/// Writes a second, of all members together.
const RATES: [u32; 2] = [20, 200];
/// Seconds between the first and the last member's clone.
const SKEWS: [f64; 3] = [0.02, 2.0, 60.0];

#[tokio::main]
async fn main() -> ExitCode {
    // The harness reports by panicking. Where in it that was is of no use to who watches.
    panic::set_hook(Box::new(|why| eprintln!("\nThe proof failed: {}", why.payload_as_str().unwrap_or("a panic"))));
    match prove().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nThe proof failed: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn prove() -> Prove {
    let began = Instant::now();
    let options = Options::read(std::env::args().skip(1))?;
    let mut lab = Lab::open(&options.tools, &options.work)?;
    let mut tally = Tally::default();
    let mut last = None;
    for rate in RATES {
        let load = lab.load(rate, &SKEWS, options.sets).await?;
        println!(
            "\netcd {}, {:.0} writes a second through three members; {} sets",
            load.etcd,
            load.reached,
            load.sets.len()
        );
        for set in load.sets {
            let tried = tried(&mut lab, &set).await?;
            tried.print(&set);
            tally.add(rate, &set, tried);
            drop_images(&mut lab, last.replace(set)).await?;
        }
    }
    println!();
    tally.print();
    println!("\nOne member's snapshot is corrupt: the other two are restored, and it joins empty\n");
    empty::prove(&mut lab, &last.ok_or("there is no set")?).await?;
    println!("\nIt took {:.0} min.", began.elapsed().as_secs_f64() / 60.0);
    tally.verdict()
}

/// One set, both ways.
async fn tried(lab: &mut Lab, set: &ClonedSet) -> Prove<Tried> {
    let account = LocalAws::account();
    let planned = trial::as_planned(lab, &account, set).await?;
    account.forget_disks().await;
    let at_once = trial::at_once(lab, set).await?;
    Ok(Tried { planned, at_once })
}

/// The last one is kept, for the corrupt member.
async fn drop_images(lab: &mut Lab, set: Option<ClonedSet>) -> Prove {
    match set {
        Some(set) => lab.drop(&set).await,
        None => Ok(()),
    }
}

/// A function's binary, which is built together with this one and beside it.
fn binary(name: &str) -> Prove<Function> {
    let binary = std::env::current_exe()?.with_file_name(name);
    if !Path::new(&binary).exists() {
        return Err(format!("there is no {}; run: make prove", binary.display()).into());
    }
    Ok(Function::at(binary))
}
