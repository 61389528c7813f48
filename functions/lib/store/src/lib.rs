//! etcd-manager's backup store, as far as a tool beside it must know it: where it is, what its folders and files are called,
//! what stands in them, and what a backup is made of.
//!
//! Checked against etcd-manager v3.0.20260707: `pkg/backup` (layout, meta), `pkg/commands` (commands), `pkg/backupcontroller`
//! (cleanup) and what the program did with each file.
//!
//! Nothing else in this project knows any of it.

mod file;
mod layout;
mod location;
mod name;
mod protobuf_json;
mod version;

pub use file::{Read, ReadError, Writer, Written, read};
pub use layout::{Listing, Object};
pub use location::{InvalidLocation, Place, Template};
pub use name::{Cleanup, InvalidName, Made, Name};
pub use protobuf_json::{ClusterSpec, Malformed, Meta, restore_command};
pub use version::{Runs, label, runs};
