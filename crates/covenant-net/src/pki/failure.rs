//! Classification of TLS failures, above all by the end that refused a certificate.

use std::error::Error;
use std::io;

use rustls::{AlertDescription as Alert, CertificateError};

use super::Rejection;

/// Reason of a TLS failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TlsFailure {
    /// The other end refused our certificate by an alert. On TLS 1.3 the alert may arrive with the first
    /// read.
    OursRefused(String),
    /// We refused the certificate of the other end.
    TheirsRefused(String),
    /// Any other failure.
    Other(String),
}

impl TlsFailure {
    /// Finds the TLS failure in an error or in its sources. Returns `None` if there is none.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(tls) = tls_error(error) {
                return Some(Self::of_tls(tls));
            }
            next = error.source();
        }
        None
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(reason) => Self::TheirsRefused(of_certificate(reason)),
            rustls::Error::AlertReceived(alert) if is_about_a_certificate(*alert) => {
                Self::OursRefused(format!("alert {alert:?}"))
            }
            other => Self::Other(other.to_string()),
        }
    }
}

/// Returns the TLS error of an error. An I/O error does not return its inner error as its source.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref())
}

/// Says what an error is, in words.
pub(super) fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => of_certificate(reason),
        other => other.to_string(),
    }
}

/// Says why a certificate is refused. The libraries show most reasons as the names of their variants.
fn of_certificate(reason: &CertificateError) -> String {
    use CertificateError::{BadEncoding, Expired, NotValidYet, Other, Revoked, UnknownIssuer};
    match reason {
        UnknownIssuer => format!("{} (UnknownIssuer)", Rejection::Unknown),
        Expired => Rejection::Expired.to_string(),
        NotValidYet => Rejection::NotYetValid.to_string(),
        Revoked => Rejection::Revoked.to_string(),
        BadEncoding => "its encoding is no valid DER".to_owned(),
        Other(other) => match other.0.downcast_ref::<Rejection>() {
            Some(rejection) => rejection.to_string(),
            None => of_library(other.0.to_string()),
        },
        other => other.to_string(),
    }
}

/// Returns what the name of a reason means, with the name, which is what others write about.
fn of_library(name: String) -> String {
    let meaning = match name.as_str() {
        "CaUsedAsEndEntity" => "it is that of an authority (CA:TRUE), and a server needs one of its own",
        "EndEntityUsedAsCa" => "one that issued it is no authority (CA:FALSE)",
        "InvalidSerialNumber" => "its serial number is negative or longer than 20 bytes",
        "NameConstraintViolation" => "an authority in its chain may not issue it for this name",
        "PathLenConstraintViolated" => "its chain is longer than an authority in it allows",
        "UnsupportedCertVersion" => "it is not of version 3 of X.509",
        "UnsupportedCriticalExtension" => {
            "it, or one that issued it, has a critical extension that is not read"
        }
        _ => return name,
    };
    format!("{meaning} ({name})")
}

fn is_about_a_certificate(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(error: rustls::Error) -> Option<TlsFailure> {
        TlsFailure::of(&io::Error::other(error))
    }

    #[test]
    fn refusals_by_either_end_are_distinguished() {
        let theirs = failure(rustls::Error::InvalidCertificate(CertificateError::Expired));
        assert!(matches!(theirs, Some(TlsFailure::TheirsRefused(_))), "{theirs:?}");
        let inner = Rejection::Malformed("its serial number is odd".to_owned());
        let ours = CertificateError::Other(rustls::OtherError(std::sync::Arc::new(inner)));
        let words = "the certificate cannot be used: its serial number is odd".to_owned();
        assert_eq!(failure(rustls::Error::InvalidCertificate(ours)), Some(TlsFailure::TheirsRefused(words)));
        for alert in [Alert::UnknownCA, Alert::CertificateExpired, Alert::CertificateRequired] {
            let ours = failure(rustls::Error::AlertReceived(alert));
            assert!(matches!(ours, Some(TlsFailure::OursRefused(_))), "{ours:?}");
        }
        let other = failure(rustls::Error::AlertReceived(Alert::ProtocolVersion));
        assert!(matches!(other, Some(TlsFailure::Other(_))), "{other:?}");
        assert_eq!(TlsFailure::of(&io::Error::from(io::ErrorKind::UnexpectedEof)), None);
    }
}
