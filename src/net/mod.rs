//! Sockets and HTTP on both ends, over hyper: limits in bytes, counts and time on every read, no
//! redirects, no decompression. Knows no federation message.

mod client;
mod error;
mod server;
#[cfg(test)]
mod tests;
mod watched;

pub use client::{Client, ClientOptions, Protocol, Request, Response};
pub use error::NetError;
pub use server::{Handler, Inbound, Outbound, Server};

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// `TLSv1_3`, `TLSv1_2`.
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
}

/// Reads the facts of a finished handshake, and the certificate that the other end showed.
fn facts(connection: &rustls::CommonState) -> (TlsFacts, Option<crate::pki::Certificate>) {
    let certificate = connection
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|leaf| crate::pki::Certificate::from_der(leaf).ok());
    let facts = TlsFacts {
        version: connection.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default(),
        alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        peer_subject: certificate.as_ref().and_then(|leaf| leaf.common_name.clone()),
        peer_fingerprint: certificate.as_ref().map(|leaf| leaf.fingerprint.clone()),
    };
    (facts, certificate)
}

/// The headers of a message in order, what is no UTF-8 in them replaced.
fn header_list(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
