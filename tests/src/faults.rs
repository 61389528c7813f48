//! What goes wrong: rules under the calls of one account.
//!
//! A rule is armed by awaiting it:
//! `account.fail_next("CreateSnapshot").on_volume(id).with("RequestLimitExceeded", 503).times(2).await`.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Account;

/// A rule: which calls it is for, and what happens to them.
#[must_use = "a fault is armed by awaiting it"]
pub struct Fault<'a> {
    account: &'a Account,
    action: String,
    fields: Map<String, Value>,
    contains: Option<String>,
    skip: u32,
    times: Option<u32>,
    effect: Value,
}

impl Account {
    /// The next call of the action fails; with `InternalError` and nothing done, unless said otherwise.
    pub fn fail_next(&self, action: &str) -> Fault<'_> {
        Fault {
            account: self,
            action: action.to_owned(),
            fields: Map::new(),
            contains: None,
            skip: 0,
            times: Some(1),
            effect: error("InternalError", "An internal error has occurred", 500),
        }
    }

    /// [`fail_next`](Self::fail_next), where what happens is not a failure: a delay, an answer that comes late.
    pub fn on_next(&self, action: &str) -> Fault<'_> {
        self.fail_next(action)
    }

    /// Whatever else comes from the process with this session token never arrives.
    pub(crate) async fn lose_all_of(&self, session_token: &str) {
        self.control.post("killed", &json!({ "session_token": session_token })).await;
    }

    /// Takes every rule away.
    pub async fn clear_faults(&self) {
        self.control.delete("faults").await;
    }
}

impl Fault<'_> {
    /// Only calls about this volume.
    pub fn on_volume(self, id: &str) -> Self {
        self.on("VolumeId", id)
    }

    /// Only calls about this snapshot.
    pub fn on_snapshot(self, id: &str) -> Self {
        self.on("SnapshotId", id)
    }

    /// Only calls with this field, named as on the wire.
    pub fn on(mut self, param: &str, value: &str) -> Self {
        self.fields.insert(param.to_owned(), value.into());
        self
    }

    /// Lets this many matching calls pass first.
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Happens to this many matching calls.
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Happens to every matching call.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// EC2 refuses with this code and HTTP status, and does nothing.
    pub fn with(self, code: &str, status: u16) -> Self {
        self.saying(code, &format!("{code}, as the scenario has it"), status)
    }

    /// EC2 refuses with this code, message and HTTP status, and does nothing.
    pub fn saying(mut self, code: &str, message: &str, status: u16) -> Self {
        self.effect = error(code, message, status);
        self
    }

    /// That refusal has this reason: EBS's direct APIs give one.
    pub fn because(mut self, reason: &str) -> Self {
        self.effect["error"]["reason"] = reason.into();
        self
    }

    /// EC2 does it; then the connection breaks.
    pub fn losing_the_answer(mut self) -> Self {
        self.effect = json!({ "lost": "connection" });
        self
    }

    /// EC2 does it, yet answers with status 500.
    pub fn done_but_answered_500(mut self) -> Self {
        self.effect = json!({ "lost": "500" });
        self
    }

    /// The connection breaks before EC2 does anything.
    pub fn losing_the_request(mut self) -> Self {
        self.effect = json!({ "dropped": true });
        self
    }

    /// EC2 does it at once and answers this much later.
    pub fn answered_after(mut self, delay: Duration) -> Self {
        self.effect = json!({ "delay_ms": delay.as_millis(), "when": "after" });
        self
    }

    /// EC2 does it only this much later, and answers then: a call that hung on its way.
    pub fn done_after(mut self, delay: Duration) -> Self {
        self.effect = json!({ "delay_ms": delay.as_millis(), "when": "before" });
        self
    }

    /// EC2 does it and the answer is lost; what was made can only be seen this much later.
    pub fn seen_only_after(mut self, delay: Duration) -> Self {
        self.effect = json!({ "late": { "seconds": delay.as_secs_f64() } });
        self
    }

    fn rule(&self) -> Value {
        let mut rule = json!({ "action": self.action, "skip": self.skip, "times": self.times, "effect": self.effect });
        if !self.fields.is_empty() {
            rule["where"] = self.fields.clone().into();
        }
        if let Some(text) = &self.contains {
            rule["contains"] = text.as_str().into();
        }
        rule
    }
}

impl<'a> IntoFuture for Fault<'a> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.account.control.post("faults", &self.rule()).await;
        })
    }
}

fn error(code: &str, message: &str, status: u16) -> Value {
    json!({ "error": { "code": code, "message": message, "status": status } })
}
