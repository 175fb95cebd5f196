//! A call of a client, as a transcript has it.

use super::{NetError, Request, Response};
use covenant_model::transcript::{Body, Exchange, Failure, Message};

impl Request {
    /// Returns the exchange of this request and its outcome: a call that `peer` made to the target.
    #[must_use]
    pub fn exchange(self, peer: &str, outcome: Result<Response, NetError>) -> Exchange {
        let request = Message {
            method: Some(self.method),
            path: Some(self.path_and_query),
            headers: self.headers,
            body: Body::capture(self.body.as_deref().unwrap_or_default()),
            ..Message::default()
        };
        let exchange = Exchange { request, ..Exchange::to_target(peer) };
        match outcome {
            Ok(response) => Exchange {
                tls: response.tls,
                source: response.source,
                protocol: Some(response.protocol.to_owned()),
                response: Some(Message {
                    status: Some(response.status),
                    headers: response.headers,
                    body: Body::capture(&response.body),
                    ..Message::default()
                }),
                ..exchange
            },
            Err(error) => {
                let failure = Failure { kind: error.kind(), message: error.to_string() };
                Exchange { failure: Some(failure), ..exchange }
            }
        }
    }
}
