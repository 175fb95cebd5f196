//! Responses to peers, and the other ways in which their calls can end.

use serde::Serialize;
use serde_json::{Value, json};

use crate::store::StoreError;
use crate::suspicion::Suspicion;
use covenant_model::wire::envelope;
use covenant_model::wire::header;
use covenant_model::wire::weight;
use covenant_net::net::{Inbound, Outbound};

/// A response, and the suspicions that the call raised.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Value of `Retry-After`, sent with a 429.
    pub(crate) retry_after_seconds: Option<i64>,
    /// Acts of the caller against the contract. They are raised when the caller's row is written.
    pub(crate) suspicions: Vec<Suspicion>,
    /// Lasting states of the caller against the contract. Each is noted once.
    pub(crate) states: Vec<Suspicion>,
}

/// A call that does not end in an ordinary response.
#[derive(Debug)]
pub(crate) enum InboundError {
    /// The call is refused, and its changes are undone.
    Refused(Box<Reply>),
    /// The store failed, or the platform died during the call.
    Store(StoreError),
}

impl From<StoreError> for InboundError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Reply {
    /// Creates a response with this body.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body, retry_after_seconds: None, suspicions: Vec::new(), states: Vec::new() }
    }

    /// Creates a 200 with `{"success":true,"data":…}`.
    pub(crate) fn success(data: &impl Serialize) -> Self {
        Self::new(200, envelope::success(data))
    }

    /// Creates a response with `{"data":…}`.
    pub(crate) fn bare(status: u16, data: &impl Serialize) -> Self {
        Self::new(status, envelope::bare(data))
    }

    /// Creates a response with `{"error":…}`.
    pub(crate) fn bare_failure(status: u16, error: impl AsRef<str>) -> Self {
        Self::new(status, envelope::bare_failure(error.as_ref()))
    }

    /// Creates a response with `{"success":false,"error":…}`.
    pub(crate) fn failure(status: u16, error: impl AsRef<str>) -> Self {
        Self::new(status, envelope::failure(error.as_ref(), None))
    }

    /// Creates a 401 with the code of the observed platform.
    pub(crate) fn unauthorized(error: &str) -> Self {
        Self::new(401, envelope::failure(error, Some("UNAUTHORIZED")))
    }

    /// Creates a routing 404.
    pub(crate) fn not_found() -> Self {
        Self::new(404, json!({"status": 404, "error": "Not Found"}))
    }

    /// Creates a 429 with `Retry-After`.
    pub(crate) fn too_often(retry_after_seconds: i64) -> Self {
        let body = envelope::failure("Too many requests", Some("RATE_LIMITED"));
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::new(429, body) }
    }

    /// Creates a 500 that reveals no internals.
    pub(crate) fn internal_error() -> Self {
        Self::new(500, envelope::failure("Internal server error", Some("INTERNAL_ERROR")))
    }

    /// Adds suspicions to the response.
    pub(crate) fn suspecting(mut self, suspicion: impl IntoIterator<Item = Suspicion>) -> Self {
        self.suspicions.extend(suspicion);
        self
    }

    /// Adds lasting states to the response.
    pub(crate) fn noting(mut self, states: impl IntoIterator<Item = Suspicion>) -> Self {
        self.states.extend(states);
        self
    }

    /// Turns the response into a refusal, which undoes the changes of the call.
    pub(crate) fn refused(self) -> InboundError {
        InboundError::Refused(Box::new(self))
    }

    pub(super) fn into_outbound(self) -> Outbound {
        let mut outbound = Outbound::json(self.status, &self.body);
        if let Some(seconds) = self.retry_after_seconds {
            outbound.headers.push((header::RETRY_AFTER.to_owned(), seconds.to_string()));
        }
        outbound
    }
}

/// Parses the body as JSON. An absent body is an empty object. The parser limits the depth to 128, and the memory.
pub(crate) fn json_body(call: &Inbound) -> Result<Value, InboundError> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    weight::parse_from(call.peer_certificate.is_none(), &call.body)
        .map_err(|error| Reply::bare_failure(400, format!("Invalid payload: {error}")).refused())
}
