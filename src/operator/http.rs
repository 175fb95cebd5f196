//! Adapters behind a URL: the same messages by POST. There is one platform, which the scenarios have
//! one after another.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Position, Url};

use super::rpc::{self, RESPONSE_BYTES_MAX, Response};
use super::{Description, Hands, HandsError, Lease, Targets, Verb, Wish};
use crate::net::{Client, ClientOptions, Limits, Request};
use crate::pki::ClientTls;

/// A platform whose hands are behind a URL.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    url: Url,
    client: Client,
    /// Sent as a bearer token with each request.
    token: Option<String>,
    asked: Mutex<u64>,
    /// Held by the scenario that has the platform.
    turn: Arc<Mutex<()>>,
}

impl Http {
    /// Hands at `url`; `token`, where there is one, goes with each request, and each call of a verb
    /// may take `call_time_max`.
    #[must_use]
    pub fn new(url: Url, tls: Option<ClientTls>, token: Option<String>, call_time_max: Duration) -> Self {
        let limits = Limits {
            body_bytes_max: RESPONSE_BYTES_MAX,
            exchange_time_max: call_time_max,
            ..Limits::default()
        };
        let client =
            Client::new(tls, limits, ClientOptions { reuse_connections: true, ..ClientOptions::default() });
        Self(Arc::new(Inner { url, client, token, asked: Mutex::new(0), turn: Arc::default() }))
    }

    /// Asks what is there.
    pub async fn describe(&self) -> Result<Description, HandsError> {
        Description::read(&self.ask(Verb::Describe.as_str(), &json!({})).await?)
    }

    async fn ask(&self, verb: &str, parameters: &Value) -> Result<Value, HandsError> {
        let inner = &*self.0;
        let broken = |message: String| HandsError::Adapter { verb: verb.to_owned(), message };
        let id = {
            let mut asked = inner.asked.lock().await;
            *asked += 1;
            *asked
        };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(
            inner.token.as_ref().map(|token| ("authorization".to_owned(), format!("Bearer {token}"))),
        );
        let request = Request {
            method: "POST".to_owned(),
            path_and_query: inner.url[Position::BeforePath..Position::AfterQuery].to_owned(),
            headers,
            body: Some(Bytes::from(rpc::request(id, verb, parameters))),
        };
        let answered = inner.client.send(&origin(&inner.url), request).await;
        let answered = answered.map_err(|error| broken(format!("{}: {error}", inner.url)))?;
        let response = Response::read(&answered.body)
            .map_err(|message| broken(format!("status {}: {message}", answered.status)))?;
        if response.id != Some(id) {
            return Err(broken(format!(
                "it answered another request (asked {id}, answered {:?})",
                response.id
            )));
        }
        response.of(verb)
    }
}

/// The URL without what a request names by itself.
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
    async fn lease(&self, _: Wish<'_>) -> Result<Lease, HandsError> {
        let turn = self.0.turn.clone().lock_owned().await;
        let description = self.describe().await?;
        let is_fresh = description.has(Verb::PlatformReset);
        if is_fresh {
            self.ask(Verb::PlatformReset.as_str(), &json!({})).await?;
        }
        let (clock, tie) = description.clock();
        let hands = HttpHands { http: self.clone(), settles_at_once: description.settles_at_once };
        let caller = description.caller;
        Ok(Lease { hands: Arc::new(hands), clock, tie, caller, is_fresh, guard: Some(Box::new(turn)) })
    }
}

struct HttpHands {
    http: Http,
    settles_at_once: bool,
}

#[async_trait]
impl Hands for HttpHands {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        self.http.ask(verb, &parameters).await
    }

    fn settles_at_once(&self) -> bool {
        self.settles_at_once
    }
}
