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

use covenant_model::transcript::TlsFacts;

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

/// The facts of a TLS session, as a transcript records them.
fn tls_facts(session: &Session) -> TlsFacts {
    let peer = session.certificate.as_ref();
    TlsFacts {
        version: session.version.to_owned(),
        alpn: session.alpn.clone(),
        peer_subject: peer.and_then(|leaf| leaf.common_name.clone()),
        peer_fingerprint: peer.map(|leaf| leaf.fingerprint.clone()),
        peer_not_after: peer.map(|leaf| leaf.not_after),
    }
}
