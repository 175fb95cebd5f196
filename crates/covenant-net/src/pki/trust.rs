//! Whom a platform trusts: anchors that come and go while its servers run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use thiserror::Error;

use super::certificate::chain_from_pem;
use super::{Certificate, PkiError, provider};

/// A live set of anchors, each under a label, and what has been revoked. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<RwLock<State>>);

#[derive(Debug, Default)]
struct State {
    anchors: BTreeMap<String, Anchor>,
    /// Fingerprints and serials, hex.
    revoked: BTreeSet<String>,
    /// Where no anchor is known, the first server certificate seen becomes the only one taken.
    first_use: FirstUse,
}

#[derive(Debug)]
struct Anchor {
    roots: Arc<RootCertStore>,
    clients: Arc<dyn ClientCertVerifier>,
}

#[derive(Debug, Default)]
enum FirstUse {
    #[default]
    Refused,
    Open,
    Pinned(String),
}

/// A chain that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The label of the anchor it leads to.
    pub label: String,
    /// The leaf.
    pub certificate: Certificate,
}

/// A chain that was found wanting.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection {
    /// It leads to no anchor.
    #[error("the certificate leads to no trusted authority")]
    Unknown,
    /// It is over.
    #[error("the certificate has expired")]
    Expired,
    /// It has not begun.
    #[error("the certificate is not yet valid")]
    NotYetValid,
    /// It was revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// It can't be read, or may not be used for this.
    #[error("the certificate is malformed or not for this use: {0}")]
    Malformed(String),
}

impl Trust {
    /// Trusts nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// While it has no anchor, takes the first server certificate that it sees, and only that one
    /// from then on, whatever its dates.
    #[must_use]
    pub fn on_first_use() -> Self {
        let trust = Self::new();
        trust.write().first_use = FirstUse::Open;
        trust
    }

    /// Trusts the authorities that the system does.
    pub fn of_system() -> Result<Self, PkiError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system_certificates()?);
        let trust = Self::new();
        trust.anchor("system", roots)?;
        Ok(trust)
    }

    /// Trusts every authority of a bundle under `label`, in place of what stood there.
    pub fn add(&self, label: &str, bundle_pem: &str) -> Result<(), PkiError> {
        let mut roots = RootCertStore::empty();
        for certificate in chain_from_pem(bundle_pem)? {
            roots
                .add(certificate)
                .map_err(|error| PkiError::Unreadable { what: "authority", reason: error.to_string() })?;
        }
        self.anchor(label, roots)
    }

    fn anchor(&self, label: &str, roots: RootCertStore) -> Result<(), PkiError> {
        let roots = Arc::new(roots);
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider())
            .build()
            .map_err(|error| PkiError::Unreadable { what: "authority", reason: error.to_string() })?;
        self.write().anchors.insert(label.to_owned(), Anchor { roots, clients });
        Ok(())
    }

    /// Trusts what stands under `label` no more.
    pub fn remove(&self, label: &str) {
        self.write().anchors.remove(label);
    }

    /// The labels under which something stands.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.read().anchors.keys().cloned().collect()
    }

    /// Whether something stands under `label`.
    #[must_use]
    pub fn has(&self, label: &str) -> bool {
        self.read().anchors.contains_key(label)
    }

    /// Refuses a certificate from now on, by its fingerprint or its serial in lower-case hex.
    pub fn revoke(&self, fingerprint_or_serial: &str) {
        self.write().revoked.insert(fingerprint_or_serial.to_owned());
    }

    /// Whether a certificate was revoked.
    #[must_use]
    pub fn is_revoked(&self, certificate: &Certificate) -> bool {
        self.read().has_revoked(certificate)
    }

    /// Checks a client's chain, leaf first. Ask again on each request of a kept-alive connection.
    pub fn check_client(&self, chain: &[&[u8]], now: Timestamp) -> Result<Verified, Rejection> {
        let (leaf, rest) = split(chain)?;
        let now = unix_time(now);
        self.check(&leaf, |anchor| anchor.clients.verify_client_cert(&leaf, &rest, now).map(|_| ()))
    }

    /// Checks a server's chain, leaf first. The host's name is not looked at: the anchor is the
    /// peer's own authority.
    pub fn check_server(&self, chain: &[&[u8]], now: Timestamp) -> Result<Verified, Rejection> {
        let (leaf, rest) = split(chain)?;
        let now = unix_time(now);
        if let Some(answer) = self.check_first_use(&leaf) {
            return answer;
        }
        let parsed = ParsedCertificate::try_from(&leaf).map_err(|error| rejection(&error))?;
        let algorithms = provider().signature_verification_algorithms;
        self.check(&leaf, |anchor| {
            verify_server_cert_signed_by_trust_anchor(&parsed, &anchor.roots, &rest, now, algorithms.all)
        })
    }

    fn check_first_use(&self, leaf: &CertificateDer<'_>) -> Option<Result<Verified, Rejection>> {
        let mut state = self.write();
        if !state.anchors.is_empty() {
            return None;
        }
        let certificate = match Certificate::from_der(leaf) {
            Ok(certificate) => certificate,
            Err(error) => return Some(Err(Rejection::Malformed(error.to_string()))),
        };
        match &state.first_use {
            FirstUse::Refused => None,
            _ if state.has_revoked(&certificate) => Some(Err(Rejection::Revoked)),
            FirstUse::Pinned(pinned) if *pinned != certificate.fingerprint => Some(Err(Rejection::Unknown)),
            FirstUse::Open | FirstUse::Pinned(_) => {
                state.first_use = FirstUse::Pinned(certificate.fingerprint.clone());
                Some(Ok(Verified { label: "first use".to_owned(), certificate }))
            }
        }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        leads_to: impl Fn(&Anchor) -> Result<(), rustls::Error>,
    ) -> Result<Verified, Rejection> {
        let certificate =
            Certificate::from_der(leaf).map_err(|error| Rejection::Malformed(error.to_string()))?;
        if self.is_revoked(&certificate) {
            return Err(Rejection::Revoked);
        }
        let mut why = Rejection::Unknown;
        for (label, anchor) in &self.read().anchors {
            match leads_to(anchor) {
                Ok(()) => return Ok(Verified { label: label.clone(), certificate }),
                // One anchor's "expired" says more than another's "unknown".
                Err(error) => match rejection(&error) {
                    Rejection::Unknown => {}
                    other => why = other,
                },
            }
        }
        Err(why)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_revoked(&self, certificate: &Certificate) -> bool {
        self.revoked.contains(&certificate.fingerprint) || self.revoked.contains(&certificate.serial)
    }
}

