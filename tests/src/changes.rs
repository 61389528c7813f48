//! Changes that EC2 makes by itself, or that a test needs to be made behind its back: states, times, owners.
//!
//! A change is made by awaiting it, and gives the ids that it changed:
//! `account.change_snapshots(id).state("error").await`.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde_json::{Map, Value, json};

use crate::Account;
use crate::tags::Tags;

/// Which snapshots or volumes to change.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Ids(Vec<String>),
    /// Those in this state.
    InState(String),
}

impl From<&str> for Which {
    fn from(id: &str) -> Self {
        Self::Ids(vec![id.to_owned()])
    }
}

impl From<&String> for Which {
    fn from(id: &String) -> Self {
        Self::from(id.as_str())
    }
}

impl From<Vec<String>> for Which {
    fn from(ids: Vec<String>) -> Self {
        Self::Ids(ids)
    }
}

impl Which {
    fn selection(&self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Ids(ids) => ("ids", json!(ids)),
            Self::InState(state) => ("where", json!({ "state": state })),
        };
        Map::from_iter([(name.to_owned(), value)])
    }
}

/// A change to come.
#[must_use = "a change is made by awaiting it"]
pub struct Change<'a> {
    account: &'a Account,
    collection: &'static str,
    which: Which,
    set: Map<String, Value>,
}

impl Account {
    /// Changes snapshots.
    pub fn change_snapshots(&self, which: impl Into<Which>) -> Change<'_> {
        Change { account: self, collection: "snapshots", which: which.into(), set: Map::new() }
    }

    /// Changes volumes.
    pub fn change_volumes(&self, which: impl Into<Which>) -> Change<'_> {
        Change { account: self, collection: "volumes", which: which.into(), set: Map::new() }
    }

    /// Every pending snapshot is completed.
    pub async fn settle_snapshots(&self) -> Vec<String> {
        self.change_snapshots(Which::InState("pending".into())).state("completed").await
    }

    /// Every volume that is being created can be used.
    pub async fn settle_volumes(&self) -> Vec<String> {
        self.change_volumes(Which::InState("creating".into())).state("available").await
    }

    /// Changes instances: their tags, as AWS itself plants them.
    pub fn change_instances(&self, which: impl Into<Which>) -> Change<'_> {
        Change { account: self, collection: "instances", which: which.into(), set: Map::new() }
    }

    /// The snapshot has these tags and no others, `aws:` ones allowed.
    pub async fn set_snapshot_tags(&self, id: &str, tags: &Tags) {
        self.control.put(&format!("snapshots/{id}/tags"), &json!(tags)).await;
    }
}

impl Change<'_> {
    /// E.g. `completed`, `error`; `available`, `in-use`.
    pub fn state(self, state: &str) -> Self {
        self.set("state", state)
    }

    /// When the snapshot was started, RFC 3339.
    pub fn start_time(self, time: &str) -> Self {
        self.set("start_time", time)
    }

    /// Why the snapshot is in its state.
    pub fn state_message(self, message: &str) -> Self {
        self.set("state_message", message)
    }

    /// When the volume was created, RFC 3339.
    pub fn create_time(self, time: &str) -> Self {
        self.set("create_time", time)
    }

    /// The snapshot's tier: `standard` or `archive`.
    pub fn storage_tier(self, tier: &str) -> Self {
        self.set("storage_tier", tier)
    }

    /// The volume's or snapshot's encryption.
    pub fn encrypted_with(self, kms_key: &str) -> Self {
        self.set("encrypted", true).set("kms_key_id", kms_key)
    }

    /// The snapshot's blocks are not encrypted.
    pub fn unencrypted(self) -> Self {
        self.set("encrypted", false).set("kms_key_id", Value::Null)
    }

    /// Adds tags, `aws:` ones allowed.
    pub fn tags(self, tags: &Tags) -> Self {
        self.set("tags", json!(tags))
    }

    fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set.insert(name.to_owned(), value.into());
        self
    }
}

impl<'a> IntoFuture for Change<'a> {
    type Output = Vec<String>;
    type IntoFuture = Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut body = self.which.selection();
            body.insert("set".to_owned(), self.set.into());
            let answer = self.account.control.patch(self.collection, &body.into()).await;
            ids(&answer["changed"])
        })
    }
}

pub(crate) fn ids(list: &Value) -> Vec<String> {
    let Value::Array(ids) = list else { panic!("not a list of ids: {list}") };
    ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}
