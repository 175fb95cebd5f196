//! Why a call has no answer.

use std::error::Error;
use std::io;

use thiserror::Error;

/// Why a call has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetError {
    /// No one listens there, or the way there is shut.
    #[error("cannot connect: {0}")]
    Refused(String),
    /// A certificate was refused: theirs by us, or ours by them, at the handshake or at the first read.
    #[error("certificate refused: {0}")]
    Certificate(String),
    /// TLS failed otherwise.
    #[error("TLS handshake failed: {0}")]
    Handshake(String),
    /// The connection ended before the answer did.
    #[error("connection closed: {0}")]
    Closed(String),
    /// It took too long.
    #[error("no answer within {seconds} s ({phase})")]
    Timeout {
        /// `connect`, `answer`.
        phase: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// It was too much.
    #[error("{what} larger than {limit} bytes")]
    TooLarge {
        /// `body`.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It was no HTTP.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// The request itself could not be made: a fault of the caller's.
    #[error("not a request: {0}")]
    Request(String),
}

impl NetError {
    /// A stable word for it, as transcripts have it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Certificate(_) => "certificate",
            Self::Handshake(_) => "handshake",
            Self::Closed(_) => "closed",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Request(_) => "request",
        }
    }

    pub(super) fn of_handshake(error: &io::Error) -> Self {
        if let Some(reason) = crate::pki::certificate_refusal(error) {
            return Self::Certificate(reason);
        }
        Self::Handshake(error.to_string())
    }

    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        if let Some(reason) = crate::pki::certificate_refusal(error) {
            return Self::Certificate(reason);
        }
        if error.is_parse() {
            return Self::Malformed(chain(error));
        }
        Self::Closed(chain(error))
    }
}

/// An error with what it stems from.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
