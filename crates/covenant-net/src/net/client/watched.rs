//! Stream that records what ended it: a TLS failure, or more bytes than an answer may take. HTTP/2 passes an I/O error on
//! as text only, so the failure is recorded below HTTP/2.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::{Limits, NetError};
use crate::pki::TlsFailure;

/// Bytes that an answer may take on the wire beside its body: heads, and frames that carry nothing.
const BESIDE_BODY_BYTES_MAX: usize = 1024 * 1024;
/// How often an answer may take the longest body on the wire: small pieces of a body take several times its bytes.
const BODIES_MAX: usize = 4;

/// State of a stream. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// The failure that ended the stream, empty until then.
    failure: Arc<OnceLock<NetError>>,
    /// The bytes that the exchange under way has received.
    received: Arc<AtomicUsize>,
}

impl Watch {
    /// Sets the count to 0, for the next exchange.
    pub(super) fn begin_exchange(&self) {
        self.received.store(0, Ordering::Relaxed);
    }

    /// Returns the failure that ended the stream.
    pub(super) fn failure(&self) -> Option<NetError> {
        self.failure.get().cloned()
    }
}

/// Stream that inspects what passes through it.
pub(super) struct Watched<S> {
    stream: S,
    watch: Watch,
    bytes_max: usize,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, watch: Watch, limits: &Limits) -> Self {
        let bytes_max =
            limits.body_bytes_max.saturating_mul(BODIES_MAX).saturating_add(BESIDE_BODY_BYTES_MAX);
        Self { stream, watch, bytes_max }
    }

    /// Counts bytes that were received. A flood of frames would otherwise keep this end busy until the time limit.
    fn count(&self, bytes: usize) -> io::Result<()> {
        let before = self.watch.received.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.bytes_max {
            return Ok(());
        }
        let error = NetError::TooLarge { what: "bytes for one answer", limit: self.bytes_max };
        let _ = self.watch.failure.set(error.clone());
        Err(io::Error::other(error))
    }

    fn inspect<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome
            && let Some(failure) = TlsFailure::of(error)
        {
            // The first error is the cause; later errors follow from it.
            let _ = self.watch.failure.set(NetError::of_tls(failure));
        }
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        match self.inspect(outcome) {
            Poll::Ready(Ok(())) => Poll::Ready(self.count(buf.filled().len() - before)),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.inspect(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.inspect(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
