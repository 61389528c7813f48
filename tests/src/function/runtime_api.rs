//! Lambda's runtime interface, of version 2018-06-01, for one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::FunctionError;
use crate::REGION;

/// Lambda takes no larger answer.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;

/// An invocation's end.
pub(super) struct Answer {
    /// Since the invocation was handed out.
    pub(super) took: Duration,
    pub(super) result: Result<Value, FunctionError>,
}

struct Invocation {
    id: String,
    time: Duration,
    event: String,
    answer: oneshot::Sender<Answer>,
}

struct Exchange {
    function: String,
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    handed_out: Mutex<HashMap<String, (Instant, oneshot::Sender<Answer>)>>,
    first_poll: watch::Sender<Option<Instant>>,
    init_error: watch::Sender<Option<String>>,
}

/// The interface, on an address of its own.
pub(super) struct RuntimeApi {
    address: String,
    exchange: Arc<Exchange>,
    deliver: mpsc::UnboundedSender<Invocation>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    pub(super) async fn serve(function: &str) -> Self {
        let (deliver, waiting) = mpsc::unbounded_channel();
        let exchange = Arc::new(Exchange {
            function: function.to_owned(),
            waiting: tokio::sync::Mutex::new(waiting),
            handed_out: Mutex::default(),
            first_poll: watch::Sender::new(None),
            init_error: watch::Sender::new(None),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(ANSWER_LIMIT))
            .with_state(Arc::clone(&exchange));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address").to_string();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving never fails") });
        Self { address, exchange, deliver, server }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// When the process polled for the first time.
    pub(super) async fn first_poll(&self) -> Instant {
        let mut polled = self.exchange.first_poll.subscribe();
        polled.wait_for(Option::is_some).await.expect("the sender lives in self").expect("waited for")
    }

    /// What the process says that made its start fail.
    pub(super) async fn init_error(&self) -> String {
        let mut error = self.exchange.init_error.subscribe();
        error.wait_for(Option::is_some).await.expect("the sender lives in self").clone().expect("waited for")
    }

    /// Hands an event out at the next poll and waits for the answer.
    pub(super) async fn deliver(&self, id: &str, time: Duration, event: &Value) -> Answer {
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation { id: id.to_owned(), time, event: event.to_string(), answer };
        self.deliver.send(invocation).expect("the receiver lives in self");
        answered.await.expect("an invocation is answered or outlives its scenario")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(exchange): State<Arc<Exchange>>) -> Response {
    exchange.first_poll.send_if_modified(|first| {
        let is_first = first.is_none();
        first.get_or_insert_with(Instant::now);
        is_first
    });
    let invocation = exchange.waiting.lock().await.recv().await;
    let Some(Invocation { id, time, event, answer }) = invocation else {
        return StatusCode::GONE.into_response();
    };
    let deadline = (SystemTime::now() + time).duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("Lambda-Runtime-Aws-Request-Id", id.clone()),
        ("Lambda-Runtime-Deadline-Ms", deadline.as_millis().to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            format!("arn:aws:lambda:{REGION}:111122223333:function:{}", exchange.function),
        ),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned()),
    ];
    let mut handed_out = exchange.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
    handed_out.insert(id, (Instant::now(), answer));
    (headers, event).into_response()
}

async fn response(State(exchange): State<Arc<Exchange>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    answer(&exchange, &id, Ok(body))
}

async fn error(State(exchange): State<Arc<Exchange>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    answer(&exchange, &id, Err(body))
}

async fn init_error(State(exchange): State<Arc<Exchange>>, body: String) -> StatusCode {
    exchange.init_error.send_replace(Some(body));
    StatusCode::ACCEPTED
}

fn answer(exchange: &Exchange, id: &str, body: Result<Bytes, Bytes>) -> StatusCode {
    let at = Instant::now();
    let mut handed_out = exchange.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((since, answer)) = handed_out.remove(id) else {
        return StatusCode::BAD_REQUEST;
    };
    let result = match body {
        Ok(result) => serde_json::from_slice(&result).map_err(|error| unreadable(&error, &result)),
        Err(error) => Err(serde_json::from_slice(&error).unwrap_or_else(|why| unreadable(&why, &error))),
    };
    // Nobody waits any more where the scenario has gone on without the answer.
    let _ = answer.send(Answer { took: at - since, result });
    StatusCode::ACCEPTED
}

fn unreadable(error: &serde_json::Error, body: &[u8]) -> FunctionError {
    FunctionError {
        error_type: "Scenario.UnreadableAnswer".to_owned(),
        error_message: format!("{error}: {}", String::from_utf8_lossy(body)),
    }
}
