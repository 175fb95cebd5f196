//! What crosses a connection, whole and within the limits, as its reader and its writer see it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use crate::pki::Certificate;
use covenant_model::transcript::TlsFacts;

/// A request that arrived at a server.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// The number of its connection, from 1.
    pub connection: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    /// In order; on both protocols in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Where it came from.
    pub remote: SocketAddr,
    /// `HTTP/1.1`, `HTTP/2`.
    pub protocol: &'static str,
    /// The connection's TLS, where there is one.
    pub tls: Option<TlsFacts>,
    /// The certificate that the client showed when the connection was made. It may have been
    /// revoked since: a handler asks its [`Trust`](crate::pki::Trust) again.
    pub peer_certificate: Option<Certificate>,
}

impl Inbound {
    /// The first header of that name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A server's answer.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// The status.
    pub status: u16,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Sends the body in pieces and without a length.
    pub chunked: bool,
    /// Drops the connection, as a process that dies does: after half of the body, or where there
    /// is no body before anything is said.
    pub abort: bool,
}

impl Outbound {
    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
            body: Bytes::from(body.to_string()),
            ..Self::default()
        }
    }

    /// No answer: the connection is dropped.
    #[must_use]
    pub fn abort() -> Self {
        Self { abort: true, ..Self::default() }
    }
}

/// A request that a client sends.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Below the base URL's own path.
    pub path_and_query: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Bytes>,
}

/// An answer that a client got.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// `HTTP/1.1`, `HTTP/2`.
    pub protocol: &'static str,
    /// The connection's TLS, where there was one.
    pub tls: Option<TlsFacts>,
    /// The loopback address of the client's own that it called from, where it had one.
    pub source: Option<Ipv4Addr>,
}

/// A body on its way out.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// A body whose length is told.
pub(super) fn in_one(body: Bytes) -> Body {
    Full::new(body).boxed()
}

/// A body in pieces, whose length is not told.
pub(super) fn in_pieces(body: &Bytes) -> Body {
    let size = (body.len() / 3).max(1);
    let pieces: Vec<_> =
        body.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
}

/// The headers of a message in order, what is no UTF-8 in them replaced.
pub(super) fn header_list(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
