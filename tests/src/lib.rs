//! The harness around the functions: a local AWS, kops clusters in it, and the real binaries under a Lambda runtime.
//!
//! ```ignore
//! let account = LocalAws::account();
//! let cluster = Kops::cluster("k8s.example.com").create(&account).await;
//! let backup = Function::named("backup").account(&account).start().await;
//!
//! account.fail_next("CreateSnapshot").on_volume(cluster.volume("main", "a")).losing_the_answer().await;
//! backup.invoke(events::scheduled("2026-11-23T02:00:00Z")).await.unwrap();
//!
//! assert_eq!(account.snapshots().await.len(), 6);
//! ```
//!
//! Nothing here looks into the product: it is used as AWS uses it, and what it did is read from AWS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a harness reports what went wrong by panicking: that is how a test fails"
)]

pub mod account;
pub mod bucket;
pub mod changes;
mod control;
pub mod disk;
pub mod events;
pub mod faults;
pub mod function;
pub mod history;
pub mod instances;
pub mod kops;
pub mod ledger;
pub mod local_aws;
pub mod observed;
pub mod raw;
pub mod stack;
pub mod stand_in;
pub mod tags;

pub use account::Account;
pub use changes::Which;
pub use disk::Disk;
pub use function::{Function, FunctionError, RunningFunction};
pub use kops::Kops;
pub use local_aws::LocalAws;
pub use raw::{RawSnapshot, RawVolume};
pub use stack::Stack;

/// The region of everything here.
pub const REGION: &str = "eu-central-1";
