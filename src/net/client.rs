//! A client: one request at a time on a fresh or a kept-alive connection; never a redirect.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::server::in_pieces;
use super::watched::{Refusal, Watched};
use super::{Limits, NetError, TlsFacts, facts, header_list};
use crate::pki::ClientTls;

/// How long a failed request waits for its connection to tell why.
const EXPLANATION_TIME_MAX: Duration = Duration::from_millis(500);

/// How a client behaves where it is free to.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientOptions {
    /// Sends the next request on the connection of the last.
    pub reuse_connections: bool,
    /// Sends bodies in pieces and without a length (HTTP/1.1: chunked).
    pub chunked: bool,
    /// Writes header names `Like-This` on HTTP/1.1.
    pub title_case_headers: bool,
    /// What is spoken where TLS agrees on nothing.
    pub protocol: Protocol,
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What ALPN agrees on, else HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/2 without asking.
    Http2,
}

/// A request.
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

/// An answer, whole and within the limits.
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
}

/// A client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tls: Option<ClientTls>,
    limits: Limits,
    options: ClientOptions,
    idle: Mutex<BTreeMap<String, Vec<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    sender: Sender,
    tls: Option<TlsFacts>,
    driver: JoinHandle<()>,
    refusal: Refusal,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

type RequestBody = BoxBody<Bytes, Infallible>;

impl Client {
    /// A client; without TLS it calls `http:` addresses only.
    #[must_use]
    pub fn new(tls: Option<ClientTls>, limits: Limits, options: ClientOptions) -> Self {
        Self(Arc::new(Inner { tls, limits, options, idle: Mutex::default() }))
    }

    /// Sends a request to `base_url` and reads the whole answer.
    ///
    /// A kept-alive connection that the other end had closed meanwhile is replaced by a fresh one,
    /// but only where nothing of the request had been sent on it: nothing is ever sent twice.
    pub async fn send(&self, base_url: &Url, request: Request) -> Result<Response, NetError> {
        let origin = base_url.origin().ascii_serialization();
        if let Some(connection) = self.take_idle(&origin) {
            match self.exchange(base_url, connection, &request).await {
                Err(Failed { unsent: true, .. }) => {}
                other => return other.map_err(|failed| failed.error),
            }
        }
        let connection = self.connect(base_url).await?;
        self.exchange(base_url, connection, &request).await.map_err(|failed| failed.error)
    }

    /// Drops every kept-alive connection.
    pub fn forget_connections(&self) {
        self.idle().clear();
    }

    async fn connect(&self, base_url: &Url) -> Result<Connection, NetError> {
        let limit = self.0.limits.connect_time_max;
        timeout(limit, self.open(base_url))
            .await
            .unwrap_or(Err(NetError::Timeout { phase: "connect", seconds: limit.as_secs() }))
    }

