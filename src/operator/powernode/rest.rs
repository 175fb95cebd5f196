//! Calls of the REST surface: one log-in, its cached token, and the meaning of each refusal.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::Credentials;
use crate::net::{Client, ClientOptions, Limits, Request, Response};
use crate::operator::OperatorError;
use crate::pki::ClientTls;
use crate::wire::envelope::Answer;
use crate::wire::header;

/// The path of the log-in.
const LOGIN: &str = "/api/v1/auth/login";
/// The path prefix of all other calls.
const SYSTEM: &str = "/api/v1/system";
/// The status of a request that waits for approval.
const PENDING: u16 = 202;

/// The REST surface of one platform.
pub struct Rest {
    url: Url,
    client: Client,
    credentials: Credentials,
    /// The token of the first log-in. It is kept because a platform allows five log-ins per hour.
    token: Mutex<Option<String>>,
}

/// The token that a call carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Operator,
    Worker,
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
        let client =
            Client::new(tls, limits, ClientOptions { reuse_connections: true, ..ClientOptions::default() });
        Self { url, client, credentials, token: Mutex::default() }
    }

    /// Logs in if no token is cached.
    pub async fn log_in(&self) -> Result<(), OperatorError> {
        self.operator_token("log-in").await.map(drop)
    }

    /// Calls a path under the system prefix and returns the data of the answer. `method` appears in errors.
    pub(super) async fn call(
        &self,
        method: &str,
        whose: As,
        http_method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, OperatorError> {
        let token = match whose {
            As::Operator => self.operator_token(method).await?,
            As::Worker => {
                self.credentials.worker_token.clone().ok_or_else(|| OperatorError::unsupported(method))?
            }
        };
        let response = self.send(method, Some(&token), http_method, &format!("{SYSTEM}{path}"), body).await?;
        read(method, &response)
    }

    async fn operator_token(&self, method: &str) -> Result<String, OperatorError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept {
            return Ok(token.clone());
        }
        let Credentials { email, password, .. } = &self.credentials;
        let body = json!({"email": email, "password": password});
        let response = self.send(method, None, "POST", LOGIN, Some(body)).await?;
        let broken = |message: String| OperatorError::adapter(method, message);
        if response.status == 429 {
            let message = "log-in refused (429): five tries an hour are allowed; wait, then run again";
            return Err(broken(message.to_owned()));
        }
        let data = read(method, &response).map_err(|error| broken(format!("log-in: {error}")))?;
        let Some(token) = data["access_token"].as_str() else {
            return Err(broken("log-in: data.access_token was expected, and there is none".to_owned()));
        };
        *kept = Some(token.to_owned());
        Ok(token.to_owned())
    }

    async fn send(
        &self,
        method: &str,
        token: Option<&str>,
        http_method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Response, OperatorError> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("authorization".to_owned(), header::bearer(token))));
        let body = body.map(|body| {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            Bytes::from(body.to_string())
        });
        let request =
            Request { method: http_method.to_owned(), path_and_query: path.to_owned(), headers, body };
        self.client.send(&self.url, request).await.map_err(|error| {
            let url = self.url.as_str().trim_end_matches('/');
            OperatorError::adapter(method, format!("{http_method} {url}{path}: {error}"))
        })
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// Returns the data of an answer, or the reason why it has none.
fn read(method: &str, response: &Response) -> Result<Value, OperatorError> {
    let refused = |message: &str| OperatorError::refused(method, i64::from(response.status), message);
    let body: Value = if response.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&response.body).map_err(|error| {
            let message = format!("status {}: the answer is no JSON: {error}", response.status);
            OperatorError::adapter(method, message)
        })?
    };
    match response.status {
        PENDING => Err(refused(
            "pending approval (202): the platform waits for someone to approve it; approve it there, then run again",
        )),
        200..=299 => Ok(Answer::read(&body).and_then(Answer::data).unwrap_or(body)),
        _ => Err(refused(body["error"].as_str().unwrap_or("refused without a reason"))),
    }
}
