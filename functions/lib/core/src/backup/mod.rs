//! A backup run, decided: from what was observed, the request and `now` to a plan, and from its outcome to a report.

mod discovery;
mod finding;
mod metrics;
mod plan;
mod planner;
mod prune;
mod report;
mod request;
mod result;
mod seen;
mod slot_has;
mod snapshot_tags;
#[cfg(test)]
pub(crate) mod tests;

pub use finding::Finding;
pub use metrics::EtcdClusterMetrics;
pub use plan::{BackupPlan, EtcdClusterPlan, MemberPlan, NewSnapshot, Observed, Step, Taken};
pub use planner::plan;
pub use prune::{Deletion, PlannedPoint, PrunePlan, PruneReason};
pub use report::{DeletionOutcome, EtcdClusterOutcome, MemberOutcome, Report, cause, report, report_unobserved};
pub use request::{Request, Settings, Trigger};
pub use result::{Action, BackupResult, KeptPoint, MemberReport, Outcome, PointReport, PrunedReport};
