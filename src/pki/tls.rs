//! TLS for both ends of a connection, by an injected clock and a live [`Trust`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig,
    SignatureScheme, SupportedProtocolVersion,
};

use super::{Identity, PkiError, Rejection, Trust, provider};
use crate::clock::Clock;

/// What a connection may be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Which versions are spoken.
    pub versions: TlsVersions,
    /// Whether HTTP/2 is offered.
    pub without_http2: bool,
    /// Whether HTTP/1.1 is offered.
    pub without_http1: bool,
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

/// The server's end: shows `identity`, takes a client certificate where one is offered, and
/// refuses one that `trust` does not take.
#[derive(Clone, Debug)]
pub struct ServerTls(pub(crate) Arc<ServerConfig>);

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
            .map_err(|error| PkiError::Sign(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.chain(), identity.key())
            .map_err(|error| PkiError::Sign(error.to_string()))?;
        config.alpn_protocols = options.alpn();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(Arc::new(config)))
    }
}

/// The client's end: shows `identity` where it has one, and refuses a server that `trust` does not take.
#[derive(Clone, Debug)]
pub struct ClientTls(pub(crate) Arc<ClientConfig>);

impl ClientTls {
    /// A client's end.
    pub fn new(
        identity: Option<&Identity>,
        trust: Trust,
        clock: &Clock,
        options: TlsOptions,
    ) -> Result<Self, PkiError> {
        let time = Arc::new(ClockTime(clock.clone()));
        let verifier = Arc::new(Servers { trust, clock: clock.clone() });
        let builder = ClientConfig::builder_with_details(provider(), time)
            .with_protocol_versions(&options.versions())
            .map_err(|error| PkiError::Sign(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            Some(identity) => builder
                .with_client_auth_cert(identity.chain(), identity.key())
                .map_err(|error| PkiError::Sign(error.to_string()))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = options.alpn();
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }
}

/// Why a certificate was refused, if that is what this error, or one that it stems from, tells:
/// by us, or by the other end's alert, which on TLS 1.3 may come with the first read.
#[must_use]
pub fn certificate_refusal(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref())
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(tls) = inner.or_else(|| error.downcast_ref::<rustls::Error>()) {
            return refusal(tls);
        }
        next = error.source();
    }
    None
}

fn refusal(error: &rustls::Error) -> Option<String> {
    use AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(reason) => Some(format!("we refused its certificate: {reason}")),
        rustls::Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied),
        ) => Some(format!("it refused our certificate: alert {alert:?}")),
        _ => None,
    }
}

#[derive(Debug)]
struct ClockTime(Clock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Judges clients by a live [`Trust`].
struct Clients {
    trust: Trust,
    clock: Clock,
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain: Vec<&[u8]> = std::iter::once(end_entity).chain(intermediates).map(AsRef::as_ref).collect();
        self.trust.check_client(&chain, self.clock.now()).map_err(|why| alert(&why))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

/// Judges servers by a live [`Trust`].
struct Servers {
    trust: Trust,
    clock: Clock,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Vec<&[u8]> = std::iter::once(end_entity).chain(intermediates).map(AsRef::as_ref).collect();
        self.trust.check_server(&chain, self.clock.now()).map_err(|why| alert(&why))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Servers")
    }
}

fn alert(why: &Rejection) -> rustls::Error {
    rustls::Error::InvalidCertificate(match why {
        Rejection::Unknown => CertificateError::UnknownIssuer,
        Rejection::Expired => CertificateError::Expired,
        Rejection::NotYetValid => CertificateError::NotValidYet,
        Rejection::Revoked => CertificateError::Revoked,
        Rejection::Malformed(_) => CertificateError::BadEncoding,
    })
}
