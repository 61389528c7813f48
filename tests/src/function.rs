//! The functions as Lambda runs them: the real binary, under the runtime interface, with Lambda's environment and no other.

mod binary;
mod builder;
mod emf;
mod error;
mod process;
mod runtime_api;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

pub use builder::Function;
pub use error::FunctionError;

use process::Process;
use runtime_api::RuntimeApi;

use crate::Account;

/// The time that an invocation has, unless said otherwise.
const DEADLINE: Duration = Duration::from_mins(1);
/// How far past its deadline a function may go before the scenario is given up.
const GRACE: Duration = Duration::from_secs(10);

/// A function's process, which answers one invocation at a time; two of them are two concurrent deliveries.
pub struct RunningFunction {
    name: String,
    session_token: String,
    api: RuntimeApi,
    process: Process,
    init_time: Duration,
    run_time: Mutex<Duration>,
}

impl RunningFunction {
    /// Invokes it, with a request id of its own and a minute's time.
    ///
    /// # Errors
    /// What the function answered instead of a result; `Runtime.ExitError` if its process ended.
    pub async fn invoke(&self, event: Value) -> Result<Value, FunctionError> {
        self.invoke_within(DEADLINE, event).await
    }

    /// Invokes it with this request id: twice the same one is a redelivery.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_as(&self, request_id: &str, event: Value) -> Result<Value, FunctionError> {
        self.deliver(request_id, DEADLINE, &event).await
    }

    /// Invokes it with this much time until its deadline. Nobody stops it then: it is to notice by itself.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_within(&self, time: Duration, event: Value) -> Result<Value, FunctionError> {
        self.deliver(&request_id(), time, &event).await
    }

    async fn deliver(&self, id: &str, time: Duration, event: &Value) -> Result<Value, FunctionError> {
        tokio::select! {
            biased;
            answer = self.api.deliver(id, time, event) => {
                *self.run_time.lock().unwrap_or_else(PoisonError::into_inner) = answer.took;
                answer.result
            }
            status = self.process.ended() => Err(FunctionError::exited(id, &status)),
            () = sleep(time + GRACE) => panic!(
                "{} did not answer within {time:?} and {GRACE:?} more; it was sent {event} and wrote:\n{}",
                self.name, self.process.output(),
            ),
        }
    }

    /// Kills the process: an invocation under way ends with `Runtime.ExitError`. What it did in its account stays done;
    /// what it had sent, and the account has not yet begun, is lost.
    pub async fn kill(&self, account: &Account) {
        self.process.kill();
        account.lose_all_of(&self.session_token).await;
    }

    /// Everything that it wrote, standard output and standard error, by line.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        self.process.output().lines().map(str::to_owned).collect()
    }

    /// The lines in CloudWatch's embedded metric format.
    #[must_use]
    pub fn metrics(&self) -> Vec<Value> {
        emf::documents(&self.process.output())
    }

    /// The values of one metric, of exactly these dimensions, in the order written.
    #[must_use]
    pub fn metric(&self, name: &str, dimensions: &[(&str, &str)]) -> Vec<f64> {
        self.metrics().iter().flat_map(|document| emf::values(document, name, dimensions)).collect()
    }

    /// From the start of the process to its first poll for an invocation.
    #[must_use]
    pub fn init_time(&self) -> Duration {
        self.init_time
    }

    /// How long the last invocation took, from handing it out to its answer, as Lambda would bill it.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        *self.run_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most memory that it has had so far, in bytes; nothing where there is no `/proc` or no process any more.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.process.peak_memory()
    }
}

/// Of the form that Lambda gives, and new each time.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-0000-4000-8000-{count:012x}", std::process::id())
}
