//! Facts of a certificate, read without trust in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use covenant_model::wire::canonical::sha256_hex;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{PEM_BYTES_MAX, PkiError};

/// Facts of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Common name of the subject; `None` if there is no common name that is text.
    pub common_name: Option<String>,
    /// Serial number, in lower-case hex.
    pub serial: String,
    /// SHA-256 of the DER, in lower-case hex.
    pub fingerprint: String,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    der: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let unreadable = |reason: String| PkiError::Unreadable { what: "certificate", reason };
        if der.len() > PEM_BYTES_MAX {
            return Err(PkiError::TooLong { what: "the certificate", limit: PEM_BYTES_MAX });
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
        if !rest.is_empty() {
            return Err(unreadable(format!("{} bytes after its end", rest.len())));
        }
        let common_name = parsed.subject().iter_common_name().find_map(|name| name.as_str().ok());
        Ok(Self {
            common_name: common_name.map(ToOwned::to_owned),
            serial: hex::encode(parsed.raw_serial()),
            fingerprint: sha256_hex(der),
            not_before: moment(parsed.validity().not_before.timestamp()),
            not_after: moment(parsed.validity().not_after.timestamp()),
            der: der.to_vec(),
        })
    }

    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let chain = chain_from_pem(pem)?;
        Self::from_der(&chain[0])
    }

    /// Returns the certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_of("CERTIFICATE", &self.der)
    }
}

/// Returns a moment of a certificate. The last second of the year 9999 means that its validity never ends; it is some
/// hours beyond what a timestamp holds.
fn moment(seconds: i64) -> Timestamp {
    let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(nearest)
}

/// Encodes DER as PEM, in lines of 64 characters.
#[must_use]
pub fn pem_of(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Reads every certificate of a PEM text, at least one.
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
    use crate::pki::Authority;
    use covenant_model::clock::Clock;

    /// Creates a certificate with a long name of unusual characters, as a target may send it.
    fn strange() -> (String, Certificate) {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let name = "\u{1b}[31m\0\u{202e}<b>".repeat(2000);
        let leaf = Authority::new("a", &clock).expect("an authority").leaf(&name, &[], 90).expect("a leaf");
        (name, leaf.certificate().clone())
    }

    #[test]
    fn a_strange_name_is_read_as_it_is_and_the_pem_reads_back() {
        let (name, certificate) = strange();
        assert_eq!(certificate.common_name.as_deref(), Some(name.as_str()));
        assert_eq!(certificate.serial.len(), 32);
        assert_eq!(Certificate::from_pem(&certificate.pem()).expect("a certificate"), certificate);
    }

    #[test]
    fn a_certificate_that_was_cut_lengthened_or_changed_never_panics() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let authority = Authority::new("a", &clock).expect("an authority");
        let leaf = authority.leaf("fed:1", &["127.0.0.1", "localhost"], 90).expect("a leaf");
        let der = leaf.certificate().der();
        for at in 0..der.len() {
            assert!(Certificate::from_der(&der[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = der.to_vec();
                changed[at] ^= 1 << bit;
                // The read may succeed: nothing here trusts the certificate.
                let _ = Certificate::from_der(&changed);
            }
        }
        assert!(Certificate::from_der(&[der, b"more"].concat()).is_err());
    }

    #[test]
    fn an_invalid_certificate_is_an_error_and_never_a_panic() {
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
