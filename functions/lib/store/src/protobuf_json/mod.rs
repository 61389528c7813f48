//! The files that are JSON of protobuf messages, as etcd-manager writes and reads them (`pkg/apis/etcd`, protojson).
//!
//! It writes with two spaces of indentation and no newline at the end, leaves away what is empty or 0, and 64-bit numbers are
//! strings. Some builds of it set a second space after each colon, since protojson does not want its output to be compared:
//! so what is written here is one of two forms, and never compared.

mod cluster_spec;
mod command;
mod malformed;
mod message;
mod meta;

pub use cluster_spec::ClusterSpec;
pub use command::restore_command;
pub use malformed::Malformed;
pub use meta::Meta;
