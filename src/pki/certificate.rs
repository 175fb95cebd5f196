//! What a certificate says, read without trusting it.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{PEM_BYTES_MAX, PkiError};
use crate::wire::canonical::sha256_hex;

/// A certificate's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of its subject, where there is one that is text.
    pub common_name: Option<String>,
    /// Lower-case hex.
    pub serial: String,
    /// SHA-256 of the whole, lower-case hex.
    pub fingerprint: String,
    /// From when it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads DER.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let unreadable = |reason: String| PkiError::Unreadable { what: "certificate", reason };
        if der.len() > PEM_BYTES_MAX {
            return Err(PkiError::TooLong { what: "the certificate", limit: PEM_BYTES_MAX });
        }
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
        let time = |seconds| Timestamp::from_second(seconds).map_err(|error| unreadable(error.to_string()));
        let common_name = parsed.subject().iter_common_name().find_map(|name| name.as_str().ok());
        Ok(Self {
            common_name: common_name.map(ToOwned::to_owned),
            serial: hex::encode(parsed.raw_serial()),
            fingerprint: sha256_hex(der),
            not_before: time(parsed.validity().not_before.timestamp())?,
            not_after: time(parsed.validity().not_after.timestamp())?,
            der: der.to_vec(),
        })
    }

    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let chain = chain_from_pem(pem)?;
        Self::from_der(&chain[0])
    }

    /// The whole certificate.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The whole certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

/// Every certificate of a PEM text, at least one.
pub(super) fn chain_from_pem(pem: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    if pem.len() > PEM_BYTES_MAX {
        return Err(PkiError::TooLong { what: "the PEM text", limit: PEM_BYTES_MAX });
    }
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| PkiError::Unreadable { what: "PEM text", reason: error.to_string() })?;
    if chain.is_empty() {
        return Err(PkiError::NoPem { wanted: "certificate" });
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_an_error_and_never_a_panic() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(Certificate::from_pem(pem).is_err(), "{pem:?}");
        }
        assert!(Certificate::from_pem(&"x".repeat(PEM_BYTES_MAX + 1)).is_err());
    }
}
