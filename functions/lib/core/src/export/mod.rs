//! Copies of snapshots' dbs in etcd-manager's backup store, decided: which snapshot an export is made of and whether it may
//! be, what the store and the recovery points have to offer, whether a backup may be restored, and how old the newest is.
//!
//! How the store is laid out is not known here, nor how a db is read.

mod accept;
mod backup;
mod choose;
mod due;
mod event;
mod judge;
mod list;
mod next_steps;
mod request;
mod restore;
mod result;
#[cfg(test)]
mod tests;
mod watch;

pub use backup::{Backup, Control, Maker, Store};
pub use choose::{Candidate, Choice, Observed, choose};
pub use due::has_due;
pub use event::{Event, Mode};
pub use judge::{judge, needs, speaks_of_one_member};
pub use list::{ListResult, Listed, ListedBackup, ListedPoint, list};
pub use request::{At, ExportRequest, Exports, Request, Settings, What};
pub use restore::{RestoreAnswer, RestorePlan, Soundness, plan_restore};
pub use result::{ExportResult, Exported, report};
pub use watch::{ContentsDue, WatchReport, WatchResult, WatchedStore, watch};
