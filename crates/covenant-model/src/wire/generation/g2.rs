//! G2: a signed certificate request or an exchange of authorities in accept, and a trust bundle.

use super::{ForwardedForm, G1, Generation};
use crate::wire::header::FORWARDED_CERTIFICATE;

/// Generation of June 2026.
pub static G2: Generation = Generation {
    name: "G2",
    since: "June 2026",
    routes: &[
        "accept",
        "heartbeat",
        "trust_bundle",
        "resources",
        "migrations",
        "audit_excerpts",
        "service_catalog",
        "subscriptions",
        "subscriptions/end",
    ],
    forwarded: &FORWARDED,
    credentials: &["csr_pem", "peer_ca_bundle_pem"],
    token: G1.token,
};

/// Header of the caller's subject, percent-encoded.
const INFO: &str = "X-Forwarded-Tls-Client-Cert-Info";

/// Subject and certificate in two headers, percent-encoded.
pub static FORWARDED: ForwardedForm = ForwardedForm {
    name: "forwarded",
    about: "The headers that a proxy sets before a platform of generation G2 or later",
    headers: |caller| {
        let Some((subject, certificate_pem)) = &caller.certificate else { return vec![] };
        vec![
            (INFO.to_lowercase(), encoded(&format!("Subject=\"CN={subject}\""))),
            (FORWARDED_CERTIFICATE.to_lowercase(), encoded(certificate_pem)),
        ]
    },
    subject: |name, value| {
        let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
        let (_, subject) = value.split_once("CN=").filter(|_| name.eq_ignore_ascii_case(INFO))?;
        subject.split(['"', ',']).next().map(ToOwned::to_owned)
    },
};

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
