//! What is measured of an invocation, whatever the function.

use std::collections::BTreeMap;
use std::time::Duration;

use scenarios::RunningFunction;
use scenarios::stand_in::Arrival;

/// One run, or the summary of several: the median wall time and the worst of everything else.
#[derive(Clone)]
pub(crate) struct Measured {
    pub(crate) wall: Duration,
    pub(crate) rounds: usize,
    pub(crate) init: Duration,
    pub(crate) peak_mib: f64,
    pub(crate) calls: BTreeMap<String, usize>,
}

impl Measured {
    /// Of a function that has answered one invocation.
    pub(crate) fn of(function: &RunningFunction, arrivals: &[Arrival], latency: Duration) -> Result<Self, String> {
        let mut calls = BTreeMap::new();
        for arrival in arrivals {
            *calls.entry(arrival.action.clone()).or_insert(0) += 1;
        }
        let peak = function.peak_memory().ok_or("no /proc, so no peak memory")?;
        let peak_kib = u32::try_from(peak / 1024).map_err(|_| format!("a peak memory of {peak} bytes"))?;
        Ok(Self {
            wall: function.run_time(),
            rounds: rounds(arrivals, latency),
            init: function.init_time(),
            peak_mib: f64::from(peak_kib) / 1024.0,
            calls,
        })
    }

    pub(crate) fn summary(mut runs: Vec<Self>) -> Self {
        runs.sort_by_key(|run| run.wall);
        let median = runs[runs.len() / 2].clone();
        runs.into_iter().fold(median, |worst, run| Self {
            rounds: worst.rounds.max(run.rounds),
            init: worst.init.max(run.init),
            peak_mib: worst.peak_mib.max(run.peak_mib),
            ..worst
        })
    }

    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls.get(action).copied().unwrap_or_default()
    }

    pub(crate) fn print_calls(&self) {
        let calls: Vec<String> = self.calls.iter().map(|(action, count)| format!("{action} {count}")).collect();
        println!("  {}", calls.join(", "));
    }
}

/// Rounds of dependent calls: a call is in the round after the latest of those that were answered before it came.
fn rounds(arrivals: &[Arrival], latency: Duration) -> usize {
    let mut rounds: Vec<usize> = Vec::new();
    for arrival in arrivals {
        let answered = arrivals.iter().zip(&rounds).filter(|(earlier, _)| earlier.at + latency <= arrival.at);
        rounds.push(1 + answered.map(|(_, round)| *round).max().unwrap_or_default());
    }
    rounds.into_iter().max().unwrap_or_default()
}

/// A limit, and what is to keep to it.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) at_most: f64,
    pub(crate) is: f64,
}

/// Says whether all targets are met.
pub(crate) fn print_targets(targets: &[Target]) -> bool {
    println!("\n{:<44}{:>10}{:>10}", "target", "at most", "is");
    for Target { name, at_most, is } in targets {
        let verdict = if is <= at_most { "ok" } else { "missed" };
        println!("{name:<44}{at_most:>10.0}{is:>10.1}  {verdict}");
    }
    println!();
    targets.iter().all(|target| target.is <= target.at_most)
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
