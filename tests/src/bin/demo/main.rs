//! The demo: three days of hourly backups of a kops cluster, what is read in snapshots, and two restores, by the binaries
//! that Lambda would run, on a local AWS.
//!
//! It checks what it shows: where something is not as promised it says what, and fails.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod answer;
mod hours;
mod lost;
mod made;
mod points;
mod positions;
mod restored;
mod rollback;
mod scene;
mod steps;
mod tally;
mod text;
mod verified;

use std::error::Error;
use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use scenarios::{Function, LocalAws, RunningFunction, events};

use answer::{Answer, read};
use hours::{Hours, RETENTION};
use scene::Scene;
use text::{heading, paragraph, promise};

/// The error says in a sentence why the demo cannot go on.
type Demo<T = ()> = Result<T, Box<dyn Error>>;

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
    let mut scene = Scene::set(&account, hours.first()).await?;
    println!();
    scene.show();

    backups(&scene, &hours).await?;

    heading("Is there an etcd in a snapshot?");
    verified::show().await?;

    restores(&mut scene, &hours).await?;

    println!();
    paragraph(&format!(
        "All of it was as promised. It took {:.0} s, and what it started ends with it.",
        started.elapsed().as_secs_f64()
    ));

    heading("Next");
    paragraph("make test    each promise by itself, and everything that can go wrong");
    paragraph("make bench   how fast backup and verify are, and how little memory they take");
    paragraph("README.md    what is promised, the settings, and where to read on");
    Ok(())
}

async fn backups(scene: &Scene<'_>, hours: &Hours) -> Demo {
    heading("Three days of hourly backups");
    paragraph(
        "The function's own binary runs under a Lambda runtime and gets, for each of 72 hours, the event that \
         EventBridge sends. New snapshots stay pending until the next hour, as they may in EC2.",
    );
    paragraph(&format!("RETENTION={RETENTION}"));
    let function = binary("backup")?.account(scene.account).env("RETENTION", RETENTION).start().await;
    let tally = hours.run(scene, &function).await?;

    heading("What there is now");
    points::show(scene.account, &function, hours).await?;
    tally.show();
    println!();
    tally.check(scene).await?;
    scene.check_others().await?;

    heading("The last event is delivered a second time");
    deliver_again(scene, &function, hours).await
}

async fn restores(scene: &mut Scene<'_>, hours: &Hours) -> Demo {
    // From here on EC2's times are the real ones.
    scene.account.real_clock().await;
    let restore = binary("restore")?.account(scene.account).start().await;

    heading("All three volumes of etcd main are lost");
    lost::show(scene, &restore).await?;

    heading("etcd events is rolled back, and that is undone");
    rollback::show(scene, &restore, hours).await
}

/// A function's binary, which is built together with this one and beside it.
fn binary(name: &str) -> Demo<Function> {
    let binary = std::env::current_exe()?.with_file_name(name);
    if !binary.exists() {
        return Err(format!("there is no {}; run: make demo", binary.display()).into());
    }
    Ok(Function::at(binary))
}

/// EventBridge delivers at least once, so a duplicate must do nothing.
async fn deliver_again(scene: &Scene<'_>, function: &RunningFunction, hours: &Hours) -> Demo {
    let before = scene.account.snapshots().await;
    let answer: Answer = read(function.invoke(events::scheduled(&hours.last().to_string())).await?)?;
    let after = scene.account.snapshots().await;
    let existing = answer.count("existing");
    promise(
        existing == 6 && answer.members() == 6,
        &format!("{existing} of {} members already had their snapshot", answer.members()),
    )?;
    promise(answer.pruned.is_empty(), "nothing was pruned")?;
    promise(before == after, &format!("the {} snapshots of the account are the same, tags and all", after.len()))
}
