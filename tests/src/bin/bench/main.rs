//! Benchmark: `bench backup target/release/backup`, `bench verify target/release/verify`.
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
mod measured;
mod verify;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let met = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["backup", binary] => backup::bench(binary).await,
        ["verify", binary] => verify::bench(binary).await,
        _ => Err("usage: bench backup|verify <path of the function's release binary>".to_owned()),
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
