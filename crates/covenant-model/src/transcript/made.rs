//! Exchanges as the tests of those who check them make them up.

use serde_json::Value;

use super::entry::{Body, Direction, Exchange, Message};
use crate::wire::path::PREFIX;

impl Exchange {
    /// One with this peer, of which nothing more is known.
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

    /// A call of this peer's.
    #[must_use]
    pub fn to_target(peer: &str) -> Self {
        Self::made(peer, Direction::ToTarget)
    }

    /// A call of the target's to this peer.
    #[must_use]
    pub fn from_target(peer: &str) -> Self {
        Self::made(peer, Direction::FromTarget)
    }

    /// Of what: the path below the prefix.
    #[must_use]
    pub fn on(mut self, method: &str, below: &str) -> Self {
        self.request.method = Some(method.to_owned());
        self.request.path = Some(format!("{PREFIX}/{below}"));
        self
    }

    /// With this body.
    #[must_use]
    pub fn sending(mut self, body: Value) -> Self {
        self.request.body = Body::Json(body);
        self
    }

    /// Answered so, without a body.
    #[must_use]
    pub fn answered(mut self, status: u16) -> Self {
        self.response = Some(Message { status: Some(status), ..Message::default() });
        self
    }

    /// Answered so, with this body.
    #[must_use]
    pub fn answered_with(mut self, status: u16, body: Value) -> Self {
        self.response = Some(Message { status: Some(status), body: Body::Json(body), ..Message::default() });
        self
    }

    /// The answer has these headers.
    #[must_use]
    pub fn heading(mut self, headers: &[(&str, &str)]) -> Self {
        if let Some(response) = &mut self.response {
            response.headers =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        }
        self
    }
}
