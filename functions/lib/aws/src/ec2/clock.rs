//! EC2's clock: it writes when a snapshot was taken, so it decides which slot that can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_ec2::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::{SignedDuration, Timestamp};

/// How far EC2's clock is ahead of this machine's, in seconds, by the `Date` of its latest answer. `Date` has whole seconds,
/// so that EC2's clock is never told to be later than it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(super) fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.0.load(Ordering::Relaxed));
        Timestamp::now().checked_add(ahead).unwrap_or_else(|_| Timestamp::now())
    }

    fn hear(&self, date: &str) {
        if let Ok(date) = DateTime::from_str(date, Format::HttpDate) {
            self.0.store(date.secs() - Timestamp::now().as_second(), Ordering::Relaxed);
        }
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Ec2Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.hear(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_from_what_ec2_said() {
        let clock = Clock::default();
        assert!(
            Timestamp::now().duration_since(clock.now()).abs() < SignedDuration::from_secs(2),
            "nothing was said yet"
        );
        clock.hear("Tue, 15 Nov 1994 08:12:31 GMT");
        let said: Timestamp = "1994-11-15T08:12:31Z".parse().unwrap();
        assert!((0..60).contains(&clock.now().duration_since(said).as_secs()));
        clock.hear("yesterday");
        assert!(clock.now() < "1995-01-01T00:00:00Z".parse().unwrap(), "what cannot be read changes nothing");
    }
}
