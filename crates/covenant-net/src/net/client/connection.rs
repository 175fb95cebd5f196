//! One connection of a client: its requests, and the cause of its failure.

use std::net::Ipv4Addr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::socket::Probe;
use super::watched::{Watch, Watched};
use super::{ClientOptions, Protocol};
use crate::net::message::Body;
use crate::net::{Limits, NetError};
use covenant_model::transcript::TlsFacts;

/// Time that a failed request waits for its connection to report the cause.
const EXPLANATION_TIME_MAX: Duration = Duration::from_millis(500);
/// Time that a completed request waits until its connection is ready for the next one.
const READY_TIME_MAX: Duration = Duration::from_millis(500);
/// Smallest buffer limit that hyper accepts, in bytes.
const BUFFER_BYTES_MIN: usize = 8192;

/// Connection after its handshake.
#[derive(Debug)]
pub(super) struct Connection {
    sender: Sender,
    probe: Probe,
    source: Option<Ipv4Addr>,
    tls: Option<TlsFacts>,
    driver: JoinHandle<()>,
    watch: Watch,
    limits: Limits,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// Failed exchange.
pub(super) struct Failed {
    pub(super) error: NetError,
    /// `true` if no part of the request was sent.
    pub(super) unsent: bool,
    /// `true` if the connection ended before anything of an answer came.
    pub(super) unanswered: bool,
}

impl Connection {
    /// Starts HTTP on a connected stream.
    pub(super) async fn open(
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        (probe, source): (Probe, Option<Ipv4Addr>),
        tls: Option<TlsFacts>,
        limits: Limits,
        options: ClientOptions,
    ) -> Result<Self, NetError> {
        let watch = Watch::default();
        let io = TokioIo::new(Watched::new(io, watch.clone(), &limits));
        let agreed = tls.as_ref().and_then(|tls| tls.alpn.as_deref());
        let opened = if agreed == Some("h2") || options.protocol == Protocol::Http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).max_header_list_size(limits.header_bytes_max);
            builder.handshake(io).await.map(|(sender, driver)| (Sender::Http2(sender), drive(driver)))
        } else {
            let mut builder = http1::Builder::new();
            builder
                .max_headers(limits.headers_max)
                .max_buf_size(BUFFER_BYTES_MIN.max(limits.header_bytes_max as usize))
                .title_case_headers(options.title_case_headers)
                // A client has to read them, though no server may send them (RFC 9112, 5.2).
                .allow_obsolete_multiline_headers_in_responses(true);
            builder.handshake(io).await.map(|(sender, driver)| (Sender::Http1(sender), drive(driver)))
        };
        let (sender, driver) = opened.map_err(|error| NetError::of_exchange(&error, &limits))?;
        Ok(Self { sender, probe, source, tls, driver, watch, limits })
    }

    /// Sends a request, and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        message: hyper::Request<Body>,
    ) -> Result<hyper::Response<Incoming>, Failed> {
        self.watch.begin_exchange();
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(message).await,
            Sender::Http2(sender) => sender.try_send_request(message).await,
        };
        match sent {
            Ok(response) => Ok(response),
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                let error = self.explain(failed.error()).await;
                let unanswered = matches!(error, NetError::Closed(_));
                Err(Failed { error, unsent, unanswered })
            }
        }
    }

    /// Waits until the connection is ready for the next request. Returns `false` if it is not ready in time.
    pub(super) async fn is_reusable(&mut self) -> bool {
        let ready = async {
            match &mut self.sender {
                Sender::Http1(sender) => sender.ready().await.is_ok(),
                Sender::Http2(sender) => sender.ready().await.is_ok(),
            }
        };
        timeout(READY_TIME_MAX, ready).await.unwrap_or(false)
    }

    /// Returns whether an idle connection is still open on both ends.
    pub(super) fn is_alive(&self) -> bool {
        self.is_open() && self.probe.is_quiet()
    }

    fn is_open(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => !sender.is_closed(),
            Sender::Http2(sender) => !sender.is_closed(),
        }
    }

    pub(super) fn source(&self) -> Option<Ipv4Addr> {
        self.source
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    pub(super) fn protocol(&self) -> &'static str {
        if self.is_http2() { "HTTP/2" } else { "HTTP/1.1" }
    }

    pub(super) fn tls(&self) -> Option<TlsFacts> {
        self.tls.clone()
    }

    /// Returns the failure that ended the connection, if one is known.
    pub(super) fn failure(&self) -> Option<NetError> {
        self.watch.failure()
    }

    /// Returns the failure of the connection as the cause if there is one. On TLS 1.3, the refusal of a certificate arrives
    /// with the first read of the connection, beside the request that fails.
    async fn explain(&mut self, error: &hyper::Error) -> NetError {
        if !self.is_open() {
            let _ = timeout(EXPLANATION_TIME_MAX, &mut self.driver).await;
        }
        self.failure().unwrap_or_else(|| NetError::of_exchange(error, &self.limits))
    }
}

impl From<NetError> for Failed {
    fn from(error: NetError) -> Self {
        Self { error, unsent: false, unanswered: false }
    }
}

fn drive(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        // The request that fails receives the error of the connection.
        let _ = connection.await;
    })
}
