//! Calls of the REST surface, approvals, and the meaning of each refusal.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::Credentials;
use super::session::{LOG_IN_NAME, Session};
use crate::net::{Client, ClientOptions, Limits, Request, Response};
use crate::operator::OperatorError;
use crate::operator::http::{UNASKED, compression, unanswered};
use crate::pki::ClientTls;
use crate::wire::envelope::Answer;
use crate::wire::header;
use crate::wire::weight::{self, Unparsed};

/// The path prefix of the calls of an operator and of a worker.
const SYSTEM: &str = "/api/v1/system";
/// The path prefix of approvals.
const APPROVALS: &str = "/api/v1/ai/autonomy/approvals";
/// The status of a request that waits for approval.
const PENDING: u16 = 202;
/// The status of a request whose token is missing, expired or unknown.
const UNAUTHORIZED: u16 = 401;
const NOT_FOUND: u16 = 404;

/// The REST surface of one platform.
pub struct Rest {
    surface: Surface,
    credentials: Credentials,
    session: Mutex<Session>,
}

/// The token that a call carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Operator,
    Worker,
}

/// The result of a call.
pub(super) struct Called {
    /// The data of the answer.
    pub(super) data: Value,
    /// True if the change waited for an approval, which this account gave. It may not be in force yet.
    pub(super) is_approved: bool,
}

impl Rest {
    /// Builds a client of the REST surface at `url`.
    #[must_use]
    pub fn new(
        url: Url,
        tls: Option<ClientTls>,
        credentials: Credentials,
        request_timeout: Duration,
    ) -> Self {
        let limits = Limits { exchange_time_max: request_timeout, ..Limits::default() };
        // As for an adapter behind a URL: no request is left without an answer by a connection that was closed meanwhile.
        let client = Client::new(tls, limits, ClientOptions::default());
        Self { surface: Surface { url, client }, credentials, session: Mutex::default() }
    }

    /// Logs in if no token is cached.
    pub async fn log_in(&self) -> Result<(), OperatorError> {
        self.session.lock().await.token(&self.surface, &self.credentials, LOG_IN_NAME).await.map(drop)
    }

    /// Returns true if the token of a worker is known.
    pub(super) fn has_worker(&self) -> bool {
        self.credentials.worker_token.is_some()
    }

