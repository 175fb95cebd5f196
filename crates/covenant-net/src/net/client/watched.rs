//! Stream that records its TLS failure. HTTP/2 passes an I/O error on as text only, so the failure is
//! recorded below HTTP/2.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pki::TlsFailure;

/// TLS failure of a stream, empty until it fails.
pub(super) type Failure = Arc<OnceLock<TlsFailure>>;

/// Stream that inspects the errors that pass through it.
pub(super) struct Watched<S> {
    stream: S,
    failure: Failure,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, failure: Failure) -> Self {
        Self { stream, failure }
    }

    fn inspect<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome
            && let Some(failure) = TlsFailure::of(error)
        {
            // The first error is the cause; later errors follow from it.
            let _ = self.failure.set(failure);
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
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.inspect(outcome)
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
