//! A snapshot, read without a volume or an instance: its blocks as a disk, and what an examination of it found.

mod findings;
mod source;

pub use findings::findings;
pub use source::{Bounds, Source};