    /// Calls a path under the system prefix. `method` appears in errors.
    pub(super) async fn call(
        &self,
        method: &str,
        whose: As,
        http_method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Called, OperatorError> {
        let path = format!("{SYSTEM}{path}");
        let response = match whose {
            As::Operator => self.as_operator(method, http_method, &path, body).await?,
            As::Worker => {
                let token = self.credentials.worker_token.as_deref();
                let token = token.ok_or_else(|| OperatorError::unsupported(method))?;
                self.surface.send(method, http_method, &path, &bearing(token), body).await?
            }
        };
        let data = data_of(method, &response)?;
        if response.status == PENDING {
            self.approve(method, &data).await?;
        }
        Ok(Called { data, is_approved: response.status == PENDING })
    }

    /// Calls a path as the operator. A token that the platform no longer takes is renewed once.
    async fn as_operator(
        &self,
        method: &str,
        http_method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Response, OperatorError> {
        let token = self.session.lock().await.token(&self.surface, &self.credentials, method).await?;
        let response = self.surface.send(method, http_method, path, &bearing(&token), body.clone()).await?;
        if response.status != UNAUTHORIZED {
            return Ok(response);
        }
        let mut session = self.session.lock().await;
        let renewed = session.renewed(&self.surface, &self.credentials, method, &token).await?;
        drop(session);
        self.surface.send(method, http_method, path, &bearing(&renewed), body).await
    }

    /// Approves a request that the platform holds back, if this account may.
    async fn approve(&self, method: &str, pending: &Value) -> Result<(), OperatorError> {
        let held = |why: String| {
            let message = format!("pending approval (202): {why}; approve it there, then run again");
            OperatorError::refused(method, i64::from(PENDING), message)
        };
        let Some(id) = pending["approval_request_id"].as_str() else {
            return Err(held("the platform waits for someone to approve it".to_owned()));
        };
        let path = format!("{APPROVALS}/{id}/approve");
        let response = self.as_operator(method, "POST", &path, Some(json!({}))).await?;
        match data_of(method, &response) {
            Ok(_) => Ok(()),
            Err(error) => Err(held(format!("this account can't approve request {id} ({error})"))),
        }
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("url", &self.surface.url.as_str()).finish_non_exhaustive()
    }
}

/// The address of the REST surface, and the client that calls it.
pub(super) struct Surface {
    url: Url,
    client: Client,
}

impl Surface {
    /// Sends one request.
    pub(super) async fn send(
        &self,
        method: &str,
        http_method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Value>,
    ) -> Result<Response, OperatorError> {
        let mut headers = headers.to_vec();
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        let body = body.map(|body| {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            Bytes::from(body.to_string())
        });
        let request =
            Request { method: http_method.to_owned(), path_and_query: path.to_owned(), headers, body };
        self.client.send(&self.url, request).await.map_err(|error| {
            let url = self.url.as_str().trim_end_matches('/');
            OperatorError::adapter(method, format!("{http_method} {url}{path}: {}", unanswered(&error)))
        })
    }
}

fn bearing(token: &str) -> [(String, String); 1] {
    [("authorization".to_owned(), header::bearer(token))]
}

/// Returns the data of an answer, or the reason why it has none.
pub(super) fn data_of(method: &str, response: &Response) -> Result<Value, OperatorError> {
    let body: Value = if response.body.is_empty() {
        Value::Null
    } else {
        match weight::parse(&response.body) {
            Ok(body) => body,
            Err(Unparsed::NotJson(_)) if response.status == NOT_FOUND => {
                return Err(OperatorError::unsupported(method));
            }
            Err(error) => {
                let compressed = compression(response)
                    .map(|coding| format!("has the content encoding {coding:?}; {UNASKED}"));
                let found = compressed.unwrap_or_else(|| format!("is {error}"));
                let message = format!("status {}: the answer {found}", response.status);
                return Err(OperatorError::adapter(method, message));
            }
        }
    };
    match response.status {
        200..=299 => Ok(content(body)),
        NOT_FOUND if is_without_route(&body) => Err(OperatorError::unsupported(method)),
        status => {
            let message = body["error"].as_str().unwrap_or("refused without a reason");
            Err(OperatorError::refused(method, i64::from(status), message))
        }
    }
}

/// Returns the data of an answer; what stands beside `success` where there is no `data`.
fn content(body: Value) -> Value {
    let is_bare = body.get("data").is_none() && body.as_object().is_some_and(|members| members.len() > 1);
    match Answer::read(&body).and_then(Answer::data) {
        Some(data) if !is_bare => data,
        _ => body,
    }
}

/// Returns true if a 404 is that of the router: this platform has no such route. A 404 about a record says which.
fn is_without_route(body: &Value) -> bool {
    body.is_null() || (body["status"] == NOT_FOUND && body["error"] == "Not Found")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<Value, OperatorError> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        data_of(
            "peer.show",
            &Response { status, headers: vec![], body, protocol: "HTTP/1.1", tls: None, source: None },
        )
    }

    #[test]
    fn content_is_the_data_or_what_stands_beside_success() {
        for (body, expected) in [
            (r#"{"success":true,"data":{"events":[1]}}"#, json!({"events": [1]})),
            (r#"{"success":true,"data":null}"#, Value::Null),
            (r#"{"success":true,"data":null,"message":"none"}"#, Value::Null),
            (r#"{"success":true}"#, json!({})),
            (r#"{"success":true,"events":[1]}"#, json!({"success": true, "events": [1]})),
            (r#"{"events":[1]}"#, json!({"events": [1]})),
            ("[1]", json!([1])),
        ] {
            assert_eq!(answered(200, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn route_that_is_not_there_is_a_missing_method_and_a_missing_record_is_not() {
        let unsupported = Err(OperatorError::unsupported("peer.show"));
        for body in ["", "<html>no route</html>", r#"{"status":404,"error":"Not Found"}"#] {
            assert_eq!(answered(404, body), unsupported, "{body}");
        }
        let missing = answered(404, r#"{"success":false,"error":"Peer not found"}"#);
        assert_eq!(missing, Err(OperatorError::refused("peer.show", 404, "Peer not found")));
        assert!(matches!(answered(500, "<html>"), Err(OperatorError::Fault(_))));
        // A limit says nothing of the route.
        for status in [200, 404] {
            let error = answered(status, &"[".repeat(200)).expect_err("too deep").to_string();
            assert!(error.contains("127 deep") && !error.contains("not JSON"), "{error}");
        }
    }
}
