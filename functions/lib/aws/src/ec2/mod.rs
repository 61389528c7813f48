//! EC2, in the project's own types.

mod clock;
mod convert;
mod read;
mod write;

use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Builder;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::clock::Clock;

/// The concrete client. Every call in flight holds a [`Permit`], so that no more than `CONCURRENCY` are.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
    clock: Clock,
    in_flight: Arc<Semaphore>,
    concurrency: u32,
}

/// The right to have one call in flight.
#[derive(Debug)]
pub struct Permit(Option<OwnedSemaphorePermit>);

impl Ec2 {
    /// Wraps the SDK's client; at most `concurrency` calls are in flight at any time.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, concurrency: u32) -> Self {
        let in_flight = Arc::new(Semaphore::new(concurrency as usize));
        let clock = Clock::default();
        let config = Builder::from(config).interceptor(clock.clone()).build();
        Self { client: Client::from_conf(config), clock, in_flight, concurrency }
    }

    /// What EC2's clock shows, as far as its answers have said so.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How many calls may be in flight.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.concurrency as usize
    }

    /// Waits until `calls` calls (or as many as may be in flight at all) can start at the same moment.
    pub async fn reserve(&self, calls: usize) -> Vec<Permit> {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX).min(self.concurrency);
        let mut whole = self.acquire(calls).await;
        std::iter::from_fn(|| whole.0.as_mut()?.split(1)).map(|one| Permit(Some(one))).collect()
    }

    /// Waits until one more call can start.
    pub async fn permit(&self) -> Permit {
        self.acquire(1).await
    }

    async fn acquire(&self, calls: u32) -> Permit {
        // The semaphore is never closed, so there always is a permit.
        Permit(Arc::clone(&self.in_flight).acquire_many_owned(calls).await.ok())
    }
}
