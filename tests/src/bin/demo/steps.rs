//! What `restore` lists, does and finds, as tables.

use jiff::SignedDuration;

use crate::Demo;
use crate::hours::minute;
use crate::restored::{Acceptance, ListedPoint, Restored, Step};
use crate::text::{item, paragraph, promise, quote, table};

/// Recovery points, as `list` has them.
pub(crate) fn points<'a>(points: impl IntoIterator<Item = &'a ListedPoint>) {
    let row = |point: &ListedPoint| {
        let skew = point.skew_ms.map_or("-".to_owned(), |skew| format!("{skew} ms"));
        let members: Vec<&str> = point.members.iter().map(|member| member.member.as_str()).collect();
        [minute(point.recovery_point), point.state.clone(), skew, members.join(", "), age(point.age_seconds)]
    };
    let rows: Vec<[String; 5]> = points.into_iter().map(row).collect();
    table(["point (UTC)", "state", "skew", "members", "age"], &rows);
    println!();
}

fn age(seconds: i64) -> String {
    let minutes = SignedDuration::from_secs(seconds).as_mins();
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// Which volume is, or was, made for which member, and from what.
pub(crate) fn members(result: &Restored) {
    let or_none = |volume: &Option<String>| volume.clone().unwrap_or_else(|| "none".to_owned());
    let members = result.members.iter();
    let rows: Vec<[String; 4]> = members
        .map(|one| [one.member.clone(), or_none(&one.old_volume), or_none(&one.new_volume), one.snapshot.clone()])
        .collect();
    table(["member", "old volume", "new volume", "made from snapshot"], &rows);
    println!();
}

/// The steps taken, and that the programs which will use the volumes find what they should.
pub(crate) fn taken(result: &Restored) -> Demo {
    table(["step", "volumes", "members", "state"], &rows(result));
    println!();
    let Acceptance { protokube, etcd_manager, kops } = &result.acceptance;
    let found = [("protokube", protokube), ("etcd-manager", etcd_manager), ("kops", kops)];
    table(["program", "acceptance"], &found.map(|(program, finds)| [program.to_owned(), finds.clone()]));
    println!();
    promise(found.iter().all(|(_, finds)| *finds == "ok"), "all three programs take these volumes for the members")
}

/// What the operator should know.
pub(crate) fn warnings(result: &Restored) {
    println!();
    paragraph("It warns:");
    for warning in &result.warnings {
        quote(warning, 6);
    }
}

/// One row for the members of a step that are alike.
fn rows(result: &Restored) -> Vec<[String; 4]> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for step in &result.steps {
        let member = step.member.as_deref().unwrap_or("all");
        let row = [step.name.clone(), generation(result, step).to_owned(), member.to_owned(), step.state.clone()];
        match rows.last_mut().filter(|last| (&last[..2], &last[3]) == (&row[..2], &row[3])) {
            Some(alike) => alike[2] = format!("{}, {}", alike[2], row[2]),
            None => rows.push(row),
        }
    }
    rows
}

/// Whether a step is about a new volume or an old one.
fn generation(result: &Restored, step: &Step) -> &'static str {
    let is = |volume: &Option<String>| volume.is_some() && *volume == step.volume;
    match result.members.iter().find(|one| is(&one.old_volume) || is(&one.new_volume)) {
        Some(one) if is(&one.new_volume) => "new",
        Some(_) => "old",
        None => "all",
    }
}

/// What the operator is to do, in order.
pub(crate) fn next(result: &Restored) {
    for (n, step) in (1..).zip(&result.next_steps) {
        item(&format!("{n}."), step);
    }
    println!();
}
