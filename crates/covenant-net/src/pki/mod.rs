//! Authorities, leaves, requests and revocation. This is the only module that names types of rcgen and
//! rustls.
//!
//! Keys are Ed25519. The one crypto provider, aws-lc-rs, is passed explicitly. Both sides of every connection
//! check validity by an injected clock. No session is resumed: a resumed session would bypass the verifier
//! that revocation relies on.

mod authority;
mod certificate;
mod failure;
mod identity;
mod tls;
mod trust;
mod verifier;

pub use authority::Authority;
pub use certificate::{Certificate, pem_of};
pub(crate) use failure::TlsFailure;
pub use identity::{Identity, SigningRequest};
pub(crate) use tls::Session;
pub use tls::{ClientTls, ServerTls, TlsOptions, TlsVersions};
pub use trust::{Rejection, Trust, Verified, system_bundle_pem};

use thiserror::Error;

/// Error for data that is not a certificate, key or request, or that could not be turned into one.
#[derive(Debug, Error)]
pub enum PkiError {
    /// The text has no PEM block of the required kind.
    #[error("no {wanted} in this PEM text")]
    NoPem {
        /// Required kind: `certificate`, `private key` or `certificate request`.
        wanted: &'static str,
    },
    /// The content of the block can't be read.
    #[error("unreadable {what}: {reason}")]
    Unreadable {
        /// Expected content.
        what: &'static str,
        /// Reason why it can't be read.
        reason: String,
    },
    /// The text is longer than any valid one.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// Kind of the text.
        what: &'static str,
        /// Limit, in bytes.
        limit: usize,
    },
    /// The certificate is not for this key.
    #[error("the certificate is for another key")]
    OtherKey,
    /// Signing failed.
    #[error("cannot sign: {0}")]
    Sign(String),
    /// TLS could not be set up with the given data.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Length of the longest PEM text that is read, in bytes.
const PEM_BYTES_MAX: usize = 256 * 1024;

fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<std::sync::Arc<rustls::crypto::CryptoProvider>> =
        std::sync::OnceLock::new();
    PROVIDER
        .get_or_init(|| {
            let mut provider = rustls::crypto::aws_lc_rs::default_provider();
            // The one suite that every TLS 1.3 has (RFC 8446, 9.1) goes first: processors compute its SHA-256 by themselves,
            // and a run has thousands of handshakes.
            let is_mandatory = |suite: &rustls::SupportedCipherSuite| {
                suite.suite() == rustls::CipherSuite::TLS13_AES_128_GCM_SHA256
            };
            provider.cipher_suites.sort_by_key(|suite| !is_mandatory(suite));
            std::sync::Arc::new(provider)
        })
        .clone()
}
