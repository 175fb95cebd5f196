//! The log-in of an operator: its token, how it is renewed, and the limit on log-ins.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;

use super::Credentials;
use super::rest::{Surface, data_of};
use crate::clock::Stopwatch;
use crate::net::Response;
use crate::operator::OperatorError;
use crate::secret;

/// The name of the log-in in errors, where a method's name stands otherwise.
pub(super) const LOG_IN_NAME: &str = "log-in";
/// The path of the log-in.
const LOG_IN: &str = "/api/v1/auth/login";
/// The path of the renewal. It does not count as a log-in.
const REFRESH: &str = "/api/v1/auth/refresh";
/// The name of the cookie and of the member with the token of the renewal.
const REFRESH_TOKEN: &str = "refresh_token";
/// The number of log-ins that a platform allows in [`LOG_IN_WINDOW`].
const LOG_INS_MAX: usize = 5;
const LOG_IN_WINDOW: Duration = Duration::from_hours(1);
/// The status of a refusal because of too many requests.
const TOO_MANY: u16 = 429;

/// The tokens of an operator. An access token is valid for minutes, so a run needs several.
#[derive(Default)]
pub(super) struct Session {
    access_token: Option<String>,
    refresh_token: Option<String>,
    /// The log-ins of this process in the last hour, the oldest first.
    log_ins: VecDeque<Stopwatch>,
}

impl Session {
    /// Returns the access token. Logs in if there is none.
    pub(super) async fn token(
        &mut self,
        surface: &Surface,
        credentials: &Credentials,
        method: &str,
    ) -> Result<String, OperatorError> {
        match &self.access_token {
            Some(token) => Ok(token.clone()),
            None => self.log_in(surface, credentials, method).await,
        }
    }

    /// Returns another token than `expired`, which the platform refused: one that another call has renewed, one
    /// of the refresh token, or that of a new log-in.
    pub(super) async fn renewed(
        &mut self,
        surface: &Surface,
        credentials: &Credentials,
        method: &str,
        expired: &str,
    ) -> Result<String, OperatorError> {
        if let Some(token) = self.access_token.take().filter(|token| token != expired) {
            return Ok(self.access_token.insert(token).clone());
        }
        if let Some(refresh_token) = self.refresh_token.take() {
            let cookie = [("cookie".to_owned(), format!("{REFRESH_TOKEN}={refresh_token}"))];
            let body = json!({REFRESH_TOKEN: refresh_token});
            let response = surface.send(method, "POST", REFRESH, &cookie, Some(body)).await?;
            // A refresh token that is refused leaves the log-in.
            if let Some(token) = self.keep(&response) {
                return Ok(token);
            }
        }
        self.log_in(surface, credentials, method).await
    }

    async fn log_in(
        &mut self,
        surface: &Surface,
        credentials: &Credentials,
        method: &str,
    ) -> Result<String, OperatorError> {
        let broken = |message: String| {
            let place = if method == LOG_IN_NAME { "" } else { "log-in: " };
            OperatorError::adapter(method, format!("{place}{message}"))
        };
        self.is_within_limit().map_err(broken)?;
        self.log_ins.push_back(Stopwatch::start());
        let body = json!({"email": credentials.email, "password": credentials.password});
        let response = surface.send(method, "POST", LOG_IN, &[], Some(body)).await?;
        if response.status == TOO_MANY {
            let wait = header(&response, "retry-after")
                .map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} s"));
            return Err(broken(format!("refused (429): five an hour are allowed; try again {wait}")));
        }
        let data = data_of(method, &response).map_err(|error| match error {
            OperatorError::Fault(fault) => broken(fault.reason),
            OperatorError::Refused { code, message, .. } => broken(format!("{message} ({code})")),
            OperatorError::Unsupported { .. } => broken(format!("the platform has no route {LOG_IN}")),
        })?;
        if data["requires_2fa"] == true {
            let message = "this account needs a second factor; name an account without one";
            return Err(broken(message.to_owned()));
        }
        let lacking = || broken("data.access_token was expected, and there is none".to_owned());
        self.keep(&response).ok_or_else(lacking)
    }

    /// Returns an error if this process has used up the log-ins of the hour. A further try would be refused, and
    /// would count for whoever uses the same account.
    fn is_within_limit(&mut self) -> Result<(), String> {
        while self.log_ins.front().is_some_and(|log_in| log_in.elapsed() >= LOG_IN_WINDOW) {
            self.log_ins.pop_front();
        }
        let Some(oldest) = self.log_ins.front().filter(|_| self.log_ins.len() >= LOG_INS_MAX) else {
            return Ok(());
        };
        let minutes = LOG_IN_WINDOW.saturating_sub(oldest.elapsed()).as_secs().div_ceil(60);
        Err(format!(
            "the limit of {LOG_INS_MAX} an hour is reached; the next one is possible in {minutes} min"
        ))
    }

    /// Keeps the tokens of an answer and returns the access token.
    fn keep(&mut self, response: &Response) -> Option<String> {
        let data = data_of(LOG_IN_NAME, response).ok()?;
        let token = data["access_token"].as_str()?.to_owned();
        secret::learn_own("access_token", &token);
        self.refresh_token = data[REFRESH_TOKEN].as_str().map(ToOwned::to_owned).or_else(|| cookie(response));
        secret::learn_own("refresh_token", self.refresh_token.as_deref().unwrap_or_default());
        Some(self.access_token.insert(token).clone())
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let mut headers = response.headers.iter();
    headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Returns the refresh token of the cookie that an answer sets.
fn cookie(response: &Response) -> Option<String> {
    let set = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let mut pairs = set.filter_map(|(_, value)| value.split(';').next()?.trim().split_once('='));
    pairs.find(|(name, value)| *name == REFRESH_TOKEN && !value.is_empty()).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::Value;

    fn response(headers: &[(&str, &str)], body: &Value) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = Bytes::from(body.to_string());
        Response { status: 200, headers, body, protocol: "HTTP/1.1", tls: None, source: None }
    }

    #[test]
    fn both_forms_of_a_refresh_token_are_kept() {
        let mut session = Session::default();
        let data = json!({"data": {"access_token": "a", "refresh_token": "r"}});
        assert_eq!(session.keep(&response(&[], &data)).as_deref(), Some("a"));
        assert_eq!(session.refresh_token.as_deref(), Some("r"));
        let data = json!({"data": {"access_token": "b"}});
        let set = [("Set-Cookie", "other=1; Path=/"), ("Set-Cookie", "refresh_token=c; HttpOnly")];
        assert_eq!(session.keep(&response(&set, &data)).as_deref(), Some("b"));
        assert_eq!(session.refresh_token.as_deref(), Some("c"));
    }

    #[test]
    fn sixth_log_in_of_an_hour_is_not_tried() {
        let mut session = Session::default();
        for _ in 0..LOG_INS_MAX {
            assert_eq!(session.is_within_limit(), Ok(()));
            session.log_ins.push_back(Stopwatch::start());
        }
        let error = session.is_within_limit().expect_err("the limit");
        assert!(error.contains("limit of 5 an hour") && error.contains("in 60 min"), "{error}");
    }
}
