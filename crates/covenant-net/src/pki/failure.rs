//! Classification of TLS failures, above all by the end that refused a certificate.

use std::error::Error;
use std::io;

use rustls::AlertDescription as Alert;

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
            rustls::Error::InvalidCertificate(reason) => Self::TheirsRefused(reason.to_string()),
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
    use rustls::CertificateError;

    fn failure(error: rustls::Error) -> Option<TlsFailure> {
        TlsFailure::of(&io::Error::other(error))
    }

    #[test]
    fn refusals_by_either_end_are_distinguished() {
        let theirs = failure(rustls::Error::InvalidCertificate(CertificateError::Expired));
        assert!(matches!(theirs, Some(TlsFailure::TheirsRefused(_))), "{theirs:?}");
        for alert in [Alert::UnknownCA, Alert::CertificateExpired, Alert::CertificateRequired] {
            let ours = failure(rustls::Error::AlertReceived(alert));
            assert!(matches!(ours, Some(TlsFailure::OursRefused(_))), "{ours:?}");
        }
        let other = failure(rustls::Error::AlertReceived(Alert::ProtocolVersion));
        assert!(matches!(other, Some(TlsFailure::Other(_))), "{other:?}");
        assert_eq!(TlsFailure::of(&io::Error::from(io::ErrorKind::UnexpectedEof)), None);
    }
}
