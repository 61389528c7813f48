//! One AWS account of the local AWS: how it behaves, and what was called in it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::REGION;
use crate::control::Control;
use crate::observed::{Call, Event};

/// An account, isolated from all others: its access key id is its account id, and that is how they are told apart.
pub struct Account {
    id: String,
    url: String,
    ec2: Client,
    ebs: aws_sdk_ebs::Client,
    settings: Mutex<Settings>,
    pub(crate) control: Control,
}

/// How the account differs from an EC2 that is always quick, settled and short of words.
#[derive(Clone, Default, Serialize)]
struct Settings {
    page_size: Option<u32>,
    pending_snapshots: bool,
    creating_volumes: bool,
    damaged_blocks: u32,
    short_blocks: u32,
}

impl Account {
    pub(crate) fn new(url: &str, id: &str) -> Self {
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(id, "local", None, None, "scenarios"))
            .endpoint_url(url)
            // What a test sets up either works or fails it: a retry would hide a fault meant for the function.
            .retry_config(RetryConfig::disabled())
            .build();
        let ebs = aws_sdk_ebs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(id, "local", None, None, "scenarios"))
            .endpoint_url(url)
            .build();
        Self {
            id: id.to_owned(),
            url: url.to_owned(),
            ec2: Client::from_conf(config),
            ebs: aws_sdk_ebs::Client::from_conf(ebs),
            settings: Mutex::default(),
            control: Control::new(url, id),
        }
    }

    /// Twelve digits; the access key id as well.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The endpoint of every service.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The real client, without retries.
    #[must_use]
    pub fn ec2(&self) -> &Client {
        &self.ec2
    }

    /// From now on no page is longer than this, whatever `MaxResults` asks for.
    pub async fn pages_of(&self, items: u32) {
        self.set(|settings| settings.page_size = Some(items)).await;
    }

    /// From now on a new snapshot is `pending` until it is [settled](Self::settle_snapshots).
    pub async fn snapshots_stay_pending(&self) {
        self.set(|settings| settings.pending_snapshots = true).await;
    }

    /// From now on a new volume is `creating` until it is [settled](Self::settle_volumes).
    pub async fn volumes_stay_creating(&self) {
        self.set(|settings| settings.creating_volumes = true).await;
    }

    /// From now on a new volume is `available` at once, as at first.
    pub async fn volumes_are_made_at_once(&self) {
        self.set(|settings| settings.creating_volumes = false).await;
    }

    /// The next blocks that are asked for, so many, come with a byte changed.
    pub async fn damage_next_blocks(&self, blocks: u32) {
        self.set(|settings| settings.damaged_blocks = blocks).await;
    }

    /// The next blocks that are asked for, so many, come without their second half, and with the checksum of what comes.
    pub async fn shorten_next_blocks(&self, blocks: u32) {
        self.set(|settings| settings.short_blocks = blocks).await;
    }

    /// No block can be got any more with a token that was listed so far.
    pub async fn expire_block_tokens(&self) {
        self.control.post("expired_tokens", &Value::Null).await;
    }

    /// The real client of the EBS direct APIs.
    pub(crate) fn ebs(&self) -> &aws_sdk_ebs::Client {
        &self.ebs
    }

    async fn set(&self, change: impl FnOnce(&mut Settings)) {
        let settings = {
            let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut settings);
            settings.clone()
        };
        self.control.put("settings", &json!(settings)).await;
    }

    /// The account's clock stands still at this time (RFC 3339): new snapshots and volumes bear it.
    pub async fn clock(&self, now: &str) {
        self.control.put("clock", &json!({ "now": now })).await;
    }

    /// The account's clock goes with the machine's again.
    pub async fn real_clock(&self) {
        self.control.put("clock", &json!({ "now": null })).await;
    }

    /// Every call of this action so far, the fixtures' own included, in the order of arrival.
    pub async fn calls(&self, action: &str) -> Vec<Call> {
        let mut calls = self.all_calls().await;
        calls.retain(|call| call.action == action);
        calls
    }

    /// Every call so far, the fixtures' own included, in the order of arrival.
    pub async fn all_calls(&self) -> Vec<Call> {
        let calls = self.control.get("calls").await;
        serde_json::from_value(calls.clone()).unwrap_or_else(|error| panic!("calls: {error} in {calls}"))
    }

    /// Every call that may have changed something: neither a question nor an event.
    pub async fn writes(&self) -> Vec<Call> {
        let mut calls = self.all_calls().await;
        let is_question =
            |action: &str| ["Describe", "List", "Get", "Head"].iter().any(|word| action.starts_with(word));
        calls.retain(|call| !is_question(&call.action) && call.action != "PutEvents");
        calls
    }

    /// Empties the call log, so that it holds only what follows.
    pub async fn forget_calls(&self) {
        self.control.delete("calls").await;
    }

    /// Waits until this many calls of the action have arrived: for what must happen in the middle of a run.
    pub async fn until_called(&self, action: &str, times: usize) -> Vec<Call> {
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            let calls = self.calls(action).await;
            if calls.len() >= times {
                return calls;
            }
            assert!(Instant::now() < limit, "{action} was called {} times, never {times}", calls.len());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until this many calls have made a volume; gives the volumes, in the order of the calls.
    pub async fn until_made(&self, volumes: usize) -> Vec<String> {
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            let made: Vec<String> = self.calls("CreateVolume").await.into_iter().filter_map(|call| call.made).collect();
            if made.len() >= volumes {
                return made;
            }
            assert!(Instant::now() < limit, "{} volumes were made, never {volumes}", made.len());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Every event put to EventBridge so far.
    pub async fn events(&self) -> Vec<Event> {
        let events = self.control.get("events").await;
        let Value::Array(entries) = events else { panic!("events: not a list: {events}") };
        entries.into_iter().map(Event::from_entry).collect()
    }
}
