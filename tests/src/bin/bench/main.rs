//! Benchmark: `bench backup target/release/backup`, and the same of `verify` and `export`.
//!
//! EC2 and EBS are a stand-in with a fixed latency, so that what is measured is the function: how many rounds of
//! dependent calls it needs, how far apart it snapshots the members of an etcd cluster, how fast it starts, what it
//! holds, what it reads of a volume.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints, and ends where its measurement makes no sense"
)]

mod backup;
mod export;
mod measured;
mod verify;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let met = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["backup", binary] => backup::bench(binary).await,
        ["verify", binary] => verify::bench(binary).await,
        ["export", binary] => export::bench(binary, None).await,
        ["export", binary, disk] => export::bench(binary, Some(disk)).await,
        _ => Err("usage: bench backup|verify|export <path of the function's release binary>".to_owned()),
    };
    match met {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
