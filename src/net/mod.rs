//! Sockets and HTTP on both ends, over hyper: limits in bytes, counts and time on every read, no
//! redirects, no decompression. Knows no federation message.

mod client;
mod error;
mod message;
mod port;
mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientOptions, Protocol};
pub use error::NetError;
pub use message::{Inbound, Outbound, Request, Response};
pub use port::Port;
pub use server::{Handler, Server};

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pki::Session;

/// What one end reads at most, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one body.
    pub body_bytes_max: usize,
    /// Bytes of one head.
    pub header_bytes_max: u32,
    /// Headers of one message.
    pub headers_max: usize,
    /// For a connection with its handshake.
    pub connect_time_max: Duration,
    /// For one exchange, from its first byte to its last.
    pub exchange_time_max: Duration,
    /// Connections that a server keeps open at once.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 8 * 1024 * 1024,
            header_bytes_max: 64 * 1024,
            headers_max: 100,
            connect_time_max: Duration::from_secs(10),
            exchange_time_max: Duration::from_secs(10),
            connections_max: 512,
        }
    }
}

/// What TLS made of a connection, as a transcript shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsFacts {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: String,
    /// `h2`, `http/1.1`, where one was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// The common name that the other end showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_subject: Option<String>,
    /// SHA-256 of the certificate that the other end showed, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_fingerprint: Option<String>,
    /// Until when the certificate is good that the other end showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub peer_not_after: Option<Timestamp>,
}

impl TlsFacts {
    fn of(session: &Session) -> Self {
        let peer = session.certificate.as_ref();
        Self {
            version: session.version.to_owned(),
            alpn: session.alpn.clone(),
            peer_subject: peer.and_then(|leaf| leaf.common_name.clone()),
            peer_fingerprint: peer.map(|leaf| leaf.fingerprint.clone()),
            peer_not_after: peer.map(|leaf| leaf.not_after),
        }
    }
}
