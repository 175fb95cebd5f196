//! Messages of a connection, complete and within the limits: requests and responses of a server and of a client.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::Notify;

use crate::pki::Certificate;
use covenant_model::transcript::TlsFacts;

/// Request that arrived at a server.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Number of the connection, from 1.
    pub connection: u64,
    /// Method: `GET`, `POST`, …
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Query, without the question mark.
    pub query: Option<String>,
    /// Headers in order, with lower-case names on both protocols.
    pub headers: Vec<(String, String)>,
    /// Body of the request.
    pub body: Bytes,
    /// Address of the client.
    pub remote: SocketAddr,
    /// Protocol: `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// TLS facts of the connection; `None` if it has no TLS.
    pub tls: Option<TlsFacts>,
    /// Certificate that the client presented when the connection was made. It may be revoked since then, so a
    /// handler checks it with its [`Trust`](crate::pki::Trust) again.
    pub peer_certificate: Option<Certificate>,
    /// Answer of [`Handler::begins`](crate::net::Handler::begins) when the head had arrived, before the body.
    pub mark: bool,
}

impl Inbound {
    /// Returns the first header with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Response of a server.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// Status of the response.
    pub status: u16,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// Body of the response.
    pub body: Bytes,
    /// `true` to send the body in pieces and without a length.
    pub chunked: bool,
    /// `true` to drop the connection, as a process that exits does: after half of the body or, if there is no
    /// body, before anything is sent.
    pub abort: bool,
}

impl Outbound {
    /// Creates a response with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
            body: Bytes::from(body.to_string()),
            ..Self::default()
        }
    }

    /// Creates a dropped connection in place of a response.
    #[must_use]
    pub fn abort() -> Self {
        Self { abort: true, ..Self::default() }
    }
}

/// Request that a client sends.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Method: `GET`, `POST`, …
    pub method: String,
    /// Path and query, below the path of the base URL.
    pub path_and_query: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// Body; `None` if the request has no body.
    pub body: Option<Bytes>,
}

/// Pause in the middle of the body of a request: the first half is sent, and the second half waits. Clones share
/// it.
#[derive(Clone, Debug, Default)]
pub struct Pause(Arc<Halves>);

#[derive(Debug, Default)]
struct Halves {
    sent: Notify,
    received: Notify,
    resumed: Notify,
}

impl Pause {
    /// Waits until the first half is sent.
    pub async fn first_half_sent(&self) {
        self.0.sent.notified().await;
    }

    /// Waits until the server asks for the body (`100 Continue`), which shows that it has read the head. Many servers do so
    /// when a request has `Expect: 100-continue`; one that does not never ends this wait.
    pub async fn head_received(&self) {
        self.0.received.notified().await;
    }

    /// Notes that the server asks for the body.
    pub(super) fn note_head_received(&self) {
        self.0.received.notify_one();
    }

    /// Sends the second half.
    pub fn resume(&self) {
        self.0.resumed.notify_one();
    }
}

/// Response that a client received.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status of the response.
    pub status: u16,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// Body of the response.
    pub body: Bytes,
    /// Protocol: `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// TLS facts of the connection; `None` if it had no TLS.
    pub tls: Option<TlsFacts>,
    /// Loopback address that the client called from; `None` if the client has no address of its own.
    pub source: Option<Ipv4Addr>,
}

/// Body of an outgoing message.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// Creates a body with a declared length.
pub(super) fn in_one(body: Bytes) -> Body {
    Full::new(body).boxed()
}

/// Creates a body in pieces, without a declared length.
pub(super) fn in_pieces(body: &Bytes) -> Body {
    let size = (body.len() / 3).max(1);
    let pieces: Vec<_> =
        body.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
}

/// Creates a body whose second half waits.
pub(super) fn in_halves(body: &Bytes, pause: Pause) -> Body {
    let (first, second) = (body.slice(..body.len() / 2), body.slice(body.len() / 2..));
    let rest = stream::once(async move {
        pause.0.sent.notify_one();
        pause.0.resumed.notified().await;
        Ok(Frame::data(second))
    });
    BodyExt::boxed(StreamBody::new(stream::iter([Ok(Frame::data(first))]).chain(rest)))
}

/// Returns the headers of a message in order. Bytes that are not UTF-8 are replaced.
pub(super) fn header_list(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