type Chain = (CertificateDer<'static>, Vec<CertificateDer<'static>>);

fn split(chain: &[&[u8]]) -> Result<Chain, Rejection> {
    let mut chain = chain.iter().map(|der| CertificateDer::from(der.to_vec()));
    let leaf = chain.next().ok_or_else(|| Rejection::Malformed("no certificate".to_owned()))?;
    Ok((leaf, chain.collect()))
}

fn unix_time(now: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0)))
}

fn rejection(error: &rustls::Error) -> Rejection {
    use rustls::CertificateError;
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Rejection::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Rejection::NotYetValid
            }
            CertificateError::Revoked => Rejection::Revoked,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Rejection::Unknown,
            other => Rejection::Malformed(format!("{other:?}")),
        },
        other => Rejection::Malformed(other.to_string()),
    }
}

/// The authorities that the system trusts, as a bundle.
pub fn system_bundle_pem() -> Result<String, PkiError> {
    let certificates = system_certificates()?;
    let readable = certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
    Ok(readable.map(|certificate| certificate.pem()).collect())
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let reason = found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string);
        return Err(PkiError::Unreadable { what: "authorities of the system", reason });
    }
    Ok(found.certs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;
    use covenant_model::clock::Clock;

    #[test]
    fn anchors_come_and_go_and_time_and_revocation_count() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let authority = Authority::new("a", &clock).expect("an authority");
        let leaf = authority.leaf("fed:1", &[], 90).expect("a leaf");
        let der = leaf.certificate().der();
        let trust = Trust::new();
        assert_eq!(trust.check_client(&[der], clock.now()), Err(Rejection::Unknown));
        trust.add("a", authority.pem()).expect("an anchor");
        assert!(trust.check_client(&[der], clock.now()).is_ok());
        assert!(trust.check_server(&[der], clock.now()).is_ok());

        let later = clock.now() + jiff::SignedDuration::from_hours(24 * 90 + 1);
        assert_eq!(trust.check_client(&[der], later), Err(Rejection::Expired));
        let earlier = clock.now() - jiff::SignedDuration::from_hours(25);
        assert_eq!(trust.check_client(&[der], earlier), Err(Rejection::NotYetValid));

        trust.revoke(&leaf.certificate().serial);
        assert_eq!(trust.check_client(&[der], clock.now()), Err(Rejection::Revoked));
        trust.remove("a");
        let other = authority.leaf("fed:1", &[], 90).expect("a leaf");
        assert_eq!(trust.check_client(&[other.certificate().der()], clock.now()), Err(Rejection::Unknown));
    }

    #[test]
    fn first_use_takes_one_certificate_and_no_other() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let authority = Authority::new("a", &clock).expect("an authority");
        let one = authority.leaf("one", &[], 90).expect("a leaf");
        let two = authority.leaf("two", &[], 90).expect("a leaf");
        let trust = Trust::on_first_use();
        assert!(trust.check_server(&[one.certificate().der()], clock.now()).is_ok());
        assert!(trust.check_server(&[one.certificate().der()], clock.now()).is_ok());
        assert_eq!(trust.check_server(&[two.certificate().der()], clock.now()), Err(Rejection::Unknown));
        trust.revoke(&one.certificate().fingerprint);
        assert_eq!(trust.check_server(&[one.certificate().der()], clock.now()), Err(Rejection::Revoked));
        assert!(Trust::new().check_server(&[one.certificate().der()], clock.now()).is_err());
    }
}
