//! One connection of a server, from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, future, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::tasks::Tasks;
use super::{Handler, Inbound, Limits};
use crate::net::message::{Body, header_list, in_one, in_pieces};
use crate::net::tls_facts;
use crate::pki::{Certificate, ServerTls};
use covenant_model::transcript::TlsFacts;

/// Time that a refused client may continue to send before its socket is dropped. An immediate drop would
/// reset the connection, and the alert would be lost.
const LINGER_TIME_MAX: Duration = Duration::from_millis(500);
/// Multiple of the body limit that is read and discarded, so that the client can read its 413 instead of a
/// reset.
const OVERLONG_READ_MAX: usize = 4;

/// State that the connections of a server share.
pub(super) struct Serving {
    pub(super) tls: Option<ServerTls>,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) limits: Limits,
    pub(super) tasks: Tasks,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Facts of a connection.
struct Link {
    number: u64,
    remote: SocketAddr,
    protocol: &'static str,
    tls: Option<TlsFacts>,
    certificate: Option<Certificate>,
    /// Signal that the handler drops the connection.
    dropped: Arc<Notify>,
}

/// Serves a connection until either end closes it.
pub(super) async fn serve(socket: TcpStream, remote: SocketAddr, number: u64, serving: &Arc<Serving>) {
    let _ = socket.set_nodelay(true);
    serving.handler.on_connect().await;
    let mut link =
        Link { number, remote, protocol: "HTTP/1.1", tls: None, certificate: None, dropped: Arc::default() };
    let Some(tls) = &serving.tls else {
        return speak_http1(socket, link, serving).await;
    };
    match timeout(serving.limits.connect_time_max, tls.accept(socket)).await {
        Ok(Ok((stream, session))) => {
            link.tls = Some(tls_facts(&session));
            link.certificate = session.certificate;
            if session.alpn.as_deref() == Some("h2") {
                link.protocol = "HTTP/2";
                speak_http2(stream, link, serving).await;
            } else {
                speak_http1(stream, link, serving).await;
            }
        }
        Ok(Err(socket)) => linger(socket).await,
        Err(_) => {}
    }
}

/// Keeps the socket open so that a refused client can read its alert.
async fn linger(mut socket: TcpStream) {
    let _ = socket.shutdown().await;
    let mut sink = [0_u8; 4096];
    let drained = async { while matches!(socket.read(&mut sink).await, Ok(read) if read > 0) {} };
    let _ = timeout(LINGER_TIME_MAX, drained).await;
}

// The two functions below differ in types only, and these types share no trait. They send no `date` header:
// hyper would take it from the system, and the platform has a clock of its own.

async fn speak_http1(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    link: Link,
    serving: &Arc<Serving>,
) {
    let limits = serving.limits;
    let link = Arc::new(link);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.exchange_time_max)
        .max_headers(limits.headers_max)
        .max_header_size(limits.header_bytes_max as usize)
        .auto_date_header(false)
        .serve_connection(
            TokioIo::new(io),
            service_fn(|request| answer(request, link.clone(), serving.clone())),
        );
    complete(connection, &link, serving, http1::Connection::graceful_shutdown).await;
}

async fn speak_http2(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    link: Link,
    serving: &Arc<Serving>,
) {
    let link = Arc::new(link);
    let connection = http2::Builder::new(serving.tasks.clone())
        .timer(TokioTimer::new())
        .max_header_list_size(serving.limits.header_bytes_max)
        .auto_date_header(false)
        .serve_connection(
            TokioIo::new(io),
            service_fn(|request| answer(request, link.clone(), serving.clone())),
        );
    complete(connection, &link, serving, http2::Connection::graceful_shutdown).await;
}

/// Answers on a connection until it ends or is dropped. When the server stops, `shut_down` lets the calls in progress end.
async fn complete<C: Future>(
    connection: C,
    link: &Link,
    serving: &Serving,
    shut_down: impl FnOnce(Pin<&mut C>),
) {
    let mut connection = pin!(connection);
    let mut stopped = serving.stopped.clone();
    // Poll the connection first: it sends its pending data before it is dropped.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = link.dropped.notified() => return,
        _ = stopped.wait_for(|stopped| *stopped) => shut_down(connection.as_mut()),
    }
    let _ = connection.await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    link: Arc<Link>,
    serving: Arc<Serving>,
) -> io::Result<hyper::Response<Body>> {
    let (head, body) = request.into_parts();
    let limits = serving.limits;
    // HTTP/1 counts the headers while it parses them; HTTP/2 does not.
    if head.headers.len() > limits.headers_max {
        return bare(431);
    }
    let mut inbound = Inbound {
        connection: link.number,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(ToOwned::to_owned),
        headers: header_list(&head.headers),
        body: Bytes::new(),
        remote: link.remote,
        protocol: link.protocol,
        tls: link.tls.clone(),
        peer_certificate: link.certificate.clone(),
        mark: false,
    };
    inbound.mark = serving.handler.begins(&inbound).await;
    inbound.body = match timeout(limits.exchange_time_max, read(body, limits.body_bytes_max)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => return bare(413),
        Ok(Err(error)) => return Err(io::Error::other(error)),
        Err(_) => return bare(408),
    };
    let outbound = serving.handler.handle(inbound).await;
    if outbound.abort && outbound.body.is_empty() {
        link.dropped.notify_one();
        return future::pending().await;
    }
    let body = match (outbound.abort, outbound.chunked) {
        (true, _) => torn(&outbound.body, link.dropped.clone()),
        (false, true) => in_pieces(&outbound.body),
        (false, false) => in_one(outbound.body),
    };
    response(outbound.status, &outbound.headers, body)
}

/// Reads a body. Returns `None` if the body is longer than `limit`.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<Option<Bytes>> {
    let mut kept = BytesMut::new();
    let mut length: usize = 0;
    while length <= limit.saturating_mul(OVERLONG_READ_MAX) {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            kept.extend_from_slice(&data);
        }
    }
    Ok((length <= limit).then(|| kept.freeze()))
}

/// Returns a body that sends its first half and then ends the connection.
fn torn(body: &Bytes, dropped: Arc<Notify>) -> Body {
    let half = stream::iter([Ok(Frame::data(body.slice(..body.len() / 2)))]);
    let end = stream::once(async move {
        dropped.notify_one();
        future::pending().await
    });
    BodyExt::boxed(StreamBody::new(half.chain(end)))
}

fn bare(status: u16) -> io::Result<hyper::Response<Body>> {
    response(status, &[], in_one(Bytes::new()))
}

fn response(status: u16, headers: &[(String, String)], body: Body) -> io::Result<hyper::Response<Body>> {
    let mut builder = hyper::Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body).map_err(io::Error::other)
}
