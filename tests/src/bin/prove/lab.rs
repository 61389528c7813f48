//! The real etcds on loop mounts: `infra/prove/lab.py`, which gets an order a line and answers each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Prove;

/// It stops all that it started when its standard input closes.
pub(crate) struct Lab {
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// A run of three members that were written to.
#[derive(Debug, Deserialize)]
pub(crate) struct Load {
    /// etcd's version.
    pub(crate) etcd: String,
    /// Acknowledged writes a second.
    pub(crate) reached: f64,
    pub(crate) sets: Vec<ClonedSet>,
}

/// Clones of the members' volumes.
#[derive(Debug, Deserialize)]
pub(crate) struct ClonedSet {
    /// Seconds between the first and the last clone, as they should be.
    pub(crate) skew: f64,
    /// By member: how many seconds after the first one its clone was taken.
    pub(crate) after: BTreeMap<String, f64>,
    pub(crate) images: BTreeMap<String, PathBuf>,
    /// The greatest revision that had been acknowledged before the first clone.
    pub(crate) acknowledged: i64,
}

impl ClonedSet {
    /// Seconds between the first and the last clone, as they were.
    pub(crate) fn apart(&self) -> f64 {
        self.after.values().copied().fold(0.0, f64::max)
    }

    /// In the order of their clones.
    pub(crate) fn order(&self) -> Vec<&str> {
        let mut members: Vec<(&String, &f64)> = self.after.iter().collect();
        members.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        members.into_iter().map(|(member, _)| member.as_str()).collect()
    }
}

/// Started members that were written to and compared.
#[derive(Debug, Deserialize)]
pub(crate) struct Compared {
    /// Where they were when they started.
    pub(crate) revision: i64,
    /// Why they are not one sound etcd, if so.
    pub(crate) wrong: Option<String>,
}

impl Lab {
    pub(crate) fn open(tools: &Path, work: &Path) -> Prove<Self> {
        let mut process = Command::new("python3")
            .arg("infra/prove/lab.py")
            .args([tools, work])
            .env("PYTHONPATH", "infra/fixtures")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = process.stdin.take().ok_or("the lab has no standard input")?;
        let stdout = process.stdout.take().ok_or("the lab has no standard output")?;
        Ok(Self { stdin, answers: BufReader::new(stdout).lines(), _process: process })
    }

    pub(crate) async fn load(&mut self, rate: u32, skews: &[f64], sets: u32) -> Prove<Load> {
        self.ask(json!({"do": "load", "rate": rate, "skews": skews, "sets": sets})).await
    }

    /// Starts members, each on a fresh clone of its image.
    pub(crate) async fn start(&mut self, images: &BTreeMap<String, PathBuf>) -> Prove {
        self.ask(json!({"do": "start", "images": images})).await
    }

    /// The members that are not healthy after at most so many seconds.
    pub(crate) async fn unhealthy(&mut self, seconds: u32) -> Prove<Vec<String>> {
        self.ask(json!({"do": "unhealthy", "seconds": seconds})).await
    }

    /// Writes through each member and compares what all hold, within so many seconds.
    pub(crate) async fn compare(&mut self, seconds: u32) -> Prove<Compared> {
        self.ask(json!({"do": "compare", "seconds": seconds})).await
    }

    /// A member is removed, added, and joins on a blank volume.
    pub(crate) async fn join(&mut self, member: &str) -> Prove {
        self.ask(json!({"do": "join", "member": member})).await
    }

    /// Ends every member.
    pub(crate) async fn stop(&mut self) -> Prove {
        self.ask(json!({"do": "stop"})).await
    }

    pub(crate) async fn drop(&mut self, set: &ClonedSet) -> Prove {
        self.ask(json!({"do": "drop", "images": set.images.values().collect::<Vec<_>>()})).await
    }

    async fn ask<T: DeserializeOwned>(&mut self, order: Value) -> Prove<T> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Answer {
            Done(Value),
            Failed(String),
        }
        self.stdin.write_all(format!("{order}\n").as_bytes()).await?;
        let line = self.answers.next_line().await?.ok_or("the lab has ended")?;
        match serde_json::from_str(&line)? {
            Answer::Done(done) => Ok(serde_json::from_value(done)?),
            Answer::Failed(why) => Err(format!("{order}: {why}").into()),
        }
    }
}
