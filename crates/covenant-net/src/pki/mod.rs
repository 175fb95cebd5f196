//! Authorities, leaves, requests and revocation: the only room that names rcgen's and rustls' types.
//!
//! Keys are Ed25519. One crypto provider, aws-lc-rs, is passed explicitly. Validity goes by an
//! injected clock on both sides of every connection, and no session is ever resumed: a resumed one
//! would pass by the verifier that a revocation relies on.

mod authority;
mod certificate;
mod failure;
mod identity;
mod tls;
mod trust;
mod verifier;

pub use authority::Authority;
pub use certificate::Certificate;
pub(crate) use failure::TlsFailure;
pub use identity::{Identity, SigningRequest};
pub(crate) use tls::Session;
pub use tls::{ClientTls, ServerTls, TlsOptions, TlsVersions};
pub use trust::{Rejection, Trust, Verified, system_bundle_pem};

use thiserror::Error;

/// Something that is no certificate, key or request, or could not be made one.
#[derive(Debug, Error)]
pub enum PkiError {
    /// The text holds no PEM block of the kind that is due.
    #[error("no {wanted} in this PEM text")]
    NoPem {
        /// `certificate`, `private key`, `certificate request`.
        wanted: &'static str,
    },
    /// The block's content can't be read.
    #[error("unreadable {what}: {reason}")]
    Unreadable {
        /// What it should have been.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// The text is longer than any conforming one.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// In bytes.
        limit: usize,
    },
    /// The certificate is not for the key at hand.
    #[error("the certificate is for another key")]
    OtherKey,
    /// Signing failed.
    #[error("cannot sign: {0}")]
    Sign(String),
    /// TLS could not be set up with what was given.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Longest PEM text that is read, in bytes.
const PEM_BYTES_MAX: usize = 256 * 1024;

fn provider() -> std::sync::Arc<rustls::crypto::CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<std::sync::Arc<rustls::crypto::CryptoProvider>> =
        std::sync::OnceLock::new();
    PROVIDER.get_or_init(|| std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone()
}
