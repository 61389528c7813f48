//! Which function, in which account, with which environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::process::Process;
use super::runtime_api::RuntimeApi;
use super::{RunningFunction, binary};
use crate::{Account, REGION};

/// Linking and loading a debug binary on a busy machine included.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A function to start.
#[derive(Clone, Debug)]
#[must_use = "a function runs after `start`"]
pub struct Function {
    name: String,
    path: Option<PathBuf>,
    env: BTreeMap<String, String>,
}

impl Function {
    /// The function of this name: the binary of the same profile as this executable, built first.
    pub fn named(name: &str) -> Self {
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/scenario"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]scenario"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            // Never ask the machine that the tests run on for credentials.
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let env = lambda.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { name: name.to_owned(), path: None, env }
    }

    /// The function `plan`: the binary of `restore`, which looks alone.
    pub fn plan() -> Self {
        Self::named("restore").env("AWS_LAMBDA_FUNCTION_NAME", "plan").env("MODES", "look")
    }

    /// This binary, whatever built it.
    pub fn at(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { path: Some(path.to_owned()), ..Self::named(&name) }
    }

    /// In this account.
    pub fn account(self, account: &Account) -> Self {
        self.endpoint(account.url(), account.id())
    }

    /// Against this endpoint, with this access key.
    pub fn endpoint(self, url: &str, access_key: &str) -> Self {
        self.env("AWS_ENDPOINT_URL", url).env("AWS_ACCESS_KEY_ID", access_key).env("AWS_SECRET_ACCESS_KEY", "local")
    }

    /// With this environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Starts it and waits until it polls for its first invocation.
    pub async fn start(self) -> RunningFunction {
        let binary = self.path.clone().unwrap_or_else(|| binary::built(&self.name));
        let api = RuntimeApi::serve(&self.name).await;
        let session_token = session_token();
        let this = self.env("AWS_LAMBDA_RUNTIME_API", api.address()).env("AWS_SESSION_TOKEN", &session_token);
        let process = Process::spawn(&binary, &this.env);
        let name = this.name;
        let polled = tokio::select! {
            polled = api.first_poll() => polled,
            error = api.init_error() => panic!("{name} reported a failed start: {error}\n{}", process.output()),
            status = process.ended() => panic!("{name} ended at once: {status}\n{}", process.output()),
            () = tokio::time::sleep(START_LIMIT) => panic!("{name} never polled; it wrote:\n{}", process.output()),
        };
        let init_time = polled - process.started();
        RunningFunction { name, session_token, api, process, init_time, run_time: Mutex::default() }
    }
}

/// By which the local AWS tells the processes of an account apart.
fn session_token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("process-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
