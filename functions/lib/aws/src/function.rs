//! What every function is: a configuration and clients, made once at the start, and a handler of its events.

use std::sync::Arc;

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

/// Runs a function until Lambda stops it. With a configuration that cannot be used it starts all the same, answers
/// every invocation with what is wrong, and calls nothing: a failed start would say less, and be tried for ever.
pub async fn run<C, H, F>(config: Result<C, InvalidConfiguration>, retry: RetryMode, handle: H) -> Result<(), Error>
where
    C: AsRef<Shared>,
    H: Fn(Arc<Function<C>>, LambdaEvent<Value>) -> F,
    F: Future<Output = Result<Value, FunctionError>>,
{
    lambda_runtime::tracing::init_default_subscriber();
    if let Err(invalid) = &config {
        error!("The configuration cannot be used, every invocation will be refused: {invalid}");
    }
    let sdk = clients::load(retry).await;
    let function = config.map(|config| {
        let Shared { concurrency, event_bus, .. } = config.as_ref();
        let (ec2, events) = (Ec2::new(&sdk, *concurrency), Events::new(&sdk, event_bus.clone()));
        Arc::new(Function { config, ec2, ebs: Ebs::new(&sdk), events })
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let ready = function.as_ref().map(Arc::clone).map_err(|invalid| FunctionError::from(invalid.clone()));
        let answer = ready.map(|function| Box::pin(handle(function, event)));
        async { answer.inspect_err(|refused| error!("{refused}"))?.await }
    }))
    .await
}
