//! A call to the target, and its outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use covenant_model::transcript::{FailureKind, PUT_OFF};
use covenant_model::wire::path::Route;

use crate::Peer;

/// Step of a scenario that acts, and the label of its entries.
#[derive(Clone, Debug, Default)]
pub struct StepContext {
    /// Number of the step, from 1.
    pub step: Option<u32>,
    /// Label of the entries (`as = "…"`).
    pub label: Option<String>,
}

/// Request to the target.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Method: `GET`, `POST`, …
    pub method: String,
    /// Path, with the prefix.
    pub path: String,
    /// Query, without the question mark.
    pub query: Option<String>,
    /// Headers beside those that every call has.
    pub headers: Vec<(String, String)>,
    /// Body, as JSON.
    pub body: Option<Value>,
    /// Bearer token of a grant.
    pub bearer_token: Option<String>,
    /// `true` to call without the client certificate.
    pub without_certificate: bool,
    /// Certificate to present in place of the peer's own; `None` presents that.
    pub certificate: Option<OtherCertificate>,
    /// Peer whose authority issues the certificate to present, under the name of the caller.
    pub issuer: Option<Peer>,
}

/// Certificate that the target has to refuse: with the name of the peer, or once its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherCertificate {
    /// A certificate of the peer's own authority whose validity has ended.
    Ended,
    /// A certificate of an authority that the target does not know.
    Foreign,
    /// The certificate that the peer had in the peering before this one.
    Former,
}

impl Call {
    /// Creates a call of a route.
    #[must_use]
    pub fn route(route: &Route) -> Self {
        Self { method: route.method().to_owned(), path: route.path(), ..Self::default() }
    }

    /// Sets the JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the bearer token of a grant.
    #[must_use]
    pub fn bearing(mut self, token: Option<&str>) -> Self {
        self.bearer_token = token.map(ToOwned::to_owned);
        self
    }
}

/// Result of a call.
#[derive(Clone, Debug, Default)]
pub struct CallOutcome {
    /// Number of the call's entry in the trace.
    pub n: u64,
    /// Status of the response; `None` if there was none.
    pub status: Option<u16>,
    /// JSON of the response, or null.
    pub body: Value,
    /// Data of the response, read through its envelope; `None` if it is not a success.
    pub data: Option<Value>,
    /// Kind of the failure, if there was no response.
    pub failure: Option<FailureKind>,
    /// Outcome for a person: the status and the body, or why there is none.
    pub in_words: String,
    /// Encoding of a body that is not read, because it is compressed.
    pub encoding: Option<String>,
    /// Member of a successful answer to an accept that the peer needs and can't use, in words: what was expected, and what
    /// came.
    pub unusable: Option<String>,
}

impl CallOutcome {
    /// Returns whether the call was admitted, that is, answered with 2xx.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Returns whether the target refused the call, and not for now only.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && !PUT_OFF.contains(&status))
    }
}
