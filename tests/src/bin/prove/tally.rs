//! What became of all sets, by rate and skew.

use std::fmt::Display;

use crate::Prove;
use crate::lab::ClonedSet;
use crate::trial::{End, Planned};

/// One set, both ways.
pub(crate) struct Tried {
    pub(crate) planned: Planned,
    pub(crate) at_once: End,
}

impl Tried {
    pub(crate) fn print(&self, set: &ClonedSet) {
        let stages: Vec<String> = self.planned.set.order.iter().map(|stage| stage.join(",")).collect();
        let planned = if self.planned.set.any_order { "any order".to_owned() } else { stages.join(" then ") };
        println!(
            "   cloned {} within {:>6.3} s  at once: {:<20} {:<12} {}, {:.1} s",
            set.order().join(" "),
            set.apart(),
            self.at_once.to_string(),
            format!("{planned}:"),
            self.planned.end,
            self.planned.took.as_secs_f64(),
        );
    }
}

impl Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Padded as a whole.
            Self::Whole { revision } => f.pad(&format!("whole at {revision}")),
            Self::Broken(why) => f.pad(why),
        }
    }
}

/// The sets of one rate and skew.
struct Row {
    rate: u32,
    skew: f64,
    apart: Vec<f64>,
    tried: Vec<Tried>,
}

#[derive(Default)]
pub(crate) struct Tally(Vec<Row>);

impl Tally {
    pub(crate) fn add(&mut self, rate: u32, set: &ClonedSet, tried: Tried) {
        let is_same = |row: &&mut Row| row.rate == rate && row.skew.total_cmp(&set.skew).is_eq();
        match self.0.iter_mut().find(is_same) {
            Some(row) => {
                row.apart.push(set.apart());
                row.tried.push(tried);
            }
            None => self.0.push(Row { rate, skew: set.skew, apart: vec![set.apart()], tried: vec![tried] }),
        }
    }

    pub(crate) fn print(&self) {
        println!("                      all at once   as planned   judged safe in any order   apply to");
        println!("writes/s  apart       whole         whole        of these whole at once     healthy");
        for row in &self.0 {
            let any_order = || row.tried.iter().filter(|tried| tried.planned.set.any_order);
            println!(
                "{:<10}{:<12}{:<14}{:<13}{:<27}{}",
                row.rate,
                format!("{:.2} s", median(&row.apart)),
                whole(row.tried.iter().map(|tried| &tried.at_once)),
                whole(row.tried.iter().map(|tried| &tried.planned.end)),
                whole(any_order().map(|tried| &tried.at_once)),
                format_args!("{:.1} s", median(&row.seconds())),
            );
        }
        println!(
            "\nApart and apply to healthy are medians. While etcd starts in stages, the volumes of the first one must"
        );
        println!("also have been attached for a minute: that is not counted.");
    }

    /// Fails where the judgement of a set did not hold.
    pub(crate) fn verdict(&self) -> Prove {
        let all = || self.0.iter().flat_map(|row| &row.tried);
        let broken = all().filter(|tried| !tried.planned.end.is_whole()).count();
        let misjudged = all().filter(|tried| tried.planned.set.any_order && !tried.at_once.is_whole()).count();
        if broken + misjudged > 0 {
            let sets = all().count();
            return Err(format!(
                "of {sets} sets, {broken} were not whole as planned, and {misjudged} were judged safe in any order and \
                 were not whole all at once"
            )
            .into());
        }
        println!("Every set was whole as planned, and every one that was judged safe in any order also all at once.");
        Ok(())
    }
}

impl Row {
    fn seconds(&self) -> Vec<f64> {
        self.tried.iter().map(|tried| tried.planned.took.as_secs_f64()).collect()
    }
}

fn whole<'a>(ends: impl Iterator<Item = &'a End>) -> String {
    let ends: Vec<bool> = ends.map(End::is_whole).collect();
    format!("{} of {}", ends.iter().filter(|is_whole| **is_whole).count(), ends.len())
}

/// The greater of the two in the middle, of an even number.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
