//! Trust of a platform: anchors that change while its servers run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use thiserror::Error;

use super::certificate::chain_from_pem;
use super::failure::in_words;
use super::{Certificate, PkiError, provider};
use covenant_model::wire::canonical::sha256_hex;

/// Live set of anchors, each with a label, and the revoked certificates. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<RwLock<State>>);

#[derive(Debug, Default)]
struct State {
    anchors: BTreeMap<String, Anchor>,
    /// Fingerprints and serial numbers, in hex.
    revoked: BTreeSet<String>,
    /// State of trust on first use. While there is no anchor, the first server certificate becomes the only
    /// one accepted.
    first_use: FirstUse,
    /// `true` if the anchors certify other hosts too, so that a server's certificate has to be for the called one.
    host_names_checked: bool,
    /// `true` if a client's certificate is accepted after its end.
    ended_clients_accepted: bool,
}

#[derive(Debug)]
struct Anchor {
    roots: Arc<RootCertStore>,
    clients: Arc<dyn ClientCertVerifier>,
    /// The fingerprints of the anchors themselves. A platform may present one of them as its own certificate.
    themselves: BTreeSet<String>,
}

#[derive(Debug, Default)]
enum FirstUse {
    #[default]
    Refused,
    Open,
    Pinned(Certificate),
}

/// Tolerated lead of another platform's clock. Without it, a certificate that the platform has just created is not yet
/// valid by this one: clocks differ, and one that is read in whole seconds is up to a second late.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(2);

/// Label of a certificate that was pinned on first use.
const FIRST_USE: &str = "first use";

/// Chain that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Label of the anchor that the chain leads to.
    pub label: String,
    /// Leaf of the chain.
    pub certificate: Certificate,
}

/// Reason why a chain is rejected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Rejection {
    /// The chain leads to no anchor.
    #[error("the certificate leads to no trusted authority")]
    Unknown,
    /// The validity of the certificate has ended.
    #[error("the certificate has expired")]
    Expired,
    /// The validity of the certificate has not begun.
    #[error("the certificate is not yet valid")]
    NotYetValid,
    /// The certificate is revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// The certificate can't be read, or is not valid for this use.
    #[error("the certificate cannot be used: {0}")]
    Malformed(String),
}

impl Trust {
    /// Creates a trust without anchors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a trust that pins on first use. While it has no anchor, it accepts the first server
    /// certificate and only that one from then on, whatever its dates.
    #[must_use]
    pub fn on_first_use() -> Self {
        let trust = Self::new();
        trust.write().first_use = FirstUse::Open;
        trust
    }

    /// Creates a trust with authorities that certify many hosts, as a user names them: the certificate of a server
    /// has to be for the host that is called. Without an authority that can be read, it trusts no one.
    #[must_use]
    pub fn of_hosts(bundle_pem: &str) -> Self {
        let trust = Self::new();
        let mut roots = RootCertStore::empty();
        let bundle = chain_from_pem(bundle_pem).unwrap_or_default();
        let themselves = fingerprints(&bundle);
        roots.add_parsable_certificates(bundle);
        // Without roots there is no anchor, and no server is trusted.
        let _ = trust.anchor("named", roots, themselves);
        trust.write().host_names_checked = true;
        trust
    }

    /// Returns whether a server's certificate has to be for the host that is called.
    pub(super) fn checks_host_names(&self) -> bool {
        self.read().host_names_checked
    }

    /// Accepts the certificates of clients after their end, too: for a platform that breaks this on purpose.
    pub fn accept_ended_clients(&self) {
        self.write().ended_clients_accepted = true;
    }

