//! Certificate authority of a platform. It signs the platform's leaves and the requests of its peers.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;

use super::identity::require_same_key;
use super::{Certificate, Identity, PEM_BYTES_MAX, PkiError};
use covenant_model::clock::Clock;

/// Lifetime of an authority, in days.
const AUTHORITY_DAYS: i64 = 3650;
/// Hours by which the start of validity lies in the past, so that a peer whose clock is behind accepts the
/// certificate. A platform under test may have a clock of its own, years behind, that nothing shows before the first call.
const BACKDATED_HOURS: i64 = 10 * 365 * 24;
/// Hours by which the end of an ended certificate lies in the past, so that a peer whose clock is behind refuses it
/// too.
const ENDED_HOURS: i64 = 12;

/// Ed25519 certificate authority. Clones share the key.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    certificate_pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    key_pem: String,
    clock: Clock,
}

impl Authority {
    /// Creates an authority, valid by `clock`.
    pub fn new(common_name: &str, clock: &Clock) -> Result<Self, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(sign)?;
        let mut params = params(common_name, &[], clock, AUTHORITY_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(sign)?;
        Self::with(certificate.pem(), certificate.der().clone(), key, clock)
    }

    /// Restores an authority from the results of [`Authority::pem`] and [`Authority::key_pem`].
    pub fn from_pem(certificate_pem: &str, key_pem: &str, clock: &Clock) -> Result<Self, PkiError> {
        let certificate = Certificate::from_pem(certificate_pem)?;
        let key = KeyPair::from_pem(key_pem)
            .map_err(|error| PkiError::Unreadable { what: "private key", reason: error.to_string() })?;
        let der = CertificateDer::from(certificate.der().to_vec());
        require_same_key(&der, &key)?;
        Self::with(certificate_pem.to_owned(), der, key, clock)
    }

    fn with(
        certificate_pem: String,
        der: CertificateDer<'static>,
        key: KeyPair,
        clock: &Clock,
    ) -> Result<Self, PkiError> {
        let key_pem = key.serialize_pem();
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(sign)?;
        Ok(Self(Arc::new(Inner { certificate_pem, der, issuer, key_pem, clock: clock.clone() })))
    }

    /// Returns the certificate of the authority, which other platforms must trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// Returns the key of the authority. It is only for a platform that keeps it across restarts.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.0.key_pem
    }

    /// Creates a leaf with a new key, for both ends of a connection. `names` are host names and addresses.
    pub fn leaf(&self, common_name: &str, names: &[&str], days: u32) -> Result<Identity, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(sign)?;
        let mut params = params(common_name, names, &self.0.clock, i64::from(days))?;
        as_leaf(&mut params);
        let certificate = params.signed_by(&key, &self.0.issuer).map_err(sign)?;
        Identity::new(vec![certificate.der().clone(), self.0.der.clone()], &key)
    }

    /// Creates a leaf with a new key whose validity has ended.
    pub fn ended_leaf(&self, common_name: &str) -> Result<Identity, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(sign)?;
        let mut params = params(common_name, &[], &self.0.clock, 0)?;
        params.not_after = hours_from(earlier(&self.0.clock), -ENDED_HOURS)?;
        as_leaf(&mut params);
        let certificate = params.signed_by(&key, &self.0.issuer).map_err(sign)?;
        Identity::new(vec![certificate.der().clone(), self.0.der.clone()], &key)
    }

    /// Signs a request under `common_name`. The subject in the request is not trusted. The signature of the
    /// request is verified.
    pub fn sign_request(&self, pem: &str, common_name: &str, days: u32) -> Result<Certificate, PkiError> {
        if pem.len() > PEM_BYTES_MAX {
            return Err(PkiError::TooLong { what: "the certificate request", limit: PEM_BYTES_MAX });
        }
        let mut request = CertificateSigningRequestParams::from_pem(pem).map_err(|error| {
            PkiError::Unreadable { what: "certificate request", reason: error.to_string() }
        })?;
        request.params = params(common_name, &[], &self.0.clock, i64::from(days))?;
        as_leaf(&mut request.params);
        let certificate = request.signed_by(&self.0.issuer).map_err(sign)?;
        Certificate::from_der(certificate.der())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn params(
    common_name: &str,
    names: &[&str],
    clock: &Clock,
    days: i64,
) -> Result<CertificateParams, PkiError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(sign)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = hours_from(earlier(clock), -BACKDATED_HOURS)?;
    params.not_after = hours_from(clock.now(), 24 * days)?;
    params.serial_number = Some(serial()?);
    Ok(params)
}

fn as_leaf(params: &mut CertificateParams) {
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
}

/// Returns the earlier of the times that this clock and the system show. A platform whose clock was moved may still
/// evaluate a validity by the clock of its system (`binding.md`, reading 12).
fn earlier(clock: &Clock) -> Timestamp {
    clock.now().min(Clock::system().now())
}

