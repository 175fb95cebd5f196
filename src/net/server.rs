//! A server: HTTP/1.1 and HTTP/2 over TLS by ALPN, or plain HTTP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Limits, TlsFacts, facts, header_list};
use crate::pki::{Certificate, ServerTls};

/// How long a graceful stop waits for what is under way.
const STOP_TIME_MAX: Duration = Duration::from_secs(2);
/// How long a refused client may go on sending before its socket is dropped: dropping it at once
/// would reset the connection, and the alert would be lost on the way.
const LINGER_TIME_MAX: Duration = Duration::from_millis(500);

/// What a server does with a request.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    async fn handle(&self, request: Inbound) -> Outbound;
}

/// A request that arrived, whole and within the limits.
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
    /// The certificate that the client showed when the connection was made.
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

/// An answer.
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
    /// Sends nothing and drops the connection, as a process that dies does.
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

/// A server that runs until it is stopped, killed or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `listener`.
    pub fn start(
        listener: TcpListener,
        tls: Option<ServerTls>,
        handler: Arc<dyn Handler>,
        limits: Limits,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            tls: tls.map(|tls| TlsAcceptor::from(tls.0)),
            handler,
            limits,
            connections: AtomicU64::new(0),
            stopped,
        });
        let task = tokio::spawn(accept(listener, shared));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and ends when what is under way is answered, within two seconds.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if timeout(STOP_TIME_MAX, &mut self.task).await.is_err() {
            self.kill().await;
        }
    }

    /// Drops every connection as it is. The port is free when it returns.
    pub async fn kill(mut self) {
        self.task.abort();
        // Only a cancelled task's sockets are closed for certain.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shared {
    tls: Option<TlsAcceptor>,
    handler: Arc<dyn Handler>,
    limits: Limits,
    connections: AtomicU64,
    stopped: watch::Receiver<bool>,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and every connection with it.
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(shared.limits.connections_max));
    let mut stopped = shared.stopped.clone();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        tokio::select! {
            accepted = listener.accept() => if let Ok((socket, remote)) = accepted {
                let shared = shared.clone();
                tasks.spawn(async move {
                    serve(socket, remote, shared).await;
                    drop(place);
                });
            },
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn serve(socket: TcpStream, remote: SocketAddr, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let mut link = Link {
        connection: shared.connections.fetch_add(1, Ordering::Relaxed) + 1,
        remote,
        protocol: "HTTP/1.1",
        tls: None,
        certificate: None,
        dropped: Arc::default(),
    };
    let Some(acceptor) = &shared.tls else {
        return speak_http1(socket, link, &shared).await;
    };
    let handshake = acceptor.accept(socket).into_fallible();
    match timeout(shared.limits.connect_time_max, handshake).await {
        Ok(Ok(stream)) => {
            let (tls, certificate) = facts(stream.get_ref().1);
            let http2 = tls.alpn.as_deref() == Some("h2");
            link.protocol = if http2 { "HTTP/2" } else { "HTTP/1.1" };
            link.tls = Some(tls);
            link.certificate = certificate;
            if http2 {
                speak_http2(stream, link, &shared).await
            } else {
                speak_http1(stream, link, &shared).await
            }
        }
        Ok(Err((_, socket))) => linger(socket).await,
        Err(_) => {}
    }
}

/// Lets a refused client read its alert.
async fn linger(mut socket: TcpStream) {
    let _ = socket.shutdown().await;
    let mut sink = [0_u8; 4096];
    let drained = async { while matches!(socket.read(&mut sink).await, Ok(read) if read > 0) {} };
    let _ = timeout(LINGER_TIME_MAX, drained).await;
}

async fn speak_http1(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    link: Link,
    shared: &Arc<Shared>,
) {
    let limits = shared.limits;
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.exchange_time_max)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.header_bytes_max as usize)
        .half_close(false)
        .serve_connection(
            TokioIo::new(io),
            service_fn(|request| answer(request, link.clone(), shared.clone())),
        );
    let mut connection = std::pin::pin!(connection);
    let mut stopped = shared.stopped.clone();
    tokio::select! {
        _ = connection.as_mut() => return,
        () = link.dropped.notified() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn speak_http2(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    link: Link,
    shared: &Arc<Shared>,
) {
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(shared.limits.header_bytes_max)
        .serve_connection(
            TokioIo::new(io),
            service_fn(|request| answer(request, link.clone(), shared.clone())),
        );
    let mut connection = std::pin::pin!(connection);
    let mut stopped = shared.stopped.clone();
    tokio::select! {
        _ = connection.as_mut() => return,
        () = link.dropped.notified() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// What is known of a connection.
#[derive(Clone)]
struct Link {
    connection: u64,
    remote: SocketAddr,
    protocol: &'static str,
    tls: Option<TlsFacts>,
    certificate: Option<Certificate>,
    /// Told when the handler wants the connection dropped.
    dropped: Arc<Notify>,
}

type AnswerBody = BoxBody<Bytes, Infallible>;

async fn answer(
    request: hyper::Request<Incoming>,
    link: Link,
    shared: Arc<Shared>,
) -> io::Result<hyper::Response<AnswerBody>> {
    let (head, body) = request.into_parts();
    let limits = shared.limits;
    let body = match timeout(limits.exchange_time_max, read(body, limits.body_bytes_max)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return plain(413),
        Ok(Err(error)) => return Err(io::Error::other(error)),
        Err(_) => return plain(408),
    };
    let inbound = Inbound {
        connection: link.connection,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(ToOwned::to_owned),
        headers: header_list(&head.headers),
        body,
        remote: link.remote,
        protocol: link.protocol,
        tls: link.tls,
        peer_certificate: link.certificate,
    };
    let outbound = shared.handler.handle(inbound).await;
    if outbound.abort {
        link.dropped.notify_one();
        return std::future::pending().await;
    }
    response(outbound)
}

/// The body, or none where it is longer than `limit`. What is too long is read a little further
/// and thrown away, so that the client gets to read its 413 instead of a reset.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<Option<Bytes>> {
    let mut kept = BytesMut::new();
    let mut length = 0;
    while length <= 4 * limit {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length <= limit {
            kept.extend_from_slice(&data);
        }
    }
    Ok((length <= limit).then(|| kept.freeze()))
}

fn plain(status: u16) -> io::Result<hyper::Response<AnswerBody>> {
    response(Outbound { status, ..Outbound::default() })
}

fn response(outbound: Outbound) -> io::Result<hyper::Response<AnswerBody>> {
    let mut builder = hyper::Response::builder().status(outbound.status);
    for (name, value) in &outbound.headers {
        builder = builder.header(name, value);
    }
    let body = if outbound.chunked { in_pieces(outbound.body) } else { Full::new(outbound.body).boxed() };
    builder.body(body).map_err(io::Error::other)
}

/// A body in two or more pieces, whose length is not told.
pub(super) fn in_pieces(body: Bytes) -> AnswerBody {
    let piece = (body.len() / 3).max(1);
    let pieces: Vec<_> =
        body.chunks(piece).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
}
