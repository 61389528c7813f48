//! Volumes of a real etcd: sound, damaged and hostile.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod damage;
mod deadline;
mod etcdutl;
mod fixtures;
mod hostile;
mod image;
mod journal;
mod rounds;
mod sets;
mod source;
mod stream;
mod versions;
mod volume;
