//! HTTP client: one request at a time on a new or a kept-alive connection. It never follows a redirect.

mod connection;
mod socket;
mod watched;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;
use url::{Position, Url};

use self::connection::{Connection, Failed};
use self::socket::Opened;
use super::budget::Share;
use super::message::{Body, header_list, in_halves, in_one, in_pieces};
use super::{Limits, NetError, Pause, Request, Response, tls_facts};
use crate::pki::ClientTls;

/// Permitted choices of a client.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientOptions {
    /// `true` to send the next request on the connection of the last one.
    pub reuse_connections: bool,
    /// `true` to send bodies in pieces and without a length (HTTP/1.1: chunked).
    pub chunked: bool,
    /// `true` to write header names `Like-This` on HTTP/1.1.
    pub title_case_headers: bool,
    /// Protocol if TLS agrees on none.
    pub protocol: Protocol,
    /// Loopback address from which the client calls a server on this machine, if the system allows it.
    pub source: Option<Ipv4Addr>,
}

/// HTTP version of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Version that ALPN agrees on, else HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/2 without negotiation.
    Http2,
}

/// HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tls: Option<ClientTls>,
    limits: Limits,
    options: ClientOptions,
    idle: Mutex<BTreeMap<String, Vec<Connection>>>,
}

impl Client {
    /// Creates a client. Without TLS it calls `http:` addresses only.
    #[must_use]
    pub fn new(tls: Option<ClientTls>, limits: Limits, options: ClientOptions) -> Self {
        Self(Arc::new(Inner { tls, limits, options, idle: Mutex::default() }))
    }

    /// Sends a request to `base_url` and reads the whole response.
    ///
    /// If the other end has closed a kept-alive connection, a new connection replaces it. This happens only if no part
    /// of the request has been sent, or if nothing of an answer to a GET came: no other request is ever sent twice.
    pub async fn send(&self, base_url: &Url, request: Request) -> Result<Response, NetError> {
        if let Some(connection) = self.take_idle(base_url) {
            match self.exchange(base_url, connection, &request, None).await {
                Err(Failed { unsent: true, .. }) => {}
                Err(Failed { unanswered: true, .. }) if request.method == "GET" => {}
                other => return other.map_err(|failed| failed.error),
            }
        }
        let connection = self.connect(base_url).await?;
        self.exchange(base_url, connection, &request, None).await.map_err(|failed| failed.error)
    }

    /// Sends a request on a new connection, with a pause in the middle of its body, and reads the whole response.
    pub async fn send_in_halves(
        &self,
        base_url: &Url,
        request: Request,
        pause: &Pause,
    ) -> Result<Response, NetError> {
        let connection = self.connect(base_url).await?;
        self.exchange(base_url, connection, &request, Some(pause)).await.map_err(|failed| failed.error)
    }

    /// Drops every kept-alive connection.
    pub fn forget_connections(&self) {
        self.idle().clear();
    }

    async fn connect(&self, base_url: &Url) -> Result<Connection, NetError> {
        let limit = self.0.limits.connect_time_max;
        timeout(limit, self.open(base_url))
            .await
            .unwrap_or(Err(NetError::Timeout { phase: "connect", limit }))
    }

    async fn open(&self, base_url: &Url) -> Result<Connection, NetError> {
        let Inner { tls, limits, options, .. } = &*self.0;
        let no_request = |what: &str| NetError::Request(format!("{base_url}: {what}"));
        let host = base_url.host().ok_or_else(|| no_request("no host"))?.to_owned();
        let tls = match (base_url.scheme(), tls) {
            ("http", _) => None,
            ("https", Some(tls)) => Some(tls),
            ("https", None) => return Err(no_request("an https address, and no TLS was set up")),
            _ => return Err(no_request("neither http nor https")),
        };
        let Opened { socket, probe, source } = socket::open(base_url, &host, options.source).await?;
        let Some(tls) = tls else {
            return Connection::open(socket, (probe, source), None, *limits, *options).await;
        };
        let connected = tls.connect(&host, socket).await;
        let (stream, session) = connected.map_err(|error| NetError::of_handshake(&error))?;
        Connection::open(stream, (probe, source), Some(tls_facts(&session)), *limits, *options).await
    }

