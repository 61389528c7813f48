//! The control interface of the local AWS: JSON over HTTP, one address an account.

use reqwest::{Client, Method};
use serde_json::Value;

/// Speaks to `{url}/_local/{account}/…`.
pub(crate) struct Control {
    base: String,
    http: Client,
}

impl Control {
    pub(crate) fn new(url: &str, account: &str) -> Self {
        // No connection is kept: a kept one would be bound to the tokio runtime of one test.
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a plain HTTP client");
        Self { base: format!("{url}/_local/{account}"), http }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Value {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Value {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let what = format!("{method} {}/{path}", self.base);
        let mut request = self.http.request(method, format!("{}/{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let status = response.status();
        let text = response.text().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(status.is_success(), "{what} with {body:?} was answered {status}: {text}");
        if text.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{what} was answered {text:?}: {error}"))
    }
}
