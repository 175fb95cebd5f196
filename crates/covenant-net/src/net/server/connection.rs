//! One connection of a server, from its first byte to its last.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::tasks::Tasks;
use super::{Handler, Inbound, Limits, RejectedByLimit};
use crate::net::budget::{Place, SMALL_BYTES_MAX, Sender, Share};
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
/// Time limit of the connection of an anonymous client.
const ANONYMOUS_TIME_MAX: Duration = Duration::from_mins(1);
/// Smallest buffer that hyper accepts, in bytes.
const BUFFER_BYTES_MIN: usize = 8192;
/// Bytes that an HTTP/2 client may send ahead, on one stream and on the connection.
const WINDOW_BYTES: u32 = 64 * 1024;
/// Bytes of a response that wait in a connection.
const SEND_BYTES_MAX: usize = 64 * 1024;
/// Open HTTP/2 streams of one connection: of an anonymous client, and of any other client.
const STREAMS_MAX: (u32, u32) = (8, 100);
/// Largest HTTP/2 head of an anonymous client, in bytes.
const ANONYMOUS_HEAD_BYTES_MAX: u32 = 16 * 1024;

/// State that the connections of a server share.
pub(super) struct Serving {
    pub(super) tls: Option<ServerTls>,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) limits: Limits,
    pub(super) tasks: Tasks,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Places of a connection: at its server, and in the process.
pub(super) struct Places {
    sender: Sender,
    _of_server: OwnedSemaphorePermit,
    of_process: Place,
}

impl Places {
    pub(super) fn new(sender: Sender, of_server: OwnedSemaphorePermit, of_process: Place) -> Self {
        Self { sender, _of_server: of_server, of_process }
    }

    /// Takes the place of a known client for that of an anonymous client.
    async fn become_known(&mut self) {
        if let Some(place) = Sender::Known.place().await {
            (self.sender, self.of_process) = (Sender::Known, place);
        }
    }
}

/// Facts of a connection.
struct Link {
    number: u64,
    remote: SocketAddr,
    protocol: &'static str,
    tls: Option<TlsFacts>,
    certificate: Option<Certificate>,
    sender: Sender,
    /// Signal that the handler drops the connection.
    dropped: Arc<Notify>,
}

/// Serves a connection until either end closes it.
pub(super) async fn serve(
    socket: TcpStream,
    remote: SocketAddr,
    number: u64,
    mut places: Places,
    serving: &Arc<Serving>,
) {
    let _ = socket.set_nodelay(true);
    serving.handler.on_connect().await;
    let mut link = Link {
        number,
        remote,
        protocol: "HTTP/1.1",
        tls: None,
        certificate: None,
        sender: places.sender,
        dropped: Arc::default(),
    };
    let Some(tls) = &serving.tls else {
        return speak_http1(socket, link, serving).await;
    };
    let shaken = timeout(serving.limits.connect_time_max, async {
        let shaken = tls.accept(socket).await;
        if shaken.as_ref().is_ok_and(|(_, session)| session.certificate.is_some()) {
            places.become_known().await;
        }
        shaken
    });
    match shaken.await {
        Ok(Ok((stream, session))) => {
            link.sender = places.sender;
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
        Err(_) => {
            let reason = format!("its connection was not ready within {:?}", serving.limits.connect_time_max);
            serving.handler.rejected_by_limit(RejectedByLimit { reason, ..RejectedByLimit::default() });
        }
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
        .max_buf_size(BUFFER_BYTES_MIN.max(limits.header_bytes_max as usize))
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
    let head_bytes_max = serving.limits.header_bytes_max;
    let (streams_max, head_bytes_max) = match link.sender {
        Sender::Anonymous => (STREAMS_MAX.0, head_bytes_max.min(ANONYMOUS_HEAD_BYTES_MAX)),
        Sender::Known => (STREAMS_MAX.1, head_bytes_max),
    };
    let link = Arc::new(link);
    let connection = http2::Builder::new(serving.tasks.clone())
        .timer(TokioTimer::new())
        .max_header_list_size(head_bytes_max)
        .max_concurrent_streams(streams_max)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES_MAX)
        .auto_date_header(false)
        .serve_connection(
            TokioIo::new(io),
            service_fn(|request| answer(request, link.clone(), serving.clone())),
        );
    complete(connection, &link, serving, http2::Connection::graceful_shutdown).await;
}

/// Answers on a connection until it ends or is dropped. When the server stops, `shut_down` lets the calls in progress end.
async fn complete<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    link: &Link,
    serving: &Serving,
    shut_down: impl FnOnce(Pin<&mut C>),
) {
    let mut connection = pin!(connection);
    let mut stopped = serving.stopped.clone();
    // Poll the connection first: it sends its pending data before it is dropped.
    let going_on = tokio::select! {
        biased;
        ended = connection.as_mut() => Err(ended),
        () = link.dropped.notified() => Err(Ok(())),
        _ = stopped.wait_for(|stopped| *stopped) => Ok(false),
        () = expired(link.sender) => Ok(true),
    };
    let has_expired = match going_on {
        Ok(has_expired) => has_expired,
        Err(ended) => return note_long_head(ended, serving),
    };
    shut_down(connection.as_mut());
    if has_expired {
        let _ = timeout(serving.limits.exchange_time_max, connection).await;
    } else {
        let _ = connection.await;
    }
}