    async fn exchange(
        &self,
        base_url: &Url,
        mut connection: Connection,
        request: &Request,
        pause: Option<&Pause>,
    ) -> Result<Response, Failed> {
        let message = self.message(base_url, &connection, request, pause)?;
        let answered = async {
            let response = connection.send(message).await?;
            let (protocol, tls, source) = (connection.protocol(), connection.tls(), connection.source());
            let read = self.read(response).await;
            let (head, body) = read.map_err(|error| connection.failure().unwrap_or(error))?;
            // On the same connection, hyper would send the next request as HTTP/1.0 too, and a body in pieces without its end.
            let may_go_on = head.version >= http::Version::HTTP_11;
            let response = Response {
                status: head.status.as_u16(),
                headers: header_list(&head.headers),
                body,
                protocol,
                tls,
                source,
            };
            Ok((response, may_go_on))
        };
        let limit = self.0.limits.exchange_time_max;
        let (response, may_go_on) = timeout(limit, answered)
            .await
            .unwrap_or_else(|_| Err(Failed::from(NetError::Timeout { phase: "answer", limit })))?;
        if self.0.options.reuse_connections && may_go_on && connection.is_reusable().await {
            self.idle().entry(origin(base_url)).or_default().push(connection);
        }
        Ok(response)
    }

    fn message(
        &self,
        base_url: &Url,
        connection: &Connection,
        request: &Request,
        pause: Option<&Pause>,
    ) -> Result<hyper::Request<Body>, NetError> {
        let path = format!("{}{}", base_url.path().trim_end_matches('/'), request.path_and_query);
        let mut builder = hyper::Request::builder().method(request.method.as_str());
        builder = if connection.is_http2() {
            builder.uri(format!("{}{path}", origin(base_url)))
        } else {
            let host = &base_url[Position::BeforeHost..Position::AfterPort];
            builder.uri(path).header(http::header::HOST, host)
        };
        // The client does not decompress, and a body of the limits' size may hold one that is far beyond them.
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept-encoding")) {
            builder = builder.header(http::header::ACCEPT_ENCODING, "identity");
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let body = match (&request.body, pause) {
            (Some(body), Some(pause)) => in_halves(body, pause.clone()),
            (Some(body), None) if self.0.options.chunked => in_pieces(body),
            (Some(body), None) => in_one(body.clone()),
            (None, _) => in_one(Bytes::new()),
        };
        let mut message = builder.body(body).map_err(|error| NetError::Request(error.to_string()))?;
        if let Some(pause) = pause.cloned() {
            hyper::ext::on_informational(&mut message, move |response| {
                if response.status() == http::StatusCode::CONTINUE {
                    pause.note_head_received();
                }
            });
        }
        Ok(message)
    }

    async fn read(
        &self,
        response: hyper::Response<Incoming>,
    ) -> Result<(http::response::Parts, Bytes), NetError> {
        let limits = &self.0.limits;
        let (head, mut body) = response.into_parts();
        // HTTP/1 counts the headers while it parses them; HTTP/2 does not.
        if head.headers.len() > limits.headers_max {
            return Err(NetError::TooLarge { what: "headers", limit: limits.headers_max });
        }
        let (mut share, mut kept) = (Share::default(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| NetError::of_exchange(&error, limits))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = kept.len() + data.len();
            if length > limits.body_bytes_max {
                return Err(NetError::TooLarge { what: "bytes of body", limit: limits.body_bytes_max });
            }
            share.grow(length, limits.body_bytes_max).await;
            kept.extend_from_slice(&data);
        }
        Ok((head, share.with(kept)))
    }

    fn take_idle(&self, base_url: &Url) -> Option<Connection> {
        let mut idle = self.idle();
        let connections = idle.get_mut(&origin(base_url))?;
        std::iter::from_fn(|| connections.pop()).find(Connection::is_alive)
    }

    fn idle(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Connection>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns scheme, host and port of a URL, without credentials.
fn origin(base_url: &Url) -> String {
    base_url.origin().ascii_serialization()
}
