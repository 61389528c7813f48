//! Says whether an etcd could start from a volume, by reading its blocks and nothing else.
//!
//! [`examine()`] goes from the outside in: the file system ([`files`]: ext4, its journal replayed in memory), the data
//! directory, bbolt, the WAL and the `.snap` files, and then the rules between them. It never says that all data is
//! intact, for nobody could: it says *structurally restorable*, and from which revision.
//!
//! Invariants:
//! - Only what is on the disk is judged: a source that fails is [`Unreadable`], never a corrupt disk.
//! - What these readers do not know is `unsupported`, never corrupt.
//! - The disk is not trusted: every size that it names is held against a bound before memory is reserved, every loop
//!   ends, each page and block is visited a bounded number of times.
//! - Nothing here has a clock, an environment or a network.

mod after_start;
mod bbolt;
mod blocks;
mod data_dir;
mod database;
mod examine;
mod examined;
mod fault;
pub mod files;
mod findings;
#[cfg(test)]
mod hostile;
mod log;
mod protobuf;
mod rules;
mod snap;
mod start;
mod store;
#[cfg(test)]
mod tests;
mod version;
mod wal;

pub use blocks::{Blocks, Unreadable};
pub use database::{Database, DbFacts, DbStream};
pub use examine::{examine, mount_and_examine};
pub use examined::{Depth, EtcdMember, Examined, Verdict};