/// Reports a head that was too long to be parsed: hyper has answered it.
fn note_long_head(ended: hyper::Result<()>, serving: &Serving) {
    if ended.is_err_and(|error| error.is_parse_too_large()) {
        let Limits { header_bytes_max, headers_max, .. } = serving.limits;
        let reason = format!("its head has more than {headers_max} headers or {header_bytes_max} bytes");
        serving.handler.rejected_by_limit(RejectedByLimit { request: None, status: Some(431), reason });
    }
}

/// Returns when the connection of an anonymous client has been open for its time. It would keep its place for ever.
async fn expired(sender: Sender) {
    let pending = future::pending();
    match sender {
        Sender::Anonymous => timeout(ANONYMOUS_TIME_MAX, pending).await.unwrap_or_default(),
        Sender::Known => pending.await,
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    link: Arc<Link>,
    serving: Arc<Serving>,
) -> io::Result<hyper::Response<Body>> {
    let (head, body) = request.into_parts();
    let limits = serving.limits;
    let reject = |status, reason| reject(&serving, &head, status, reason);
    // HTTP/1 counts the headers while it parses them; HTTP/2 does not.
    if head.headers.len() > limits.headers_max {
        return reject(431, format!("its head has more than {} headers", limits.headers_max));
    }
    let body_bytes_max = match link.sender {
        Sender::Anonymous => limits.body_bytes_max.min(SMALL_BYTES_MAX),
        Sender::Known => limits.body_bytes_max,
    };
    let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let small = declared.unwrap_or(SMALL_BYTES_MAX).min(SMALL_BYTES_MAX);
    let mut waiting = Waiting { serving: &serving, head: &head, is_over: false };
    let shared = timeout(limits.exchange_time_max, link.sender.share(head_bytes(&head) + small)).await;
    waiting.is_over = true;
    drop(waiting);
    let Ok(Some(mut share)) = shared else {
        return reject(503, "the budget for messages in work was used up".to_owned());
    };
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
    inbound.body = match timeout(limits.exchange_time_max, read(body, body_bytes_max, &mut share)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => {
            return reject(413, format!("its body is longer than {body_bytes_max} bytes"));
        }
        Ok(Err(error)) => return Err(io::Error::other(error)),
        Err(_) => {
            let reason = format!("its body did not arrive within {:?}", limits.exchange_time_max);
            return reject(408, reason);
        }
    };
    let outbound = serving.handler.handle(inbound).await;
    drop(share);
    if outbound.abort && outbound.body.is_empty() {
        link.dropped.notify_one();
        return future::pending().await;
    }
    let content = shared_response(outbound.body).await;
    let body = match (outbound.abort, outbound.chunked) {
        (true, _) => torn(&content, link.dropped.clone()),
        (false, true) => in_pieces(&content),
        (false, false) => in_one(content),
    };
    response(outbound.status, &outbound.headers, body)
}

/// Answers a call that a limit rejects, and reports it to the handler.
fn reject(
    serving: &Serving,
    head: &http::request::Parts,
    status: u16,
    reason: String,
) -> io::Result<hyper::Response<Body>> {
    serving.handler.rejected_by_limit(RejectedByLimit { status: Some(status), reason, ..known_of(head) });
    bare(status)
}

/// Returns what is known of a call from its head.
fn known_of(head: &http::request::Parts) -> RejectedByLimit {
    let request = (head.method.as_str().to_owned(), head.uri.path().to_owned());
    RejectedByLimit { request: Some(request), ..RejectedByLimit::default() }
}

/// A call that waits for its share. If its client gives up, hyper drops the answer, and the handler would never hear of
/// the call.
struct Waiting<'a> {
    serving: &'a Serving,
    head: &'a http::request::Parts,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let reason = "its client gave up while it waited for the budget of messages in work".to_owned();
            self.serving.handler.rejected_by_limit(RejectedByLimit { reason, ..known_of(self.head) });
        }
    }
}

/// Returns about the memory that a head takes, in bytes.
fn head_bytes(head: &http::request::Parts) -> usize {
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    head.uri.path().len() + headers.sum::<usize>()
}

/// Reads a body, within the share of its message. Returns `None` if the body is longer than `limit`.
async fn read(mut body: Incoming, limit: usize, share: &mut Share) -> hyper::Result<Option<Bytes>> {
    let mut kept = Vec::new();
    let mut length: usize = 0;
    while length <= limit.saturating_mul(OVERLONG_READ_MAX) {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            share.grow(length, limit).await;
            kept.extend_from_slice(&data);
        }
    }
    Ok((length <= limit).then(|| kept.into()))
}

/// Returns the body of a response. A large one has a share until it is sent.
async fn shared_response(body: Bytes) -> Bytes {
    if body.len() <= SMALL_BYTES_MAX {
        return body;
    }
    let mut share = Share::default();
    share.grow(body.len(), body.len()).await;
    share.with(body)
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
