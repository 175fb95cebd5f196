//! Adapters behind a URL: the same messages, sent by POST. The scenarios use the one platform in turn.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Position, Url};

use super::platform::{Describe, Reset};
use super::rpc::{self, RESPONSE_BYTES_MAX, Response};
use super::{
    Description, Kinds, Lease, Method, NONEXISTENT_METHOD, OperatorClient, OperatorError, OperatorMethod,
    TargetRequest, Targets,
};
use crate::net::{Client, ClientOptions, Limits, NetError, Request};
use crate::pki::ClientTls;
use crate::wire::header;

/// A platform whose operator client is behind a URL.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    url: Url,
    client: Client,
    /// The bearer token of each request.
    token: Option<String>,
    asked: Mutex<u64>,
    /// A lock that the scenario with the platform holds.
    turn: Arc<Mutex<()>>,
}

impl Http {
    /// Builds the operator client at `url`. Each request carries `token` if there is one, and a call of a
    /// method may take `request_timeout`.
    #[must_use]
    pub fn new(url: Url, tls: Option<ClientTls>, token: Option<String>, request_timeout: Duration) -> Self {
        let limits = Limits {
            body_bytes_max: RESPONSE_BYTES_MAX,
            exchange_time_max: request_timeout,
            ..Limits::default()
        };
        // A server may close a kept-alive connection at any time without saying so. Whether it has acted on the request
        // that it then does not answer can't be known, so each request has a connection of its own.
        let client = Client::new(tls, limits, ClientOptions::default());
        Self(Arc::new(Inner { url, client, token, asked: Mutex::new(0), turn: Arc::default() }))
    }

    /// Calls `describe`.
    pub async fn describe(&self) -> Result<Description, OperatorError> {
        Description::read(&self.ask(Describe::METHOD.name(), &json!({})).await?)
    }

    /// Sends a request. `method` is the name of a method, or the one that does not exist.
    async fn ask(&self, method: &str, parameters: &Value) -> Result<Value, OperatorError> {
        let inner = &*self.0;
        let broken = |message: String| OperatorError::adapter(method, message);
        let id = {
            let mut asked = inner.asked.lock().await;
            *asked += 1;
            *asked
        };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(inner.token.as_ref().map(|token| ("authorization".to_owned(), header::bearer(token))));
        let request = Request {
            method: "POST".to_owned(),
            path_and_query: inner.url[Position::BeforePath..Position::AfterQuery].to_owned(),
            headers,
            body: Some(Bytes::from(rpc::request(id, method, parameters))),
        };
        let answered = inner.client.send(&origin(&inner.url), request).await;
        let answered = answered.map_err(|error| broken(format!("{}: {}", inner.url, unanswered(&error))))?;
        let response = Response::read(&answered.body).map_err(|message| {
            let status = answered.status;
            broken(match compression(&answered) {
                Some(encoding) => {
                    format!("status {status}: the body is compressed ({encoding}), and {UNASKED}")
                }
                None => format!("status {status}: {message}"),
            })
        })?;
        if response.id != Some(id) {
            return Err(broken(format!(
                "it answered another request (asked {id}, answered {:?})",
                response.id
            )));
        }
        response.of(method)
    }
}

/// Fault of a compressed answer.
pub(super) const UNASKED: &str = "Accept-Encoding asks for identity; a proxy in front may add it";

/// Returns the compression of an answer, which is read as it is.
pub(super) fn compression(answered: &crate::net::Response) -> Option<&str> {
    let mut named = answered.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    named.next().map(|(_, value)| value.as_str()).filter(|value| !value.eq_ignore_ascii_case("identity"))
}

/// Returns why a call of an operator has no answer, and what to do.
pub(super) fn unanswered(error: &NetError) -> String {
    match error {
        NetError::Untrusted(_) => {
            format!("{error}; --ca FILE names authorities to trust, beside those of this system")
        }
        _ => error.to_string(),
    }
}

/// Returns the URL without the parts that a request adds itself.
fn origin(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("");
    origin.set_query(None);
    origin
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("url", &self.0.url.as_str()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Targets for Http {
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let turn = self.0.turn.clone().lock_owned().await;
        let description = self.describe().await?;
        let is_fresh = description.has(Reset::METHOD);
        if is_fresh {
            self.ask(Reset::METHOD.name(), &json!({})).await?;
        }
        let (clock, clock_sync) = description.clock();
        let caller = description.caller;
        let operator = HttpOperator { http: self.clone(), description };
        Ok(Lease {
            operator: Arc::new(operator),
            clock,
            clock_sync,
            caller,
            is_fresh,
            guard: Some(Box::new(turn)),
        })
    }
}

struct HttpOperator {
    http: Http,
    description: Description,
}

#[async_trait]
impl OperatorClient for HttpOperator {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        self.http.ask(method.name(), &parameters).await
    }

    async fn call_nonexistent(&self) -> Result<Value, OperatorError> {
        self.http.ask(NONEXISTENT_METHOD, &json!({})).await
    }

    fn settles_at_once(&self) -> bool {
        self.description.settles_at_once
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.description.kinds.as_ref()
    }
}