    /// Creates a trust with the authorities that the system trusts.
    pub fn of_system() -> Result<Self, PkiError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system_certificates()?);
        let trust = Self::new();
        trust.anchor("system", roots, BTreeSet::new())?;
        Ok(trust)
    }

    /// Adds every authority of a bundle under `label`, in place of the former ones with this label.
    pub fn add(&self, label: &str, bundle_pem: &str) -> Result<(), PkiError> {
        let mut roots = RootCertStore::empty();
        let bundle = chain_from_pem(bundle_pem)?;
        let themselves = fingerprints(&bundle);
        for certificate in bundle {
            roots
                .add(certificate)
                .map_err(|error| PkiError::Unreadable { what: "authority", reason: in_words(&error) })?;
        }
        self.anchor(label, roots, themselves)
    }

    fn anchor(
        &self,
        label: &str,
        roots: RootCertStore,
        themselves: BTreeSet<String>,
    ) -> Result<(), PkiError> {
        let roots = Arc::new(roots);
        let clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider())
            .build()
            .map_err(|error| PkiError::Unreadable { what: "authority", reason: error.to_string() })?;
        self.write().anchors.insert(label.to_owned(), Anchor { roots, clients, themselves });
        Ok(())
    }

    /// Removes the authorities under `label`.
    pub fn remove(&self, label: &str) {
        self.write().anchors.remove(label);
    }

    /// Returns the labels in use.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.read().anchors.keys().cloned().collect()
    }

    /// Returns whether `label` is in use.
    #[must_use]
    pub fn has(&self, label: &str) -> bool {
        self.read().anchors.contains_key(label)
    }

    /// Refuses a certificate from now on, by its fingerprint or its serial number in lower-case hex.
    pub fn revoke(&self, fingerprint_or_serial: &str) {
        self.write().revoked.insert(fingerprint_or_serial.to_owned());
    }

    /// Returns whether a certificate is revoked.
    #[must_use]
    pub fn is_revoked(&self, certificate: &Certificate) -> bool {
        self.read().has_revoked(certificate)
    }

    /// Checks a client's chain, leaf first. The caller repeats the check on each request of a kept-alive
    /// connection.
    pub fn check_client(&self, chain: &[&[u8]], now: Timestamp) -> Result<Verified, Rejection> {
        let (leaf, rest) = split(chain)?;
        let end = Certificate::from_der(&leaf).ok().filter(|_| self.read().ended_clients_accepted);
        let now = end.map_or(now, |certificate| certificate.not_after.min(now));
        by_either_clock(now, |now| {
            self.check(&leaf, now, |anchor| {
                anchor.clients.verify_client_cert(&leaf, &rest, unix_time(now)).map(|_| ())
            })
        })
    }

    /// Checks a server's chain, leaf first. The host name is not checked: the anchor is the peer's own
    /// authority.
    pub fn check_server(&self, chain: &[&[u8]], now: Timestamp) -> Result<Verified, Rejection> {
        let (leaf, rest) = split(chain)?;
        if let Some(answer) = self.check_first_use(&leaf) {
            return answer;
        }
        let parsed = ParsedCertificate::try_from(&leaf).map_err(|error| rejection(&error))?;
        let algorithms = provider().signature_verification_algorithms;
        by_either_clock(now, |now| {
            self.check(&leaf, now, |anchor| {
                let now = unix_time(now);
                verify_server_cert_signed_by_trust_anchor(&parsed, &anchor.roots, &rest, now, algorithms.all)
            })
        })
    }

    fn check_first_use(&self, leaf: &CertificateDer<'_>) -> Option<Result<Verified, Rejection>> {
        let mut state = self.write();
        if !state.anchors.is_empty() {
            return None;
        }
        if let FirstUse::Pinned(pinned) = &state.first_use
            && pinned.der() == leaf.as_ref()
        {
            let is_revoked = state.has_revoked(pinned);
            let verified = Verified { label: FIRST_USE.to_owned(), certificate: pinned.clone() };
            return Some(if is_revoked { Err(Rejection::Revoked) } else { Ok(verified) });
        }
        let certificate = match Certificate::from_der(leaf) {
            Ok(certificate) => certificate,
            Err(error) => return Some(Err(Rejection::Malformed(error.to_string()))),
        };
        match &state.first_use {
            FirstUse::Refused => None,
            _ if state.has_revoked(&certificate) => Some(Err(Rejection::Revoked)),
            FirstUse::Pinned(_) => Some(Err(Rejection::Unknown)),
            FirstUse::Open => {
                state.first_use = FirstUse::Pinned(certificate.clone());
                Some(Ok(Verified { label: FIRST_USE.to_owned(), certificate }))
            }
        }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        now: Timestamp,
        leads_to: impl Fn(&Anchor) -> Result<(), rustls::Error>,
    ) -> Result<Verified, Rejection> {
        let certificate =
            Certificate::from_der(leaf).map_err(|error| Rejection::Malformed(error.to_string()))?;
        if self.is_revoked(&certificate) {
            return Err(Rejection::Revoked);
        }
        let mut why = Rejection::Unknown;
        for (label, anchor) in &self.read().anchors {
            // One self-signed certificate may be for everything: the authority and the platform itself.
            if anchor.themselves.contains(&certificate.fingerprint) {
                is_valid(&certificate, now)?;
                return Ok(Verified { label: label.clone(), certificate });
            }
            match leads_to(anchor) {
                Ok(()) => return Ok(Verified { label: label.clone(), certificate }),
                // An "expired" of one anchor is more specific than an "unknown" of another.
                Err(error) => match rejection(&error) {
                    Rejection::Unknown => {}
                    // The library reads no such time, and calls it an invalid encoding.
                    Rejection::Malformed(_) if certificate.not_before < Timestamp::UNIX_EPOCH => {
                        why = Rejection::Malformed("its validity begins before 1970".to_owned());
                    }
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

fn fingerprints(bundle: &[CertificateDer<'_>]) -> BTreeSet<String> {
    bundle.iter().map(sha256_hex).collect()
}

/// Checks at the time of this platform's clock, and at that of a clock that leads, if nothing but the beginning of the
/// validity is in the way.
fn by_either_clock(
    now: Timestamp,
    check: impl Fn(Timestamp) -> Result<Verified, Rejection>,
) -> Result<Verified, Rejection> {
    check(now).or_else(|why| match why {
        Rejection::NotYetValid => check(now.saturating_add(CLOCK_SKEW_MAX).unwrap_or(now)),
        other => Err(other),
    })
}

fn is_valid(certificate: &Certificate, now: Timestamp) -> Result<(), Rejection> {
    match now {
        _ if now < certificate.not_before => Err(Rejection::NotYetValid),
        _ if now > certificate.not_after => Err(Rejection::Expired),
        _ => Ok(()),
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
            _ => Rejection::Malformed(in_words(error)),
        },
        other => Rejection::Malformed(in_words(other)),
    }
}

/// Returns the authorities that the system trusts, as a PEM bundle.
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
    fn anchors_validity_and_revocation_are_checked() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let authority = Authority::new("a", &clock).expect("an authority");
        let leaf = authority.leaf("fed:1", &[], 90).expect("a leaf");
        let der = leaf.certificate().der();
        let trust = Trust::new();
        assert_eq!(trust.check_client(&[der], clock.now()), Err(Rejection::Unknown));
        trust.add("a", authority.pem()).expect("an anchor");
        assert!(trust.check_client(&[der], clock.now()).is_ok());
        assert!(trust.check_server(&[der], clock.now()).is_ok());

        let later = clock.now() + SignedDuration::from_hours(24 * 90 + 1);
        assert_eq!(trust.check_client(&[der], later), Err(Rejection::Expired));
        let earlier = clock.now() - SignedDuration::from_hours(11 * 365 * 24);
        assert_eq!(trust.check_client(&[der], earlier), Err(Rejection::NotYetValid));
        // The clock of another platform may lead: it made the certificate a moment ago by its own.
        let begin = leaf.certificate().not_before;
        for (lead, is_valid) in [(1, true), (120, true), (121, false)] {
            let now = begin - SignedDuration::from_secs(lead);
            let expected = if is_valid { None } else { Some(Rejection::NotYetValid) };
            assert_eq!(trust.check_client(&[der], now).err(), expected, "{lead}");
            assert_eq!(trust.check_server(&[der], now).err(), expected, "{lead}");
        }

        trust.revoke(&leaf.certificate().serial);
        assert_eq!(trust.check_client(&[der], clock.now()), Err(Rejection::Revoked));
        trust.remove("a");
        let other = authority.leaf("fed:1", &[], 90).expect("a leaf");
        assert_eq!(trust.check_client(&[other.certificate().der()], clock.now()), Err(Rejection::Unknown));
    }

    #[test]
    fn named_authorities_that_cannot_be_read_are_no_first_use() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let authority = Authority::new("a", &clock).expect("an authority");
        let leaf = authority.leaf("one", &[], 90).expect("a leaf");
        let check =
            |bundle: &str| Trust::of_hosts(bundle).check_server(&[leaf.certificate().der()], clock.now());
        assert!(check(authority.pem()).is_ok());
        for bundle in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(check(bundle), Err(Rejection::Unknown), "{bundle:?}");
        }
        assert!(Trust::of_hosts("").checks_host_names() && !Trust::new().checks_host_names());
    }

    #[test]
    fn first_use_pins_one_certificate() {
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
