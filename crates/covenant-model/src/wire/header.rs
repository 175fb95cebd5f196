//! Headers of the federation plane (`powernode.md` §3 to §5).

/// `Authorization: Bearer <grant token>`.
pub const AUTHORIZATION: &str = "Authorization";
/// The node instance that calls, checked against the grant's `node_instance_ids`.
pub const CALLING_INSTANCE: &str = "X-Calling-Instance";
/// The overlay network the call comes through, checked against the grant's `sdwan_network_ids`.
pub const SDWAN_NETWORK: &str = "X-Sdwan-Network";
/// Seconds to wait, beside a 429.
pub const RETRY_AFTER: &str = "Retry-After";

/// The value of `Authorization` for a bearer token.
#[must_use]
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The token of an `Authorization` value; the scheme's case is free.
#[must_use]
pub fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The `User-Agent` of a platform that calls as the peer `peer_id` (the row that the receiver keeps).
#[must_use]
pub fn user_agent(peer_id: &str) -> String {
    format!("Powernode-FederationClient/1.0 (peer-id:{peer_id})")
}

/// The CN of a peer's client certificate: `fed:<id of the row that the receiver keeps>`.
#[must_use]
pub fn inbound_subject(peer_id: &str) -> String {
    format!("fed:{peer_id}")
}

/// How a caller's identity reaches the platform (`powernode.md` §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerForm {
    /// By its certificate: the platform, or the proxy before it, ends TLS.
    #[default]
    Tls,
    /// In the headers that a proxy sets before a platform of generation G1.
    ForwardedG1,
    /// In the headers that a proxy sets before a platform of generation G2 or later.
    Forwarded,
}

/// G1: the CN of the caller's certificate.
pub const FORWARDED_CN_G1: &str = "X-Client-S-DN-CN";
/// G2 on: the caller's subject, percent-encoded.
pub const FORWARDED_INFO: &str = "X-Forwarded-Tls-Client-Cert-Info";
/// G2 on: the caller's certificate, as percent-encoded PEM.
pub const FORWARDED_CERTIFICATE: &str = "X-Forwarded-Tls-Client-Cert";

/// What a proxy forwards of a caller with this subject and certificate, before a platform of G2 or later.
#[must_use]
pub fn forwarded(subject: &str, certificate_pem: &str) -> Vec<(String, String)> {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    vec![
        (FORWARDED_INFO.to_lowercase(), encoded(&format!("Subject=\"CN={subject}\""))),
        (FORWARDED_CERTIFICATE.to_lowercase(), encoded(certificate_pem)),
    ]
}

/// What a proxy forwards of the peer `peer_id`, before a platform of G1.
#[must_use]
pub fn forwarded_g1(peer_id: &str) -> Vec<(String, String)> {
    vec![(FORWARDED_CN_G1.to_lowercase(), format!("federation-peer-{peer_id}"))]
}

/// The CN that a proxy forwards in this header, where it is one that names the caller.
#[must_use]
pub fn forwarded_subject(name: &str, value: &str) -> Option<String> {
    let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    if name.eq_ignore_ascii_case(FORWARDED_CN_G1) {
        return Some(value.into_owned());
    }
    let (_, subject) = value.split_once("CN=").filter(|_| name.eq_ignore_ascii_case(FORWARDED_INFO))?;
    subject.split(['"', ',']).next().map(ToOwned::to_owned)
}

/// The certificate, as PEM, that a value of [`FORWARDED_CERTIFICATE`] holds: the first of several.
#[must_use]
pub fn forwarded_certificate(value: &str) -> Option<String> {
    let first = value.split(',').next()?;
    percent_encoding::percent_decode_str(first).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_forwards_reads_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n";
        let headers = forwarded("fed:0190", pem);
        assert_eq!(headers[0].1, "Subject%3D%22CN%3Dfed%3A0190%22");
        let subjects = |headers: &[(String, String)]| -> Vec<String> {
            headers.iter().filter_map(|(name, value)| forwarded_subject(name, value)).collect()
        };
        assert_eq!(subjects(&headers), ["fed:0190"]);
        assert_eq!(subjects(&forwarded_g1("0190")), ["federation-peer-0190"]);
        assert_eq!(forwarded_certificate(&headers[1].1).as_deref(), Some(pem));
        assert_eq!(forwarded_certificate(&format!("{},another", headers[1].1)).as_deref(), Some(pem));
    }
}
