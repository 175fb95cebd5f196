//! Exchanges as the tests of those who check them make them up.

use serde_json::Value;

use super::entry::{Body, Direction, Exchange, Message};
use crate::wire::path::PREFIX;

impl Exchange {
    /// One with this peer, of which nothing more is known.
    pub(crate) fn made(peer: &str, direction: Direction) -> Self {
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
    pub(crate) fn to_target(peer: &str) -> Self {
        Self::made(peer, Direction::ToTarget)
    }

    /// A call of the target's to this peer.
    pub(crate) fn from_target(peer: &str) -> Self {
        Self::made(peer, Direction::FromTarget)
    }

    /// Of what: the path below the prefix.
    pub(crate) fn on(mut self, method: &str, below: &str) -> Self {
        self.request.method = Some(method.to_owned());
        self.request.path = Some(format!("{PREFIX}/{below}"));
        self
    }

    /// With this body.
    pub(crate) fn sending(mut self, body: Value) -> Self {
        self.request.body = Body::Json(body);
        self
    }

    /// Answered so, without a body.
    pub(crate) fn answered(mut self, status: u16) -> Self {
        self.response = Some(Message { status: Some(status), ..Message::default() });
        self
    }

    /// Answered so, with this body.
    pub(crate) fn answered_with(mut self, status: u16, body: Value) -> Self {
        self.response = Some(Message { status: Some(status), body: Body::Json(body), ..Message::default() });
        self
    }

    /// The answer has these headers.
    pub(crate) fn heading(mut self, headers: &[(&str, &str)]) -> Self {
        if let Some(response) = &mut self.response {
            response.headers =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        }
        self
    }
}
