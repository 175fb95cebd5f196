//! TLS for both ends of a connection, with an injected clock and a live [`Trust`].

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Options of a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// TLS versions that are offered.
    pub versions: TlsVersions,
    /// `true` if HTTP/2 is not offered.
    pub without_http2: bool,
    /// `true` if HTTP/1.1 is not offered.
    pub without_http1: bool,
    /// `true` if a client compares the server's certificate with the host name of the call. The default is
    /// `false`: the anchor is the peer's own authority, which certifies no other platform.
    pub host_names_checked: bool,
}

/// TLS versions that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TlsVersions {
    /// TLS 1.3 and TLS 1.2.
    #[default]
    Both,
    /// TLS 1.2 only.
    Only12,
    /// TLS 1.3 only.
    Only13,
}

/// TLS of a server. It presents `identity`, accepts a client certificate if one is offered, and refuses one
/// that `trust` rejects.
#[derive(Clone, Debug)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// Creates the TLS of a server.
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

    /// Runs the server's half of a handshake. If the handshake fails, the alert has been sent and the socket
    /// is returned, so that the caller can give the client time to read the alert.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        socket: S,
    ) -> Result<(server::TlsStream<S>, Session), S> {
        let handshake = TlsAcceptor::from(self.0.clone()).accept(socket).into_fallible();
        let stream = handshake.await.map_err(|(_, socket)| socket)?;
        let session = Session::of(stream.get_ref().1, None);
        Ok((stream, session))
    }
}

/// TLS of a client. It presents `identity` if it has one, and refuses a server that `trust` rejects.
#[derive(Clone, Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    /// Certificate of the last server, which most often is that of the next.
    last: Arc<Mutex<Option<Certificate>>>,
}

impl ClientTls {
    /// Creates the TLS of a client.
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
        Ok(Self { config: Arc::new(config), last: Arc::default() })
    }

    /// Runs the client's half of a handshake with `host`.
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
        let stream = TlsConnector::from(self.config.clone()).connect(name, socket).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let session = Session::of(stream.get_ref().1, last.as_ref());
        if session.certificate != *last {
            last.clone_from(&session.certificate);
        }
        drop(last);
        Ok((stream, session))
    }
}

/// Result of a handshake.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// TLS version: `TLSv1.3` or `TLSv1.2`.
    pub(crate) version: &'static str,
    /// Protocol that ALPN agreed on; `None` if there was no agreement.
    pub(crate) alpn: Option<String>,
    /// Certificate of the other end; `None` if it presented none.
    pub(crate) certificate: Option<Certificate>,
}

impl Session {
    /// Reads the result of a handshake. A certificate that is `known` is not read again.
    fn of(connection: &CommonState, known: Option<&Certificate>) -> Self {
        let leaf = connection.peer_certificates().and_then(|chain| chain.first());
        Self {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            certificate: leaf.and_then(|leaf| match known.filter(|known| known.der() == leaf.as_ref()) {
                Some(known) => Some(known.clone()),
                None => Certificate::from_der(leaf).ok(),
            }),
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
