//! What is read of the snapshots that there are, decided: from an event and what was observed to the snapshots to
//! examine, in which order; and from what was found in them to tags, answer, events and metrics.
//!
//! How a snapshot is read, and what makes it corrupt, is not decided here.

mod compare;
mod daily;
mod event;
mod failed;
mod findings;
mod metrics;
mod notified;
mod plan;
mod planner;
mod report;
mod request;
mod result;
mod settings;
#[cfg(test)]
mod tests;

pub use event::{Event, Notification, NotificationDetail};
pub use findings::{Examined, Findings};
pub use metrics::VerifyMetrics;
pub use plan::{Examination, Examinations, Observed, VerifyPlan};
pub use planner::plan;
pub use report::{VerifyReport, report};
pub use request::{At, Look, Request};
pub use result::{Answer, MemberReport, NothingResult, Outcome, Spread, SweepResult, VerifyResult};
pub use settings::{Reads, Settings};
