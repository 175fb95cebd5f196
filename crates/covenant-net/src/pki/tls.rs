//! TLS for both ends of a connection, by an injected clock and a live [`Trust`].

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, CommonState, ProtocolVersion, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use url::Host;

use super::verifier::{Clients, ClockTime, Servers};
use super::{Certificate, Identity, PkiError, Trust, provider};
use covenant_model::clock::Clock;

/// What a connection may be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Which versions are spoken.
    pub versions: TlsVersions,
    /// Whether HTTP/2 is offered.
    pub without_http2: bool,
    /// Whether HTTP/1.1 is offered.
    pub without_http1: bool,
    /// Whether a client holds a server to the name that it was called by. Off by default: the
    /// anchor is the peer's own authority, which vouches for nobody else.
    pub host_names_checked: bool,
}

/// Which versions of TLS are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TlsVersions {
    /// 1.3 and 1.2.
    #[default]
    Both,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

/// The server's end: shows `identity`, takes a client certificate where one is offered, and
/// refuses one that `trust` does not take.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// A server's end.
    pub fn new(
        identity: &Identity,
        trust: Trust,
        clock: &Clock,
        options: TlsOptions,
    ) -> Result<Self, PkiError> {
        let time = Arc::new(ClockTime(clock.clone()));
        let verifier = Arc::new(Clients { trust, clock: clock.clone() });
        let mut config = ServerConfig::builder_with_details(provider(), time)
            .with_protocol_versions(&options.versions())
            .map_err(set_up)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.chain(), identity.key())
            .map_err(set_up)?;
        config.alpn_protocols = options.alpn();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(Arc::new(config)))
    }

    /// The server's half of a handshake. Where it fails, the alert has been sent and the socket
    /// comes back, so that the client can be given the time to read it.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: S,
    ) -> Result<(server::TlsStream<S>, Session), S> {
        let handshake = TlsAcceptor::from(self.0.clone()).accept(socket).into_fallible();
        let stream = handshake.await.map_err(|(_, socket)| socket)?;
        let session = Session::of(stream.get_ref().1);
        Ok((stream, session))
    }
}

/// The client's end: shows `identity` where it has one, and refuses a server that `trust` does not take.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

impl ClientTls {
    /// A client's end.
    pub fn new(
        identity: Option<&Identity>,
        trust: Trust,
        clock: &Clock,
        options: TlsOptions,
    ) -> Result<Self, PkiError> {
        let time = Arc::new(ClockTime(clock.clone()));
        let host_names_checked = options.host_names_checked;
        let verifier = Arc::new(Servers { trust, clock: clock.clone(), host_names_checked });
        let builder = ClientConfig::builder_with_details(provider(), time)
            .with_protocol_versions(&options.versions())
            .map_err(set_up)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(identity) => {
                builder.with_client_auth_cert(identity.chain(), identity.key()).map_err(set_up)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = options.alpn();
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    /// The client's half of a handshake with `host`.
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &Host<String>,
        socket: S,
    ) -> io::Result<(client::TlsStream<S>, Session)> {
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
            Host::Ipv4(address) => ServerName::from(std::net::IpAddr::V4(*address)),
            Host::Ipv6(address) => ServerName::from(std::net::IpAddr::V6(*address)),
        };
        let stream = TlsConnector::from(self.0.clone()).connect(name, socket).await?;
        let session = Session::of(stream.get_ref().1);
        Ok((stream, session))
    }
}

/// What a handshake led to.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// `TLSv1.3`, `TLSv1.2`.
    pub(crate) version: &'static str,
    /// What ALPN agreed on, where it did.
    pub(crate) alpn: Option<String>,
    /// What the other end showed, where it did.
    pub(crate) certificate: Option<Certificate>,
}

impl Session {
    fn of(connection: &CommonState) -> Self {
        let leaf = connection.peer_certificates().and_then(|chain| chain.first());
        Self {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            certificate: leaf.and_then(|leaf| Certificate::from_der(leaf).ok()),
        }
    }
}

impl TlsOptions {
    fn alpn(self) -> Vec<Vec<u8>> {
        let mut protocols = Vec::new();
        if !self.without_http2 {
            protocols.push(b"h2".to_vec());
        }
        if !self.without_http1 {
            protocols.push(b"http/1.1".to_vec());
        }
        protocols
    }

    fn versions(self) -> Vec<&'static SupportedProtocolVersion> {
        match self.versions {
            TlsVersions::Both => vec![&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersions::Only12 => vec![&rustls::version::TLS12],
            TlsVersions::Only13 => vec![&rustls::version::TLS13],
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
fn set_up(error: rustls::Error) -> PkiError {
    PkiError::Tls(error.to_string())
}
