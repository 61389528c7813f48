//! Notifications on EventBridge.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

/// The source of all events of this project.
const SOURCE: &str = "etcd-volume-backup";

/// Most bytes of an event's detail: EventBridge takes 256 KB for the whole entry.
pub const MOST_DETAIL: usize = 255_000;

/// Where events go; nowhere if `EVENT_BUS` is empty.
#[derive(Debug, Clone)]
pub struct Events {
    client: Client,
    bus: Option<String>,
}

impl Events {
    /// Events go to that bus, a name or an ARN.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, bus: Option<String>) -> Self {
        Self { client: Client::new(config), bus }
    }

    /// Publishes one event within that time. An error says what happened; the caller makes it a warning.
    pub async fn publish(&self, detail_type: &str, detail: String, within: Duration) -> Result<(), String> {
        let Some(bus) = &self.bus else { return Ok(()) };
        let entry = PutEventsRequestEntry::builder().source(SOURCE).detail_type(detail_type);
        let entry = entry.detail(detail).event_bus_name(bus).build();
        let not_published = |why: String| format!("event `{detail_type}` was not published to {bus}: {why}");
        let answer = tokio::time::timeout(within, self.client.put_events().entries(entry).send())
            .await
            .map_err(|_| not_published("no answer in time".to_owned()))?
            .map_err(|error| not_published(DisplayErrorContext(&error).to_string()))?;
        let refused = answer.entries().iter().find(|entry| entry.error_code().is_some());
        refused.map_or(Ok(()), |entry| {
            let words = [entry.error_code(), entry.error_message()];
            Err(not_published(words.into_iter().flatten().collect::<Vec<_>>().join(": ")))
        })
    }
}
