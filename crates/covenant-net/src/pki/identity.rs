//! A certificate with its key, and the request that leads to one.

use std::fmt;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519};
use rustls::InconsistentKeys;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::certificate::chain_from_pem;
use super::failure::in_words;
use super::{Certificate, PEM_BYTES_MAX, PkiError};

/// Certificate chain with the private key of its leaf.
pub struct Identity {
    leaf: Certificate,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Result<Self, PkiError> {
        let leaf = Certificate::from_der(&chain[0])?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|reason| PkiError::Unreadable { what: "private key", reason: reason.to_owned() })?;
        Ok(Self { leaf, chain, key })
    }

    /// Reads a chain, leaf first, and its key.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, PkiError> {
        if key_pem.len() > PEM_BYTES_MAX {
            return Err(PkiError::TooLong { what: "the PEM text", limit: PEM_BYTES_MAX });
        }
        let unreadable = |reason: String| PkiError::Unreadable { what: "private key", reason };
        if key_pem.contains("ENCRYPTED") {
            return Err(unreadable("it is encrypted; give one without a passphrase".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|error| match error {
            pem::Error::NoItemsFound => PkiError::NoPem { wanted: "private key" },
            other => unreadable(other.to_string()),
        })?;
        let chain = chain_from_pem(chain_pem)?;
        let signing = any_supported_type(&key).map_err(|error| unreadable(error.to_string()))?;
        match CertifiedKey::new(chain.clone(), signing).keys_match() {
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(PkiError::OtherKey),
            // Where the key does not show its public half, the handshake does.
            Ok(()) | Err(rustls::Error::InconsistentKeys(_)) => {
                Ok(Self { leaf: Certificate::from_der(&chain[0])?, chain, key })
            }
            Err(error) => Err(PkiError::Unreadable { what: "certificate", reason: in_words(&error) }),
        }
    }

    /// Returns the leaf.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.leaf
    }

    /// Returns the chain as PEM, leaf first.
    pub fn chain_pem(&self) -> Result<String, PkiError> {
        let certificates = self.chain.iter().map(|der| Ok(Certificate::from_der(der)?.pem()));
        certificates.collect()
    }

    /// Returns the key as PEM. It is only for a platform that keeps it across restarts.
    pub fn key_pem(&self) -> Result<String, PkiError> {
        let key = KeyPair::try_from(self.key.secret_der());
        let key =
            key.map_err(|error| PkiError::Unreadable { what: "private key", reason: error.to_string() })?;
        Ok(key.serialize_pem())
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { leaf: self.leaf.clone(), chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("leaf", &self.leaf.common_name).finish_non_exhaustive()
    }
}

/// Certificate request with its key.
pub struct SigningRequest {
    pem: String,
    key: KeyPair,
}

impl SigningRequest {
    /// Creates a request with a new key. The signer may choose another name.
    pub fn new(common_name: &str) -> Result<Self, PkiError> {
        let sign = |error: rcgen::Error| PkiError::Sign(error.to_string());
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(sign)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(sign)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let pem = params.serialize_request(&key).and_then(|request| request.pem()).map_err(sign)?;
        Ok(Self { pem, key })
    }

    /// Returns the request as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the key as PEM. It is only for a platform that keeps it across restarts.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Combines the key with the signer's certificate into an identity. `chain_pem` may be empty.
    pub fn into_identity(self, cert_pem: &str, chain_pem: &str) -> Result<Identity, PkiError> {
        let mut chain = chain_from_pem(cert_pem)?;
        require_same_key(&chain[0], &self.key)?;
        if !chain_pem.trim().is_empty() {
            chain.extend(chain_from_pem(chain_pem)?);
        }
        chain.dedup();
        Identity::new(chain, &self.key)
    }
}

impl fmt::Debug for SigningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningRequest").finish_non_exhaustive()
    }
}

/// Returns an error if the certificate is not for this key.
pub(super) fn require_same_key(leaf: &CertificateDer<'_>, key: &KeyPair) -> Result<(), PkiError> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, parsed) = X509Certificate::from_der(leaf)
        .map_err(|error| PkiError::Unreadable { what: "certificate", reason: error.to_string() })?;
    if parsed.public_key().subject_public_key.data.as_ref() == key.public_key_raw() {
        Ok(())
    } else {
        Err(PkiError::OtherKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;
    use covenant_model::clock::Clock;

    #[test]
    fn debug_output_has_no_key() {
        let request = SigningRequest::new("fed:1").expect("a request");
        let secret: String = request.key_pem().lines().nth(1).expect("a key").to_owned();
        assert!(!format!("{request:?}").contains(&secret));
        let authority = Authority::new("a", &Clock::system()).expect("an authority");
        let leaf = authority.sign_request(request.pem(), "fed:1", 90).expect("signed").pem();
        let identity = Identity::from_pem(&leaf, &request.key_pem()).expect("an identity");
        let shown = format!("{identity:?} {authority:?}");
        assert!(shown.contains("fed:1"), "{shown}");
        for secret in [secret.as_str(), "PRIVATE", "key:"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_chain_may_be_absent_and_not_invalid() {
        let authority = Authority::new("a", &Clock::system()).expect("an authority");
        for (chain, fits) in [("", true), (authority.pem(), true), ("rubbish", false)] {
            let request = SigningRequest::new("fed:1").expect("a request");
            let leaf = authority.sign_request(request.pem(), "fed:1", 90).expect("signed").pem();
            assert_eq!(request.into_identity(&leaf, chain).is_ok(), fits, "{chain:?}");
        }
    }
}
