//! Errors of calls that have no response.

use std::io;
use std::time::Duration;

use covenant_model::transcript::FailureKind;
use covenant_model::with_causes;
use thiserror::Error;

use super::Limits;
use crate::pki::TlsFailure;

/// Reason why a call has no response.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetError {
    /// No process listens at the address, or the address can't be reached.
    #[error("cannot connect: {0}")]
    Refused(String),
    /// The other end refused our certificate, at the handshake or at the first read.
    #[error("our certificate was refused: {0}")]
    Certificate(String),
    /// We refused the certificate of the other end. Our trust is incomplete, or the certificate is not valid.
    #[error("their certificate is not trusted: {0}")]
    Untrusted(String),
    /// TLS failed for another reason.
    #[error("TLS handshake failed: {0}")]
    Handshake(String),
    /// The connection ended before the response did.
    #[error("connection closed: {0}")]
    Closed(String),
    /// The call exceeded a time limit.
    #[error("no answer within {limit:?} ({phase})")]
    Timeout {
        /// Phase of the call: `connect` or `answer`.
        phase: &'static str,
        /// Time limit that expired.
        limit: Duration,
    },
    /// The head of the message exceeded a size limit. Which of the two is not known.
    #[error("more than {headers} headers, or more than {bytes} bytes of head")]
    LongHead {
        /// Largest number of headers.
        headers: usize,
        /// Largest head, in bytes.
        bytes: u32,
    },
    /// The message exceeded a size limit.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// Limited quantity: `bytes of body`, `bytes for one answer` or `headers`.
        what: &'static str,
        /// Limit that was exceeded.
        limit: usize,
    },
    /// The response is not valid HTTP.
    #[error("malformed answer: {0}")]
    Malformed(String),
    /// The request could not be built: an error of the caller.
    #[error("not a request: {0}")]
    Request(String),
}

impl NetError {
    /// Returns the kind of the failure, as transcripts show it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_) => FailureKind::Refused,
            Self::Certificate(_) => FailureKind::Certificate,
            Self::Untrusted(_) => FailureKind::Untrusted,
            Self::Handshake(_) => FailureKind::Handshake,
            Self::Closed(_) => FailureKind::Closed,
            Self::Timeout { .. } => FailureKind::Timeout,
            Self::TooLarge { .. } | Self::LongHead { .. } => FailureKind::TooLarge,
            Self::Malformed(_) => FailureKind::Malformed,
            Self::Request(_) => FailureKind::Request,
        }
    }

    /// Returns whether the other end refused our certificate, at any point of the call.
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
            return Self::LongHead { headers: limits.headers_max, bytes: limits.header_bytes_max };
        }
        if error.is_parse() {
            return Self::Malformed(with_causes(error));
        }
        // The library adds a link to its own manual.
        let reason = with_causes(error);
        Self::Closed(reason.split(": https://docs.rs/").next().unwrap_or_default().to_owned())
    }

    /// Converts a TLS failure after the handshake. Such a failure ends the connection in every case.
    pub(super) fn of_tls(failure: TlsFailure) -> Self {
        match failure {
            TlsFailure::OursRefused(reason) => Self::Certificate(reason),
            TlsFailure::TheirsRefused(reason) => Self::Untrusted(reason),
            TlsFailure::Other(reason) => Self::Closed(reason),
        }
    }
}