    async fn open(&self, base_url: &Url) -> Result<Connection, NetError> {
        let no_request = |what: &str| NetError::Request(format!("{base_url}: {what}"));
        let host = base_url.host().ok_or_else(|| no_request("no host"))?.to_owned();
        let port = base_url.port_or_known_default().ok_or_else(|| no_request("no port"))?;
        let socket = match &host {
            Host::Domain(name) => TcpStream::connect((name.as_str(), port)).await,
            Host::Ipv4(address) => TcpStream::connect((*address, port)).await,
            Host::Ipv6(address) => TcpStream::connect((*address, port)).await,
        }
        .map_err(|error| NetError::Refused(error.to_string()))?;
        let _ = socket.set_nodelay(true);
        if base_url.scheme() == "http" {
            return self.speak(socket, None).await;
        }
        let Some(tls) = &self.0.tls else {
            return Err(no_request("an https address, and no TLS was set up"));
        };
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name).map_err(|_| no_request("no valid host name"))?,
            Host::Ipv4(address) => ServerName::IpAddress(std::net::IpAddr::from(address).into()),
            Host::Ipv6(address) => ServerName::IpAddress(std::net::IpAddr::from(address).into()),
        };
        let stream = TlsConnector::from(tls.0.clone())
            .connect(name, socket)
            .await
            .map_err(|error| NetError::of_handshake(&error))?;
        let (facts, _) = facts(stream.get_ref().1);
        self.speak(stream, Some(facts)).await
    }

    async fn speak(
        &self,
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tls: Option<TlsFacts>,
    ) -> Result<Connection, NetError> {
        let limits = self.0.limits;
        let refusal = Refusal::default();
        let io = TokioIo::new(Watched::new(io, refusal.clone()));
        let agreed = tls.as_ref().and_then(|tls| tls.alpn.as_deref());
        let http2 = agreed == Some("h2") || self.0.options.protocol == Protocol::Http2;
        let (sender, driver) = if http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_header_list_size(limits.header_bytes_max)
                .handshake(io)
                .await
                .map_err(|error| NetError::of_exchange(&error))?;
            (Sender::Http2(sender), drive(connection))
        } else {
            let (sender, connection) = http1::Builder::new()
                .max_headers(limits.headers_max)
                .max_buf_size(limits.header_bytes_max as usize)
                .title_case_headers(self.0.options.title_case_headers)
                .handshake(io)
                .await
                .map_err(|error| NetError::of_exchange(&error))?;
            (Sender::Http1(sender), drive(connection))
        };
        Ok(Connection { sender, tls, driver, refusal })
    }

    async fn exchange(
        &self,
        base_url: &Url,
        mut connection: Connection,
        request: &Request,
    ) -> Result<Response, Failed> {
        let limit = self.0.limits.exchange_time_max;
        let message = self.message(base_url, &connection.sender, request)?;
        let exchange = async {
            let response = match connection.sender.send(message).await {
                Ok(response) => response,
                Err(failed) => return Err(failed.explained_by(&mut connection).await),
            };
            let read = self.read(response).await?;
            let reusable = self.0.options.reuse_connections && connection.sender.ready().await;
            Ok((read, reusable))
        };
        let ((status, headers, body), reusable) = timeout(limit, exchange).await.unwrap_or_else(|_| {
            Err(Failed::from(NetError::Timeout { phase: "answer", seconds: limit.as_secs() }))
        })?;
        let protocol = connection.sender.protocol();
        let tls = connection.tls.clone();
        if reusable {
            let origin = base_url.origin().ascii_serialization();
            self.idle().entry(origin).or_default().push(connection);
        }
        Ok(Response { status, headers, body, protocol, tls })
    }

    fn message(
        &self,
        base_url: &Url,
        sender: &Sender,
        request: &Request,
    ) -> Result<hyper::Request<RequestBody>, NetError> {
        let path = format!("{}{}", base_url.path().trim_end_matches('/'), request.path_and_query);
        let authority = base_url.authority().to_owned();
        let mut builder = hyper::Request::builder().method(request.method.as_str());
        builder = match sender {
            Sender::Http1(_) => builder.uri(path).header(http::header::HOST, authority),
            Sender::Http2(_) => builder.uri(format!("{}://{authority}{path}", base_url.scheme())),
        };
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let body = match &request.body {
            Some(body) if self.0.options.chunked => in_pieces(body.clone()),
            Some(body) => Full::new(body.clone()).boxed(),
            None => Full::new(Bytes::new()).boxed(),
        };
        builder.body(body).map_err(|error| NetError::Request(error.to_string()))
    }

    async fn read(
        &self,
        response: hyper::Response<Incoming>,
    ) -> Result<(u16, Vec<(String, String)>, Bytes), NetError> {
        let limit = self.0.limits.body_bytes_max;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return NetError::TooLarge { what: "body", limit };
            }
            match error.downcast_ref::<hyper::Error>() {
                Some(error) => NetError::of_exchange(error),
                None => NetError::Closed(error.to_string()),
            }
        })?;
        Ok((head.status.as_u16(), header_list(&head.headers), body.to_bytes()))
    }

    fn take_idle(&self, origin: &str) -> Option<Connection> {
        let mut idle = self.idle();
        let connections = idle.get_mut(origin)?;
        while let Some(connection) = connections.pop() {
            if connection.sender.is_open() {
                return Some(connection);
            }
        }
        None
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Connection>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drive(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Its error reaches the request that it fails.
        let _ = connection.await;
    })
}

impl Sender {
    fn protocol(&self) -> &'static str {
        match self {
            Self::Http1(_) => "HTTP/1.1",
            Self::Http2(_) => "HTTP/2",
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Http1(sender) => !sender.is_closed(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    /// Waits until the next request can be sent; false where none ever can.
    async fn ready(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    async fn send(
        &mut self,
        message: hyper::Request<RequestBody>,
    ) -> Result<hyper::Response<Incoming>, Failed> {
        let sent = match self {
            Self::Http1(sender) => sender.try_send_request(message).await,
            Self::Http2(sender) => sender.try_send_request(message).await,
        };
        sent.map_err(|mut failed| Failed {
            unsent: failed.take_message().is_some(),
            error: NetError::of_exchange(failed.error()),
        })
    }
}

/// An exchange that failed, and whether nothing of its request was sent.
struct Failed {
    error: NetError,
    unsent: bool,
}

impl Failed {
    /// Names the refusal of a certificate as the cause, where it was that: on TLS 1.3 the alert
    /// arrives with the connection's first read, beside the request that it fails.
    async fn explained_by(self, connection: &mut Connection) -> Self {
        if !connection.sender.is_open() {
            let _ = timeout(EXPLANATION_TIME_MAX, &mut connection.driver).await;
        }
        match connection.refusal.get() {
            Some(reason) => Self { error: NetError::Certificate(reason.clone()), ..self },
            None => self,
        }
    }
}

impl From<NetError> for Failed {
    fn from(error: NetError) -> Self {
        Self { error, unsent: false }
    }
}