fn hours_from(time: Timestamp, hours: i64) -> Result<OffsetDateTime, PkiError> {
    let time = time
        .checked_add(SignedDuration::from_hours(hours))
        .map_err(|error| PkiError::Sign(error.to_string()))?;
    OffsetDateTime::from_unix_timestamp(time.as_second()).map_err(|error| PkiError::Sign(error.to_string()))
}

/// Returns sixteen random bytes that are a positive number in DER.
fn serial() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|error| PkiError::Sign(error.to_string()))?;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
fn sign(error: rcgen::Error) -> PkiError {
    PkiError::Sign(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateSigningRequestDer;
    use rustls::pki_types::pem::PemObject;

    use crate::pki::SigningRequest;
    use crate::pki::certificate::pem_of;

    fn clock() -> Clock {
        Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"))
    }

    #[test]
    fn a_request_is_signed_under_the_signers_name_and_fits_its_key() {
        let authority = Authority::new("covenant test", &clock()).expect("an authority");
        let request = SigningRequest::new("I am the boss").expect("a request");
        let certificate = authority.sign_request(request.pem(), "fed:1", 90).expect("signed");
        assert_eq!(certificate.common_name.as_deref(), Some("fed:1"));
        assert_eq!(certificate.not_after.to_string(), "2026-08-30T00:00:00Z");
        let pem = certificate.pem();
        assert!(SigningRequest::new("other").expect("a request").into_identity(&pem, "").is_err());
        assert_eq!(request.into_identity(&pem, authority.pem()).expect("ours").certificate(), &certificate);
    }

    #[test]
    fn a_moved_clock_begins_and_ends_no_validity_later_than_the_system() {
        let now = Clock::system().now();
        let ahead =
            Clock::manual(now.checked_add(SignedDuration::from_hours(24 * 1500)).expect("a timestamp"));
        let authority = Authority::new("covenant test", &ahead).expect("an authority");
        let leaf = authority.leaf("fed:3", &[], 730).expect("a leaf");
        assert!(leaf.certificate().not_before < now && leaf.certificate().not_after > ahead.now());
        assert!(Certificate::from_pem(authority.pem()).expect("a certificate").not_before < now);
        let ended = authority.ended_leaf("fed:3").expect("a leaf");
        assert!(ended.certificate().not_before < ended.certificate().not_after);
        assert!(ended.certificate().not_after < now);
    }

    #[test]
    fn an_authority_is_restored_from_pem() {
        let clock = clock();
        let authority = Authority::new("covenant test", &clock).expect("an authority");
        let again = Authority::from_pem(authority.pem(), authority.key_pem(), &clock).expect("kept");
        let leaf = again.leaf("fed:2", &["127.0.0.1"], 90).expect("a leaf");
        let trust = crate::pki::Trust::new();
        trust.add("x", authority.pem()).expect("an anchor");
        let checked = trust.check_client(&[leaf.certificate().der()], clock.now()).expect("trusted");
        assert_eq!(checked.label, "x");
    }

    #[test]
    fn the_key_of_another_authority_is_rejected() {
        let one = Authority::new("one", &clock()).expect("an authority");
        let two = Authority::new("two", &clock()).expect("an authority");
        assert!(matches!(Authority::from_pem(one.pem(), two.key_pem(), &clock()), Err(PkiError::OtherKey)));
    }

    #[test]
    fn a_validity_beyond_the_end_of_time_is_an_error() {
        let authority = Authority::new("covenant test", &clock()).expect("an authority");
        assert!(authority.leaf("fed:1", &[], u32::MAX).is_err());
        assert!(Authority::new("late", &Clock::manual(Timestamp::MAX)).is_ok(), "no clock shows that");
    }

    #[test]
    fn a_request_in_which_one_byte_was_changed_is_not_signed() {
        let authority = Authority::new("covenant test", &clock()).expect("an authority");
        let request = SigningRequest::new("a name").expect("a request");
        let der = CertificateSigningRequestDer::from_pem_slice(request.pem().as_bytes()).expect("DER");
        // The signed part and the signature. The ten bytes between them only name the algorithm.
        let signature = der.len() - 64;
        for at in (0..signature - 10).chain(signature..der.len()) {
            let mut changed = der.to_vec();
            changed[at] ^= 1;
            let pem = pem_of("CERTIFICATE REQUEST", &changed);
            assert!(authority.sign_request(&pem, "fed:1", 90).is_err(), "byte {at}");
        }
        assert!(authority.sign_request(&pem_of("CERTIFICATE REQUEST", &der), "fed:1", 90).is_ok());
    }

    #[test]
    fn invalid_requests_are_not_signed() {
        let authority = Authority::new("covenant test", &clock()).expect("an authority");
        for pem in ["", "rubbish", authority.pem()] {
            assert!(authority.sign_request(pem, "fed:1", 90).is_err(), "{pem:?}");
        }
    }
}
