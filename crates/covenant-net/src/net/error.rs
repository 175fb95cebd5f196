//! Why a call has no answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::Limits;
use crate::pki::TlsFailure;

/// Why a call has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetError {
    /// No one listens there, or the way there is shut.
    #[error("cannot connect: {0}")]
    Refused(String),
    /// They refused our certificate, at the handshake or at the first read.
    #[error("our certificate was refused: {0}")]
    Certificate(String),
    /// We refused their certificate: our trust is at fault, or they are.
    #[error("their certificate is not trusted: {0}")]
    Untrusted(String),
    /// TLS failed otherwise.
    #[error("TLS handshake failed: {0}")]
    Handshake(String),
    /// The connection ended before the answer did.
    #[error("connection closed: {0}")]
    Closed(String),
    /// It took too long.
    #[error("no answer within {limit:?} ({phase})")]
    Timeout {
        /// `connect`, `answer`.
        phase: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// It was too much.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// `bytes of body`, `bytes of head`, `headers`.
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
            Self::Untrusted(_) => "untrusted",
            Self::Handshake(_) => "handshake",
            Self::Closed(_) => "closed",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed(_) => "malformed",
            Self::Request(_) => "request",
        }
    }

    /// Whether the other end turned our certificate away, however late it said so.
    #[must_use]
    pub fn is_certificate_refused(&self) -> bool {
        matches!(self, Self::Certificate(_))
    }

    pub(super) fn of_handshake(error: &io::Error) -> Self {
        match TlsFailure::of(error) {
            Some(TlsFailure::Other(reason)) => Self::Handshake(reason),
            Some(failure) => Self::of_tls(failure),
            None if error.kind() == io::ErrorKind::InvalidInput => Self::Request(error.to_string()),
            None => Self::Closed(error.to_string()),
        }
    }

    pub(super) fn of_exchange(error: &hyper::Error, limits: &Limits) -> Self {
        if let Some(failure) = TlsFailure::of(error) {
            return Self::of_tls(failure);
        }
        if error.is_parse_too_large() {
            let limit = limits.header_bytes_max as usize;
            return Self::TooLarge { what: "bytes of head", limit };
        }
        if error.is_parse() {
            return Self::Malformed(chain(error));
        }
        Self::Closed(chain(error))
    }

    /// TLS that fails after the handshake ends the connection, whatever else the cause was.
    pub(super) fn of_tls(failure: TlsFailure) -> Self {
        match failure {
            TlsFailure::OursRefused(reason) => Self::Certificate(reason),
            TlsFailure::TheirsRefused(reason) => Self::Untrusted(reason),
            TlsFailure::Other(reason) => Self::Closed(reason),
        }
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
