//! How the function is set up.

use crate::scope::ClusterSet;

/// How the function is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `CLUSTERS`.
    pub clusters: ClusterSet,
    /// `VERIFY`.
    pub reads: Reads,
}

/// What is read without being asked for by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Every point.
    All,
    /// Of each etcd cluster the first complete point of the day, in UTC.
    Daily,
    /// Nothing.
    Off,
}
