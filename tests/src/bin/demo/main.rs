//! The demo: three days of hourly backups of a kops cluster, by the binary that Lambda would run, on a local AWS.
//!
//! It checks what it shows: where something is not as promised it says what, and fails.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod answer;
mod hours;
mod points;
mod scene;
mod tally;
mod text;

use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use scenarios::{Function, LocalAws, RunningFunction, events};

use answer::Answer;
use hours::{Hours, RETENTION};
use scene::Scene;
use text::{heading, paragraph, promise};

/// Why the demo cannot go on, in a sentence.
type Demo<T = ()> = Result<T, String>;

#[tokio::main]
async fn main() -> ExitCode {
    // The harness reports by panicking. Where in it that was is of no use to who watches.
    panic::set_hook(Box::new(|why| eprintln!("\nThe demo failed: {}", why.payload_as_str().unwrap_or("a panic"))));
    match demo().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nThe demo failed: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn demo() -> Demo {
    let started = Instant::now();
    heading("A highly available kops cluster on a local AWS");
    paragraph("Starting the local AWS (moto) ...");
    let account = LocalAws::account();
    let hours = Hours::until_now()?;
    let scene = Scene::set(&account, hours.first()).await?;
    scene.show();

    heading("Three days of hourly backups");
    let function = start(&scene).await?;
    let tally = hours.run(&scene, &function).await?;

    heading("What there is now");
    points::show(scene.account, &function, &hours).await?;
    tally.show();
    println!();
    tally.check(&scene).await?;
    scene.check_others().await?;

    heading("The last event is delivered a second time");
    deliver_again(&scene, &function, &hours).await?;

    heading("Next");
    paragraph("make test   every promise, one by one, and what can go wrong");
    paragraph("README.md   how to deploy this, and how to restore from a recovery point");
    paragraph(&format!(
        "This took {:.0} s. All of it ran here; what was started is stopped.",
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// Starts the function's binary, which is built together with this one and beside it.
async fn start(scene: &Scene<'_>) -> Demo<RunningFunction> {
    let demo = std::env::current_exe().map_err(|error| error.to_string())?;
    let binary = demo.with_file_name("backup");
    if !binary.exists() {
        return Err(format!("there is no {}; run: make demo", binary.display()));
    }
    paragraph(
        "The binary `backup`, as it is deployed, runs under a Lambda runtime and gets the event that EventBridge sends \
         every hour. New snapshots stay pending for a while, as in EC2.",
    );
    paragraph(&format!("RETENTION={RETENTION}"));
    Ok(Function::at(binary).account(scene.account).env("RETENTION", RETENTION).start().await)
}

/// EventBridge delivers at least once, so a duplicate must do nothing.
async fn deliver_again(scene: &Scene<'_>, function: &RunningFunction, hours: &Hours) -> Demo {
    let before = scene.account.snapshots().await;
    let answer = function.invoke(events::scheduled(&hours.last().to_string())).await;
    let answer = Answer::read(answer.map_err(|error| error.to_string())?)?;
    let after = scene.account.snapshots().await;
    let existing = answer.count("existing");
    promise(
        existing == 6 && answer.members() == 6,
        &format!("{existing} of {} members already had their snapshot", answer.members()),
    )?;
    promise(answer.pruned.is_empty(), "nothing was pruned")?;
    promise(before == after, &format!("the {} snapshots of the account are the same, tags and all", after.len()))
}
