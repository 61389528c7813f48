//! What every function is: a configuration and clients, made once at the start, and a handler of its events.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryMode;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::error;

use crate::clients;
use crate::config::{InvalidConfiguration, Shared};
use crate::ebs::Ebs;
use crate::ec2::Ec2;
use crate::events::Events;
use crate::lambda::FunctionError;

/// A function that is ready for its events.
#[derive(Debug)]
pub struct Function<C> {
    /// Its configuration.
    pub config: C,
    /// EC2.
    pub ec2: Ec2,
    /// The blocks of snapshots.
    pub ebs: Ebs,
    /// Where notifications go.
    pub events: Events,
}

impl<C: AsRef<Shared>> Function<C> {
    /// Makes the clients.
    #[must_use]
    pub fn new(config: C, sdk: &SdkConfig) -> Self {
        let Shared { concurrency, event_bus, .. } = config.as_ref();
        let (ec2, events) = (Ec2::new(sdk, *concurrency), Events::new(sdk, event_bus.clone()));
        Self { config, ec2, ebs: Ebs::new(sdk), events }
    }
}

/// Runs a function until Lambda stops it. With a configuration that cannot be used it starts all the same, answers
/// every invocation with what is wrong, and calls nothing: a failed start would say less, and be tried for ever.
///
/// `ready` makes of the configuration what every invocation needs, see [`Function::new`].
pub async fn run<C, S, H, F>(
    config: Result<C, InvalidConfiguration>,
    retry: RetryMode,
    ready: impl FnOnce(C, &SdkConfig) -> S,
    handle: H,
) -> Result<(), Error>
where
    H: Fn(Arc<S>, LambdaEvent<Value>) -> F,
    F: Future<Output = Result<Value, FunctionError>>,
{
    lambda_runtime::tracing::init_default_subscriber();
    if let Err(invalid) = &config {
        error!("The configuration cannot be used, every invocation will be refused: {invalid}");
    }
    let sdk = clients::load(retry).await;
    let function = config.map(|config| Arc::new(ready(config, &sdk)));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let ready = function.as_ref().map(Arc::clone).map_err(|invalid| FunctionError::from(invalid.clone()));
        let answer = ready.map(|function| Box::pin(handle(function, event)));
        async { answer.inspect_err(|refused| error!("{refused}"))?.await }
    }))
    .await
}
