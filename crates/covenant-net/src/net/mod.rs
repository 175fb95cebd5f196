//! Sockets and HTTP on both ends, over hyper. Every read has limits in bytes, counts and time; there are no
//! redirects and no decompression. The whole process has one budget for connections and messages. This module knows
//! no federation message.

mod budget;
mod client;
mod error;
mod message;
mod port;
mod recorded;
mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientOptions, Protocol};
pub use error::NetError;
pub use message::{Inbound, Outbound, Pause, Request, Response};
pub use port::Port;
pub use server::{Handler, RejectedByLimit, Server};

use std::time::Duration;

use covenant_model::transcript::TlsFacts;

use crate::pki::Session;

/// Limits of one end: sizes of reads and times of waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest body, in bytes.
    pub body_bytes_max: usize,
    /// Largest head, in bytes.
    pub header_bytes_max: u32,
    /// Largest number of headers of one message.
    pub headers_max: usize,
    /// Time limit of a connection with its handshake.
    pub connect_time_max: Duration,
    /// Time limit of one exchange, from its first byte to its last.
    pub exchange_time_max: Duration,
    /// Largest number of connections that a server keeps open at the same time. All servers of the process together
    /// have no more, and fewer of clients without a certificate.
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

/// Returns the facts of a TLS session, as a transcript records them.
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
