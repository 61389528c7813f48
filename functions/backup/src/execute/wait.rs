//! Waiting between attempts.

use std::time::Duration;

use etcd_backup_aws::lambda::Deadline;
use tokio::time::{Instant, sleep};

/// Growing pauses: doubled each time up to 15 s, which is how far apart EC2 wants two snapshots of one volume. A
/// random half, so that the members of a fleet do not come back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    const LONGEST: Duration = Duration::from_secs(15);

    pub(super) fn new() -> Self {
        Self { next: Duration::from_millis(500) }
    }

    /// Pauses. `false`, at once, if that would pass the deadline.
    pub(super) async fn pause(&mut self, deadline: Deadline) -> bool {
        let pause = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = (self.next * 2).min(Self::LONGEST);
        if Instant::now() + pause >= deadline.stop_starting {
            return false;
        }
        sleep(pause).await;
        true
    }
}
