//! Constructors of exchanges, for the tests of checks.

use serde_json::Value;

use super::entry::{Body, Direction, Exchange, Failure, Message};
use super::kind::FailureKind;
use crate::wire::path::PREFIX;

impl Exchange {
    /// Creates an exchange with this peer, without any other data.
    #[must_use]
    pub fn made(peer: &str, direction: Direction) -> Self {
        Self {
            peer: peer.to_owned(),
            direction,
            request: Message::default(),
            response: None,
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec![],
        }
    }

    /// Creates a call from this peer to the target.
    #[must_use]
    pub fn to_target(peer: &str) -> Self {
        Self::made(peer, Direction::ToTarget)
    }

    /// Creates a call from the target to this peer.
    #[must_use]
    pub fn from_target(peer: &str) -> Self {
        Self::made(peer, Direction::FromTarget)
    }

    /// Sets the method and the path. `below` is the path below the prefix.
    #[must_use]
    pub fn on(mut self, method: &str, below: &str) -> Self {
        self.request.method = Some(method.to_owned());
        self.request.path = Some(format!("{PREFIX}/{below}"));
        self
    }

    /// Sets the body of the request.
    #[must_use]
    pub fn sending(mut self, body: Value) -> Self {
        self.request.body = Body::Json(body);
        self
    }

    /// Sets the status of the response, without a body.
    #[must_use]
    pub fn answered(mut self, status: u16) -> Self {
        self.response = Some(Message { status: Some(status), ..Message::default() });
        self
    }

    /// Sets the status and the body of the response.
    #[must_use]
    pub fn answered_with(mut self, status: u16, body: Value) -> Self {
        self.response = Some(Message { status: Some(status), body: Body::Json(body), ..Message::default() });
        self
    }

    /// Lets the call fail without a response.
    #[must_use]
    pub fn failing(mut self, kind: FailureKind) -> Self {
        self.failure = Some(Failure { kind, message: kind.to_string() });
        self
    }

    /// Sets the headers of the response.
    #[must_use]
    pub fn heading(mut self, headers: &[(&str, &str)]) -> Self {
        if let Some(response) = &mut self.response {
            response.headers =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        }
        self
    }
}
